// The protection information of a logical unit's medium, as one shard reaches it: a Front of the
// area where the device keeps it (lunar/block/protection.h), and memory to work with.
#pragma once

#include <memory>
#include <optional>

#include "block/front.h"
#include "block/range.h"
#include "block/work_buffer.h"
#include "engine/task.h"
#include "lunar/block/protection.h"
#include "lunar/result.h"
#include "scsi/core/wait.h"
#include "scsi/spec/protection.h"

namespace lunar::scsi {

// The medium's format, in the first block of the area. A medium that is new has none.
struct ProtectionFormat {
  spec::ProtectionType made = spec::ProtectionType::none;  // what it was created for
  spec::ProtectionType now = spec::ProtectionType::none;   // what FORMAT UNIT has made of it
  std::uint32_t block_bytes = 0;                           // of user data
};

// As the first bytes of the area tell it; nothing where they are not lunar's.
constexpr std::size_t kStoredProtectionFormatBytes = 16;
[[nodiscard]] std::optional<ProtectionFormat> parse_protection_format(Bytes bytes);

// Created, used and destroyed on its shard.
class ProtectionArea {
 public:
  static Result<std::unique_ptr<ProtectionArea>> open(block::Device& area, engine::Shard& shard,
                                                      block::DeviceStatistics& statistics);

  [[nodiscard]] block::Front& front() { return *front_; }
  // Not the Front's own, which the emulation of a request may need. Whoever holds an exclusive
  // range may take some; who waits for one must hold none.
  [[nodiscard]] block::WorkBuffers& work() { return work_; }

  // The format of the medium, written if it is new. `marked`: ProtectionRoom::marked.
  // invalid_argument: it was made for another type or block size; malformed: not written by us, or
  // zeroed; io.
  engine::Task<Result<ProtectionFormat>> load_format(spec::ProtectionType wanted,
                                                     std::uint32_t block_bytes, bool marked);
  engine::Task<block::Status> store_format(Behalf behalf, const ProtectionFormat& format);

  // No entry says anything of its block any more, as in a medium that is new.
  engine::Task<block::Status> clear(Behalf behalf, block::Range range,
                                    block::RequestFlags flags = 0);

 private:
  ProtectionArea(std::unique_ptr<block::Front> front, engine::Shard& shard)
      : front_(std::move(front)), work_(shard) {}

  std::unique_ptr<block::Front> front_;
  block::WorkBuffers work_;
};

// The entries of a range of logical blocks in memory, as whole blocks of the area.
class ProtectionEntries {
 public:
  // What the entries of any `blocks` need at most.
  [[nodiscard]] static constexpr std::size_t bytes_for(std::uint64_t blocks) {
    return (blocks / block::kProtectionEntriesPerBlock + 2) * block::kProtectionAreaBlockBytes;
  }

  // In the protection area of that part. `memory`: bytes_for(range.count) at least.
  ProtectionEntries(const Behalf& behalf, block::Range range, MutableBytes memory);

  // All of them.
  engine::Task<block::Status> read();
  // What the blocks of the area hold of other logical blocks, so that write() leaves it as it is.
  // Nobody else may write those meanwhile: see protected_range().
  engine::Task<block::Status> read_neighbours();
  // Also for a command that has been aborted meanwhile: its data are on the medium.
  engine::Task<block::Status> write(block::RequestFlags flags);

  [[nodiscard]] spec::ProtectionInformation get(std::uint64_t index) const;
  void set(std::uint64_t index, const spec::ProtectionInformation& information);

 private:
  engine::Task<block::Status> transfer(block::Op op, block::Range blocks,
                                       block::RequestFlags flags = 0);

  const Behalf behalf_;
  block::Range range_;
  block::Range blocks_;  // of the area
  MutableBytes memory_;
};

// What a command has for itself when it writes `range`: also the blocks whose entries share a block
// of the area with it.
[[nodiscard]] block::Range protected_range(block::Range range, BlockCount capacity);

}  // namespace lunar::scsi
