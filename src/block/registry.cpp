#include "block/registry.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>

namespace lunar::block {

void Claim::release() {
  if (registry_ == nullptr) return;
  std::exchange(registry_, nullptr)->release(*std::exchange(device_, nullptr), id_);
}

Registry::~Registry() {
  while (!entries_.empty()) {
    assert(entries_.back()->holders.empty() && "a claim outlives its registry");
    // Out of the list first: a layer's destructor comes back here to release what it stands on.
    const std::unique_ptr<Entry> last = std::move(entries_.back());
    entries_.pop_back();
  }
}

Registry::Entry* Registry::entry(std::string_view name) const {
  const auto found = std::ranges::find_if(
      entries_, [&](const auto& candidate) { return candidate->device->name() == name; });
  return found == entries_.end() ? nullptr : found->get();
}

Result<Device*> Registry::add(std::unique_ptr<Device> device) {
  if (device->name().empty()) return fail(ErrorCode::invalid_argument, "a device needs a name");
  if (entry(device->name()) != nullptr) {
    return fail(ErrorCode::already_exists,
                fmt::format("there is a device '{}' already", device->name()));
  }
  auto added = std::make_unique<Entry>();
  added->device = std::move(device);
  added->statistics = std::make_unique<DeviceStatistics>(shards_);
  entries_.push_back(std::move(added));
  return entries_.back()->device.get();
}

Result<void> Registry::remove(std::string_view name) {
  const Entry* found = entry(name);
  if (found == nullptr)
    return fail(ErrorCode::not_found, fmt::format("there is no device '{}'", name));
  if (!found->holders.empty()) {
    return fail(ErrorCode::busy,
                fmt::format("device '{}' is used by {}", name, found->holders.front().owner));
  }
  // Out of the list first: a layer's destructor comes back here to release what it stands on.
  const auto at = std::ranges::find_if(entries_, [&](const auto& e) { return e.get() == found; });
  const std::unique_ptr<Entry> removed = std::move(*at);
  entries_.erase(at);
  return {};
}

Device* Registry::find(std::string_view name) const {
  const Entry* found = entry(name);
  return found == nullptr ? nullptr : found->device.get();
}

std::vector<Device*> Registry::devices() const {
  std::vector<Device*> all;
  for (const auto& e : entries_) all.push_back(e->device.get());
  return all;
}

DeviceStatistics& Registry::statistics(const Device& device) const {
  const Entry* found = entry(device.name());
  assert(found != nullptr && found->device.get() == &device);
  return *found->statistics;
}

Result<Claim> Registry::claim(std::string_view name, Access access, std::string owner) {
  Entry* found = entry(name);
  if (found == nullptr)
    return fail(ErrorCode::not_found, fmt::format("there is no device '{}'", name));
  if (access == Access::write) {
    if (!found->device->capabilities().writable) {
      return fail(ErrorCode::permission, fmt::format("device '{}' is read-only", name));
    }
    for (const Holder& holder : found->holders) {
      if (holder.access != Access::write) continue;
      return fail(ErrorCode::busy,
                  fmt::format("device '{}' is claimed for writing by {}; {} cannot have it", name,
                              holder.owner, owner));
    }
  }
  found->holders.push_back({next_id_, access, std::move(owner)});
  return Claim(*this, *found->device, next_id_++);
}

std::vector<std::string> Registry::owners(const Device& device) const {
  std::vector<std::string> names;
  const Entry* found = entry(device.name());
  if (found == nullptr) return names;
  for (const Holder& holder : found->holders) {
    names.push_back(
        fmt::format("{} ({})", holder.owner, holder.access == Access::write ? "write" : "read"));
  }
  return names;
}

void Registry::release(const Device& device, std::uint64_t id) {
  for (const auto& e : entries_) {
    if (e->device.get() != &device) continue;
    std::erase_if(e->holders, [&](const Holder& holder) { return holder.id == id; });
    return;
  }
}

}  // namespace lunar::block
