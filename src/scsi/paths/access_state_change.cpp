#include "scsi/paths/access_state_change.h"

#include "scsi/core/logical_unit.h"

namespace lunar::scsi {

engine::Task<bool> AccessStateChange::decide(UnitState& next) {
  const auto set_by =
      requester_ == nullptr ? access::StateSetBy::management : access::StateSetBy::host;
  bool changed = false;
  for (const Wanted& wanted : wanted_) {
    const access::GroupAccess old = next.paths.of(wanted.port.initial_access());
    const bool preferred = wanted.preferred.value_or(old.preferred);
    if (old.state == wanted.state && old.preferred == preferred) continue;
    next.paths.set({old.group, wanted.state, preferred, set_by});
    changed = true;
  }
  co_return changed;
}

void AccessStateChange::apply(LogicalUnitShard& part) {
  part.raise(spec::AdditionalSense::asymmetric_access_state_changed, requester_);
}

engine::Task<bool> PortGroupsReset::decide(UnitState& next) {
  for (const std::uint16_t group : groups_) next.paths.forget(group);
  co_return true;
}

void PortGroupsReset::apply(LogicalUnitShard& part) {
  part.raise(spec::AdditionalSense::asymmetric_access_state_changed, nullptr);
}

}  // namespace lunar::scsi
