#include "block/registry.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>

#include "block/check_device.h"

namespace lunar::block {

void Claim::release() {
  if (registry_ == nullptr) return;
  std::exchange(registry_, nullptr)->release(*std::exchange(device_, nullptr), id_);
}

Result<void> Claim::check_sole() const {
  const std::vector<std::string> owners = registry_->owners(*device_);
  if (owners.size() == 1) return {};
  return fail(ErrorCode::busy,
              fmt::format("device {} is used by {} and {}", device_->name(), owners[0], owners[1]));
}

Result<void> Claim::take_write_access() { return registry_->take_write_access(*device_, id_); }

std::string Registry::Holder::describe() const {
  return owner_device.empty() ? owner : fmt::format("{} {}", owner, owner_device);
}

Registry::~Registry() {
  while (!entries_.empty()) {
    assert(entries_.back()->holders.empty() && "a claim outlives its registry");
    // Out of the list first: a layer's destructor comes back here to release what it stands on.
    const std::unique_ptr<Entry> last = std::move(entries_.back());
    entries_.pop_back();
    by_name_.erase(last->name);
    by_device_.erase(last->device.get());
  }
}

Registry::Entry* Registry::entry(std::string_view name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : found->second;
}

Registry::Entry* Registry::entry(const Device& device) const {
  const auto found = by_device_.find(&device);
  return found == by_device_.end() ? nullptr : found->second;
}

Result<Device*> Registry::add(std::unique_ptr<Device> device) {
  if (device == nullptr) return fail(ErrorCode::invalid_argument, "there is no device: null");
  if (device->name().empty()) return fail(ErrorCode::invalid_argument, "a device needs a name");
  if (entry(device->name()) != nullptr) {
    return fail(ErrorCode::already_exists,
                fmt::format("there is a device '{}' already", device->name()));
  }
  LUNAR_TRY(check_device(*device));
  auto added = std::make_unique<Entry>();
  added->name = device->name();
  added->device = std::move(device);
  by_name_[added->name] = by_device_[added->device.get()] = added.get();
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
                fmt::format("device '{}' is used by {}", name, found->holders.front().describe()));
  }
  // Out of the list first: a layer's destructor comes back here to release what it stands on.
  const auto at = std::ranges::find_if(entries_, [&](const auto& e) { return e.get() == found; });
  const std::unique_ptr<Entry> removed = std::move(*at);
  entries_.erase(at);
  by_name_.erase(removed->name);
  by_device_.erase(removed->device.get());
  return {};
}

Result<void> Registry::rename(std::string_view name, std::string new_name) {
  Entry* found = entry(name);
  if (found == nullptr)
    return fail(ErrorCode::not_found, fmt::format("there is no device '{}'", name));
  if (new_name.empty()) return fail(ErrorCode::invalid_argument, "a device needs a name");
  if (new_name == found->name) return {};
  if (entry(new_name) != nullptr)
    return fail(ErrorCode::already_exists, fmt::format("there is a device '{}' already", new_name));
  for (const auto& each : entries_) {
    for (Holder& holder : each->holders) {
      if (holder.owner_device == found->name) holder.owner_device = new_name;
    }
  }
  by_name_.erase(found->name);
  found->name = std::move(new_name);
  by_name_[found->name] = found;
  found->device->rename(found->name);
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
  const Entry* found = entry(device);
  assert(found != nullptr);
  return *found->statistics;
}

// That `owner` may have it for writing.
Result<void> Registry::check_writable(const Entry& entry, const std::string& owner) {
  if (!entry.device->capabilities().writable)
    return fail(ErrorCode::permission, fmt::format("device '{}' is read-only", entry.name));
  for (const Holder& holder : entry.holders) {
    if (holder.access != Access::write) continue;
    return fail(ErrorCode::busy,
                fmt::format("device '{}' is claimed for writing by {}; {} cannot have it",
                            entry.name, holder.describe(), owner));
  }
  return {};
}

Result<Claim> Registry::claim(std::string_view name, Access access, std::string owner,
                              std::string owner_device) {
  Entry* found = entry(name);
  if (found == nullptr)
    return fail(ErrorCode::not_found, fmt::format("there is no device '{}'", name));
  Holder holder{next_id_++, access, std::move(owner), std::move(owner_device)};
  if (access == Access::write) LUNAR_TRY(check_writable(*found, holder.describe()));
  found->holders.push_back(std::move(holder));
  return Claim(*this, *found->device, found->holders.back().id);
}

Result<void> Registry::take_write_access(const Device& device, std::uint64_t id) {
  Entry* found = entry(device);
  assert(found != nullptr);
  const auto holder = std::ranges::find(found->holders, id, &Holder::id);
  if (holder->access == Access::write) return {};
  LUNAR_TRY(check_writable(*found, holder->describe()));
  holder->access = Access::write;
  return {};
}

std::vector<std::string> Registry::owners(const Device& device) const {
  std::vector<std::string> names;
  const Entry* found = entry(device);
  if (found == nullptr) return names;
  for (const Holder& holder : found->holders) {
    names.push_back(fmt::format("{} ({})", holder.describe(),
                                holder.access == Access::write ? "write" : "read"));
  }
  return names;
}

void Registry::release(const Device& device, std::uint64_t id) {
  Entry* found = entry(device);
  if (found == nullptr) return;
  std::erase_if(found->holders, [&](const Holder& holder) { return holder.id == id; });
}

}  // namespace lunar::block
