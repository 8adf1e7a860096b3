#include "scsi/paths/access_state_change.h"

#include "scsi/core/logical_unit.h"

namespace lunar::scsi {

using spec::AccessStatus;

engine::Task<bool> AccessStateChange::decide(UnitState& next) {
  const AccessStatus status =
      requester_ == nullptr ? AccessStatus::set_implicitly : AccessStatus::set_by_command;
  bool changed = false;
  for (const Wanted& wanted : wanted_) {
    const PortGroupAccess old = next.access.of(*wanted.port);
    const bool preferred = wanted.preferred.value_or(old.preferred);
    if (old.state == wanted.state && old.preferred == preferred) continue;
    next.access.set({old.group, wanted.state, preferred, status});
    changed = true;
  }
  co_return changed;
}

void AccessStateChange::apply(LogicalUnitShard& part) {
  part.raise(spec::AdditionalSense::asymmetric_access_state_changed, requester_);
}

}  // namespace lunar::scsi
