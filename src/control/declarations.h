// What of a configuration people set, beside its devices: the declaration of each of its tables.
// docs/configuration.md tells of them.
#pragma once

#include "control/config.h"
#include "schema/fields.h"

namespace lunar::control {

// The document. Its sections (device, target, portal) are read a table at a time.
[[nodiscard]] const schema::Record<Config>& document_declaration();
// Its sections (lun, host, port_group) likewise.
[[nodiscard]] const schema::Record<TargetConfig>& target_declaration();
[[nodiscard]] const schema::Record<HostConfig>& host_declaration();
[[nodiscard]] const schema::Record<LunConfig>& lun_declaration();
[[nodiscard]] const schema::Record<PortGroupConfig>& port_group_declaration();
[[nodiscard]] const schema::Record<PortalConfig>& portal_declaration();

}  // namespace lunar::control
