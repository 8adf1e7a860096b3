#include "kinds/device_kind.h"

#include <algorithm>

namespace lunar::kinds {

const DeviceKind* DeviceKinds::find(std::string_view name) const {
  const auto found = std::ranges::find(kinds_, name, &DeviceKind::name);
  return found == kinds_.end() ? nullptr : *found;
}

std::vector<std::string_view> DeviceKinds::names() const {
  std::vector<std::string_view> names;
  names.reserve(kinds_.size());
  for (const DeviceKind* kind : kinds_) names.push_back(kind->name());
  return names;
}

}  // namespace lunar::kinds
