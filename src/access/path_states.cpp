#include "access/path_states.h"

#include <algorithm>

namespace lunar::access {

GroupAccess PathStates::of(const GroupAccess& initial) const {
  if (changed_ == nullptr) return initial;
  const auto found = std::ranges::find(*changed_, initial.group, &GroupAccess::group);
  return found == changed_->end() ? initial : *found;
}

void PathStates::set(const GroupAccess& access) {
  forget(access.group);
  auto next = changed_ == nullptr ? std::make_shared<std::vector<GroupAccess>>()
                                  : std::make_shared<std::vector<GroupAccess>>(*changed_);
  next->push_back(access);
  changed_ = std::move(next);
}

void PathStates::forget(std::uint16_t group) {
  if (changed_ == nullptr || std::ranges::count(*changed_, group, &GroupAccess::group) == 0) return;
  auto next = std::make_shared<std::vector<GroupAccess>>(*changed_);
  std::erase_if(*next, [group](const GroupAccess& old) { return old.group == group; });
  changed_ = std::move(next);
}

}  // namespace lunar::access
