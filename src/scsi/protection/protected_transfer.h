// What the commands on blocks with protection information have in common. They go another way than
// those on blocks without: a coroutine a command, the information by separate requests, memory of
// the shard's in between.
//
// A block and its information are two requests. Whoever writes has the blocks for himself on every
// shard (block/range_lock.h), so writers never mix. A READ looks without that; where what it has
// found does not fit together, it looks again as the only one.
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

// Refuses a reserved value of the protection field.
bool check_protect_field(Command& command);

// Blocks as they are transferred: with their protection information or without.
struct BlockForm {
  std::size_t block_bytes = 0;  // of user data
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

// ---- Outcomes. Each gives false, so that a step can `co_return fail_step(…)`.

bool fail_step(Command& command, block::Status status);
bool fail_check(Command& command, spec::AdditionalSense check, Lba lba);
// Checks `blocks` of data-out from `buffer` on; the first of them is block `index` of the command.
bool check_data_out(Command& command, const ProtectionRules& rules, Bytes buffer,
                    BlockCount blocks);

// ---- Steps

// How many blocks with their entries fit into memory for one step.
[[nodiscard]] inline std::uint64_t blocks_of_step(std::size_t memory_bytes,
                                                  std::size_t data_bytes) {
  return (memory_bytes - ProtectionEntries::bytes_for(0)) / (data_bytes + spec::kProtectionBytes);
}
// So much is asked for, that a step can take `blocks`.
[[nodiscard]] inline std::size_t bytes_of_step(std::uint64_t blocks, std::size_t data_bytes) {
  constexpr std::size_t kMost = 256 * kKiB;
  const std::size_t all = static_cast<std::size_t>(blocks) * (data_bytes + spec::kProtectionBytes) +
                          ProtectionEntries::bytes_for(0);
  return std::min(all, kMost);
}

// Reads user data, by the command's own request. `alone`: within an exclusive range of its.
engine::Task<block::Status> read_data(Command& command, block::Range range, std::byte* to,
                                      bool alone);
// Writes user data and then their entries, which the step has filled. The data come first: blocks
// that were never written have information that turns their checks off, so that a loss of power in
// between shows only where there was some. Within an exclusive range of the command's.
engine::Task<block::Status> write_step(Command& command, block::Range range, const std::byte* data,
                                       ProtectionEntries& entries, block::RequestFlags flags);
// Writes `range`, whose blocks lie in `from` in that form; the protection information is theirs, or
// made where they come without. Within an exclusive range of the command's.
engine::Task<bool> write_blocks(Command& command, const ProtectionRules& rules, block::Range range,
                                Bytes from, BlockForm form, block::RequestFlags flags);

// Runs `steps` while the command has its blocks for itself.
template <engine::Task<void> (*steps)(Command&)>
engine::Task<void> protected_alone(Command& command) {
  const BlockCount capacity(command.unit->state().capacity_blocks);
  return run_alone(command, protected_range({command.lba, command.count}, capacity),
                   block::Exclusion::writes, steps);
}

}  // namespace lunar::scsi
