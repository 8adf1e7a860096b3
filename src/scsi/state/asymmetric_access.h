// Asymmetric logical unit access (SPC-5 §5.17.2): in which state the ways to a logical unit are.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "scsi/spec/target_port_groups.h"
#include "scsi/state/target_ports.h"

namespace lunar::scsi {

// A target port group as one logical unit shows it.
struct PortGroupAccess {
  std::uint16_t group = 0;  // TargetPort::number
  spec::AccessState state = spec::AccessState::active_optimized;
  bool preferred = false;
  spec::AccessStatus status = spec::AccessStatus::not_available;
  bool operator==(const PortGroupAccess&) const = default;
};

// A part of the UnitState: the groups that are no longer as their options said. Cheap to copy.
class AsymmetricAccess {
 public:
  [[nodiscard]] PortGroupAccess of(const TargetPort& port) const;
  void set(const PortGroupAccess& access);

 private:
  std::shared_ptr<const std::vector<PortGroupAccess>> changed_;
};

}  // namespace lunar::scsi
