// The life of a Server's logical units: one a device, from its first number to its last.
#pragma once

#include <set>
#include <vector>

#include "app/server_internals.h"
#include "engine/task.h"

namespace lunar::app {

// On every shard, from the control shard. After a failure some may be open.
engine::Task<void> open_units(Server::Internals& self, const std::vector<scsi::LogicalUnit*>& units,
                              Result<void>& outcome);
// Those that are open.
engine::Task<void> close_units(Server::Internals& self,
                               const std::vector<scsi::LogicalUnit*>& units);
[[nodiscard]] std::vector<scsi::LogicalUnit*> all_units(const Server::Internals& self);

// ---- Off the shards.

// By name. invalid_argument, not_found.
Result<iscsi::TargetNode*> find_target(const Server::Internals& self, std::string_view iqn);

// The unit of a device, made if there is none, and opened if the server runs. Pair it with
// release_unit(). `target` is who claims it. Errors as those of Server::map().
Result<Server::Internals::MappedUnit*> acquire_unit(Server::Internals& self,
                                                    std::string_view device_name,
                                                    const LunOptions& options,
                                                    std::string_view target);
// Ends it when no number leads to it; no map that is in force leads there any more.
void release_unit(Server::Internals& self, const block::Disk& disk);

// While the server runs: whether a format or sanitize operation has the medium.
[[nodiscard]] bool has_medium_operation(Server::Internals& self, const scsi::LogicalUnit& unit);
// While the server runs, before the target shows the unit by one more number: what set_alua_state()
// has said of the target holds for the unit, too.
void take_access_states(Server::Internals& self, const iscsi::TargetNode& target,
                        scsi::LogicalUnit& unit);
// Port groups of a target have come or gone, or have other options: what set_alua_state() has said
// of them is forgotten, and the initiators of the units are told.
struct PortGroup {
  iscsi::TargetId target;
  std::uint16_t portal_group_tag;
  std::uint16_t number;  // scsi::TargetPort::number
};
using UnitSet = std::set<scsi::LogicalUnit*>;
void reset_port_groups(Server::Internals& self, const UnitSet& units,
                       const std::vector<PortGroup>& groups);
// What the LUN maps lead to.
[[nodiscard]] UnitSet units_of(const scsi::LunMaps& maps);

// ---- server_luns.cpp
// Before a target goes, and when it has gone with these maps. As Server::unmap() of all its
// numbers.
Result<void> check_may_go(Server::Internals& self, const scsi::LunMaps& maps);
void forget_numbers(Server::Internals& self, const scsi::LunMaps& maps);

}  // namespace lunar::app
