#include "scsi/state/asymmetric_access.h"

#include <algorithm>

namespace lunar::scsi {

PortGroupAccess AsymmetricAccess::of(const TargetPort& port) const {
  if (changed_ != nullptr) {
    const auto found = std::ranges::find(*changed_, port.number, &PortGroupAccess::group);
    if (found != changed_->end()) return *found;
  }
  return {port.number, port.group.state, port.group.preferred, spec::AccessStatus::not_available};
}

void AsymmetricAccess::set(const PortGroupAccess& access) {
  auto next = changed_ == nullptr ? std::make_shared<std::vector<PortGroupAccess>>()
                                  : std::make_shared<std::vector<PortGroupAccess>>(*changed_);
  std::erase_if(*next, [&](const PortGroupAccess& old) { return old.group == access.group; });
  next->push_back(access);
  changed_ = std::move(next);
}

}  // namespace lunar::scsi
