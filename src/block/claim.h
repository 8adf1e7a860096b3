// The right to use a device, and who may have it beside whom.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>

#include "lunar/block/device.h"
#include "lunar/result.h"

namespace lunar::block {

class Disk;

// What the owner of a claim may do. Readers may be beside anybody, writers beside each other:
// they go through the Disk's Fronts, which make them one. An exclusive owner is the only writer. So
// is a layer, as it writes past them, by channels of its own.
enum class Access : std::uint8_t { read, write, exclusive };

// Held by a target, a layer, a job. Released when destroyed. The Disk outlives it. Threading: the
// control side's, as Disk::claim().
class Claim {
 public:
  Claim() = default;
  Claim(Claim&& other) noexcept : disk_(std::exchange(other.disk_, nullptr)), id_(other.id_) {}
  Claim& operator=(Claim&& other) noexcept {
    std::swap(disk_, other.disk_);
    std::swap(id_, other.id_);
    return *this;
  }
  ~Claim() { release(); }

  void release();
  explicit operator bool() const { return disk_ != nullptr; }
  [[nodiscard]] Disk& disk() const { return *disk_; }
  [[nodiscard]] Device& device() const;

  // The right to write besides that to read, for the same owner. Errors as those of Disk::claim(),
  // and then nothing has changed.
  Result<void> take_write_access();
  // Device::begin_resize(), for an owner that has the device for itself and uses it past its Disk.
  // Also busy, naming an owner, when it has other claims: they would not learn of it.
  void begin_resize(std::optional<ByteCount> size, Reply<BlockCount> reply);

 private:
  friend class Disk;
  Claim(Disk& disk, std::uint64_t id) : disk_(&disk), id_(id) {}

  Disk* disk_ = nullptr;
  std::uint64_t id_ = 0;
};

}  // namespace lunar::block
