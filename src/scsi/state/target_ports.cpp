#include "scsi/state/target_ports.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace lunar::scsi {

void TargetPorts::add(std::uint16_t portal_group_tag, std::uint16_t number, std::string name) {
  assert(number != 0 && find(number) == nullptr && find_tag(portal_group_tag) == nullptr);
  const auto options = options_.find(portal_group_tag);
  TargetPort port{portal_group_tag, number, std::move(name), {}};
  if (options != options_.end()) port.group = options->second;
  implicit_ = implicit_ || port.group.implicit_changes;
  explicit_ = explicit_ || port.group.explicit_changes;
  const auto place = std::ranges::upper_bound(ports_, number, {}, &TargetPort::number);
  ports_.insert(place, std::move(port));
}

std::vector<std::uint16_t> TargetPorts::configured_tags() const {
  std::vector<std::uint16_t> tags;
  for (const auto& [tag, options] : options_) tags.push_back(tag);
  return tags;
}

const TargetPort* TargetPorts::find(std::uint16_t number) const {
  const auto found = std::ranges::find(ports_, number, &TargetPort::number);
  return found == ports_.end() ? nullptr : &*found;
}

const TargetPort* TargetPorts::find_tag(std::uint16_t portal_group_tag) const {
  const auto found = std::ranges::find(ports_, portal_group_tag, &TargetPort::portal_group_tag);
  return found == ports_.end() ? nullptr : &*found;
}

}  // namespace lunar::scsi
