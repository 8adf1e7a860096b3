#include "scsi/asymmetric_access.h"

#include <algorithm>

#include "scsi/access_state_change.h"
#include "scsi/device_server.h"

namespace lunar::scsi {

using spec::AccessState;
using spec::AccessStatus;
using spec::AdditionalSense;

PortGroupAccess AsymmetricAccess::of(const TargetPort& port) const {
  if (changed_ != nullptr) {
    const auto found = std::ranges::find(*changed_, port.number, &PortGroupAccess::group);
    if (found != changed_->end()) return *found;
  }
  return {port.number, port.group.state, port.group.preferred, AccessStatus::not_available};
}

void AsymmetricAccess::set(const PortGroupAccess& access) {
  auto next = changed_ == nullptr ? std::make_shared<std::vector<PortGroupAccess>>()
                                  : std::make_shared<std::vector<PortGroupAccess>>(*changed_);
  std::erase_if(*next, [&](const PortGroupAccess& old) { return old.group == access.group; });
  next->push_back(access);
  changed_ = std::move(next);
}

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
  part.raise(AdditionalSense::asymmetric_access_state_changed, requester_);
}

Restrictions path_restrictions(const ItlNexus& itl) {
  const TargetPorts& ports = itl.nexus.device_server()->target().ports();
  const TargetPort* port = ports.find(itl.nexus.relative_target_port_id());
  if (port == nullptr) return 0;
  switch (itl.unit.state().access.of(*port).state) {
    case AccessState::active_optimized:
    case AccessState::active_non_optimized: return 0;
    case AccessState::standby: return kPathStandby;
    case AccessState::unavailable: return kPathUnavailable;
    case AccessState::transitioning: return kPathInTransition;
    case AccessState::logical_block_dependent:
    case AccessState::offline: break;  // nobody can set them
  }
  return 0;
}

spec::Sense path_sense(Restrictions heeded) {
  if ((heeded & kPathInTransition) != 0)
    return spec::Sense::not_ready(AdditionalSense::asymmetric_access_state_transition);
  if ((heeded & kPathUnavailable) != 0)
    return spec::Sense::not_ready(AdditionalSense::target_port_in_unavailable_state);
  return spec::Sense::not_ready(AdditionalSense::target_port_in_standby_state);
}

}  // namespace lunar::scsi
