// Shared parts of the commands on blocks with protection information. Unlike the commands on other
// blocks, each of them is a coroutine, reads or writes the information by separate requests, and
// goes through memory of the shard.
//
// A block and its information take two requests. Writers hold the blocks exclusively on every shard
// (block/range_lock.h), so they never mix. A READ first reads without; if block and information do
// not match, it reads again with the range held exclusively.
#pragma once

#include <cstring>
#include <optional>

#include "block/work_buffer.h"
#include "scsi/blocks/block_range.h"
#include "scsi/blocks/exclusive_range.h"
#include "scsi/blocks/medium_step.h"
#include "scsi/core/completion.h"
#include "scsi/core/logical_unit.h"
#include "scsi/core/memory.h"
#include "scsi/core/protection_area.h"
#include "scsi/protection/protection.h"

namespace lunar::scsi {

// ---- Decoding

// Refuses reserved values of the protection field.
bool check_protect_field(Command& command);

// Layout of transferred blocks: with protection information or without.
struct BlockForm {
  std::size_t block_bytes = 0;  // user data
  bool with_protection = false;

  [[nodiscard]] std::size_t bytes() const {
    return block_bytes + (with_protection ? spec::kProtectionBytes : 0);
  }
  [[nodiscard]] Bytes data(Bytes buffer, std::uint64_t index) const {
    return buffer.subspan(static_cast<std::size_t>(index) * bytes(), block_bytes);
  }
  [[nodiscard]] spec::ProtectionInformation protection(Bytes buffer, std::uint64_t index) const {
    return *load<spec::ProtectionInformation>(
        buffer.subspan(static_cast<std::size_t>(index) * bytes() + block_bytes));
  }
};
[[nodiscard]] BlockForm form_of(const Command& command);

// ---- Outcomes. All return false, so that a step can `co_return fail_step(…)`.

bool fail_step(Command& command, block::Status status);
bool fail_check(Command& command, spec::AdditionalSense check, Lba lba);
// Checks `blocks` of data-out in `buffer`. Its first block is block `index` of the command.
bool check_data_out(Command& command, const ProtectionRules& rules, Bytes buffer,
                    BlockCount blocks);

// ---- Steps

// Number of blocks, with their entries, that fit into `memory_bytes` for one step.
[[nodiscard]] inline std::uint64_t blocks_of_step(std::size_t memory_bytes,
                                                  std::size_t data_bytes) {
  return (memory_bytes - ProtectionEntries::bytes_for(0)) / (data_bytes + spec::kProtectionBytes);
}
// Memory to request for a step of `blocks`. A step may then get fewer blocks.
[[nodiscard]] inline std::size_t bytes_of_step(std::uint64_t blocks, std::size_t data_bytes) {
  constexpr std::size_t kMost = 256 * kKiB;
  const std::size_t all = static_cast<std::size_t>(blocks) * (data_bytes + spec::kProtectionBytes) +
                          ProtectionEntries::bytes_for(0);
  return std::min(all, kMost);
}

// Reads user data by the command's own request. `alone`: inside the command's own exclusive range.
engine::Task<block::Status> read_data(Command& command, block::Range range, std::byte* to,
                                      bool alone);
// Writes user data, then its entries, which the step has filled. Inside the command's own exclusive
// range. Data first: never-written blocks have entries that disable their checks, so a power loss
// in between shows only where blocks had been written before.
engine::Task<block::Status> write_step(Command& command, block::Range range, const std::byte* data,
                                       ProtectionEntries& entries, block::RequestFlags flags);
// Writes `range` from `from`, whose layout is `form`. Generates the protection information if the
// blocks come without. Inside the command's own exclusive range.
engine::Task<bool> write_blocks(Command& command, const ProtectionRules& rules, block::Range range,
                                Bytes from, BlockForm form, block::RequestFlags flags);

// Runs `steps` while the command holds its blocks exclusively.
template <engine::Task<void> (*steps)(Command&)>
engine::Task<void> protected_alone(Command& command) {
  const BlockCount capacity(command.unit->state().capacity_blocks);
  return run_alone(command, protected_range({command.lba, command.count}, capacity),
                   block::Exclusion::writes, steps);
}

}  // namespace lunar::scsi
