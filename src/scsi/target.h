// A SCSI target device as its initiators know it: a name and numbered logical units.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>

#include "lunar/result.h"
#include "lunar/types.h"
#include "scsi/spec/lun.h"
#include "scsi/target_ports.h"

namespace lunar::scsi {

class LogicalUnit;

// 16,384 logical unit numbers, most of them unused.
class LunMap {
 public:
  // ErrorCode::out_of_range above kMaxLun, already_exists when the number is taken.
  Result<void> add(Lun lun, LogicalUnit& unit);

  // Null when nothing has the number. Numbers above kMaxLun have nothing.
  [[nodiscard]] LogicalUnit* find(Lun lun) const {
    if (lun.value > spec::kMaxLun) return nullptr;
    const Chunk* chunk = chunks_[lun.value / kChunkLuns].get();
    return chunk == nullptr ? nullptr : (*chunk)[lun.value % kChunkLuns];
  }
  [[nodiscard]] std::size_t size() const { return size_; }

  // visit(Lun, LogicalUnit&) in ascending order of the numbers.
  template <class Visit>
  void for_each(Visit visit) const {
    for (std::size_t i = 0; i < chunks_.size(); ++i) {
      if (chunks_[i] == nullptr) continue;
      for (std::size_t k = 0; k < kChunkLuns; ++k) {
        if (LogicalUnit* unit = (*chunks_[i])[k]) {
          visit(Lun(static_cast<std::uint16_t>(i * kChunkLuns + k)), *unit);
        }
      }
    }
  }

 private:
  static constexpr std::size_t kChunkLuns = 256;
  using Chunk = std::array<LogicalUnit*, kChunkLuns>;

  std::array<std::unique_ptr<Chunk>, (spec::kMaxLun + 1) / kChunkLuns> chunks_;
  std::size_t size_ = 0;
};

// Filled before the shards serve it, then immutable, so that every shard reads it without a lock.
// Outlives its DeviceServers.
class Target {
 public:
  explicit Target(std::string name) : name_(std::move(name)) {}

  // The iSCSI name, which is also the SCSI name string of the target device.
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] LunMap& luns() { return luns_; }
  [[nodiscard]] const LunMap& luns() const { return luns_; }
  [[nodiscard]] TargetPorts& ports() { return ports_; }
  [[nodiscard]] const TargetPorts& ports() const { return ports_; }

 private:
  std::string name_;
  LunMap luns_;
  TargetPorts ports_;
};

}  // namespace lunar::scsi
