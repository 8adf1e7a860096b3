#include "block/registry.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "block/check_device.h"

namespace lunar::block {

Registry::~Registry() {
  while (!entries_.empty()) {
    // Out of the list first: a layer's destructor releases its claim of what it stands on.
    const std::unique_ptr<Entry> last = std::move(entries_.back());
    entries_.pop_back();
    by_name_.erase(last->name);
  }
}

Registry::Entry* Registry::entry(std::string_view name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : found->second;
}

Result<Disk*> Registry::add(std::unique_ptr<Device> device) {
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
  added->disk = std::make_unique<Disk>(*added->device, shards_, patience_ns_);
  by_name_[added->name] = added.get();
  entries_.push_back(std::move(added));
  return entries_.back()->disk.get();
}

Result<void> Registry::remove(std::string_view name) {
  const Entry* found = entry(name);
  if (found == nullptr)
    return fail(ErrorCode::not_found, fmt::format("there is no device '{}'", name));
  LUNAR_TRY(found->disk->begin_closing());
  // Out of the list first, as above.
  const auto at = std::ranges::find_if(entries_, [&](const auto& e) { return e.get() == found; });
  const std::unique_ptr<Entry> removed = std::move(*at);
  entries_.erase(at);
  by_name_.erase(removed->name);
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
  for (const auto& each : entries_) each->disk->rename_owner(found->name, new_name);
  by_name_.erase(found->name);
  found->name = std::move(new_name);
  by_name_[found->name] = found;
  found->device->rename(found->name);
  return {};
}

Disk* Registry::find(std::string_view name) const {
  const Entry* found = entry(name);
  return found == nullptr ? nullptr : found->disk.get();
}

std::vector<Disk*> Registry::disks() const {
  std::vector<Disk*> all;
  for (const auto& e : entries_) all.push_back(e->disk.get());
  return all;
}

std::vector<Disk*> Registry::unanswered() const {
  std::vector<Disk*> waiting;
  for (const auto& e : entries_) {
    if (e->device->unanswered() != 0) waiting.push_back(e->disk.get());
  }
  return waiting;
}

Result<Claim> Registry::claim(std::string_view name, Access access, std::string owner,
                              std::string owner_device) {
  Disk* disk = find(name);
  if (disk == nullptr)
    return fail(ErrorCode::not_found, fmt::format("there is no device '{}'", name));
  return disk->claim(access, std::move(owner), std::move(owner_device));
}

}  // namespace lunar::block
