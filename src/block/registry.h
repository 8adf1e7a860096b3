// The devices of a process by name, and who uses them.
//
// Threading: all of it belongs to the control side, one thread at a time. The I/O path never comes
// here.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "block/statistics.h"
#include "lunar/block/device.h"
#include "lunar/result.h"

namespace lunar::block {

// What the owner of a claim may do. A device has at most one writer, and any number of readers
// beside it.
enum class Access : unsigned char { read, write };

class Registry;

// The right to use a device, held by a target, a layer on top of it, a job. Released when
// destroyed. The Registry outlives it.
class Claim {
 public:
  Claim() = default;
  Claim(Claim&& other) noexcept
      : registry_(std::exchange(other.registry_, nullptr)),
        device_(std::exchange(other.device_, nullptr)),
        id_(other.id_) {}
  Claim& operator=(Claim&& other) noexcept {
    std::swap(registry_, other.registry_);
    std::swap(device_, other.device_);
    std::swap(id_, other.id_);
    return *this;
  }
  ~Claim() { release(); }

  void release();
  explicit operator bool() const { return device_ != nullptr; }
  [[nodiscard]] Device& device() const { return *device_; }
  // ErrorCode::busy, naming an owner, when the device has other claims.
  [[nodiscard]] Result<void> check_sole() const;
  // The right to write besides that to read, for the same owner. Errors as those of
  // Registry::claim(), and then nothing has changed.
  Result<void> take_write_access();

 private:
  friend class Registry;
  Claim(Registry& registry, Device& device, std::uint64_t id)
      : registry_(&registry), device_(&device), id_(id) {}

  Registry* registry_ = nullptr;
  Device* device_ = nullptr;
  std::uint64_t id_ = 0;
};

class Registry {
 public:
  // `shards`: how many may serve a device, for its statistics.
  explicit Registry(std::size_t shards) : shards_(shards) {}
  Registry(const Registry&) = delete;
  Registry& operator=(const Registry&) = delete;
  // Destroys the devices, the last added first: a layer goes before what it stands on.
  ~Registry();

  // already_exists when the name is taken; invalid_argument when it is empty, for a null device,
  // and for one that check_device() refuses.
  Result<Device*> add(std::unique_ptr<Device> device);
  // not_found; busy (naming an owner) while it is claimed.
  Result<void> remove(std::string_view name);

  // Also for the device's own name(), and for what claims say of it. not_found; already_exists,
  // invalid_argument as in add().
  Result<void> rename(std::string_view name, std::string new_name);

  // Null when there is none.
  [[nodiscard]] Device* find(std::string_view name) const;
  // In the order of their addition.
  [[nodiscard]] std::vector<Device*> devices() const;
  // Of a registered device.
  [[nodiscard]] DeviceStatistics& statistics(const Device& device) const;

  // `owner` names the claimer for people, as in "target iqn.2026-11.example:disks"; with the name
  // of a device behind it, as it is called at the time, if one claims: its `owner_device`.
  // not_found; busy, naming the owner, when write access is taken; permission for write access to a
  // read-only device.
  Result<Claim> claim(std::string_view name, Access access, std::string owner,
                      std::string owner_device = {});
  // "OWNER (write)", "OWNER (read)", in the order of their claims.
  [[nodiscard]] std::vector<std::string> owners(const Device& device) const;

 private:
  friend class Claim;
  struct Holder {
    std::uint64_t id;
    Access access;
    std::string owner;
    std::string owner_device;
    [[nodiscard]] std::string describe() const;
  };
  struct Entry {
    std::string name;
    std::unique_ptr<Device> device;
    std::unique_ptr<DeviceStatistics> statistics;
    std::vector<Holder> holders;
  };
  [[nodiscard]] Entry* entry(std::string_view name) const;
  [[nodiscard]] Entry* entry(const Device& device) const;
  [[nodiscard]] static Result<void> check_writable(const Entry& entry, const std::string& owner);
  Result<void> take_write_access(const Device& device, std::uint64_t id);
  void release(const Device& device, std::uint64_t id);

  std::size_t shards_;
  std::uint64_t next_id_ = 1;
  std::vector<std::unique_ptr<Entry>> entries_;
  std::map<std::string, Entry*, std::less<>> by_name_;
  std::unordered_map<const Device*, Entry*> by_device_;
};

}  // namespace lunar::block
