// Another asymmetric access state for target port groups of a logical unit (SPC-5 §5.17.2).
#pragma once

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
    const TargetPort* port = nullptr;
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

}  // namespace lunar::scsi
