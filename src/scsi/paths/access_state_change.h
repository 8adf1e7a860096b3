// Another asymmetric access state for target port groups of a logical unit (SPC-5 §5.17.2).
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "scsi/state/target_ports.h"
#include "scsi/state/unit_state.h"

namespace lunar::scsi {

class Nexus;

// Gives some groups other states, all at once. `requester` has sent SET TARGET PORT GROUPS, and is
// the one that need not be told (SPC-5 §5.17.2.6); null: the target's own doing, of which every I_T
// nexus is told.
class AccessStateChange final : public UnitChange {
 public:
  struct Wanted {
    TargetPort port;
    access::PathState state = access::PathState::optimized;
    std::optional<bool> preferred;  // unset: as it is
  };
  AccessStateChange(std::span<const Wanted> wanted, const Nexus* requester)
      : wanted_(wanted), requester_(requester) {}
  // False: all of them are in those states already.
  engine::Task<bool> decide(UnitState& next) override;
  void apply(LogicalUnitShard& part) override;

 private:
  std::span<const Wanted> wanted_;
  const Nexus* requester_;
};

// Forgets what the states of groups have been changed to: the groups are new, or gone, or have
// other options. Every I_T nexus is told (SPC-5 §5.17.2.1).
class PortGroupsReset final : public UnitChange {
 public:
  // `groups`: TargetPort::number of each.
  explicit PortGroupsReset(std::span<const std::uint16_t> groups) : groups_(groups) {}
  engine::Task<bool> decide(UnitState& next) override;
  void apply(LogicalUnitShard& part) override;

 private:
  std::span<const std::uint16_t> groups_;
};

}  // namespace lunar::scsi
