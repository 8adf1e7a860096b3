// The Disks of a process by name.
//
// Threading: all of it belongs to the control side, one thread at a time. The I/O path never comes
// here.
#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "block/disk.h"
#include "engine/shard.h"
#include "lunar/block/device.h"
#include "lunar/result.h"

namespace lunar::block {

class Registry {
 public:
  // `shards`: all that may serve a disk, by index; they outlive it.
  explicit Registry(std::span<engine::Shard* const> shards,
                    std::uint64_t patience_ns = kDevicePatienceNs)
      : shards_(shards.begin(), shards.end()), patience_ns_(patience_ns) {}
  Registry(const Registry&) = delete;
  Registry& operator=(const Registry&) = delete;
  // Destroys the devices, the last added first: a layer goes before what it stands on. None is
  // unanswered().
  ~Registry();

  // already_exists when the name is taken; invalid_argument when it is empty, for a null device,
  // and for one that check_device() refuses.
  Result<Disk*> add(std::unique_ptr<Device> device);
  // not_found; busy (naming an owner) while it is claimed, and while it has not answered what it
  // was asked.
  Result<void> remove(std::string_view name);

  // Also for the device's own name(), and for what claims say of it. not_found; already_exists,
  // invalid_argument as in add().
  Result<void> rename(std::string_view name, std::string new_name);

  // Null when there is none.
  [[nodiscard]] Disk* find(std::string_view name) const;
  // In the order of their addition.
  [[nodiscard]] std::vector<Disk*> disks() const;
  // Those whose devices have not answered what they were asked: they and the shards must live on.
  [[nodiscard]] std::vector<Disk*> unanswered() const;
  // Disk::claim() of that name; not_found.
  Result<Claim> claim(std::string_view name, Access access, std::string owner,
                      std::string owner_device = {});

 private:
  struct Entry {
    std::string name;
    std::unique_ptr<Device> device;
    std::unique_ptr<Disk> disk;
  };
  [[nodiscard]] Entry* entry(std::string_view name) const;

  const std::vector<engine::Shard*> shards_;
  const std::uint64_t patience_ns_;
  std::vector<std::unique_ptr<Entry>> entries_;
  std::map<std::string, Entry*, std::less<>> by_name_;
};

}  // namespace lunar::block
