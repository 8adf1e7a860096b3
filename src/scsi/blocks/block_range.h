// Checks of a CDB's block range, in the order of precedence that the standard gives their errors.
#pragma once

#include <algorithm>
#include <optional>

#include "scsi/core/command.h"
#include "scsi/core/completion.h"
#include "scsi/core/logical_unit.h"
#include "scsi/spec/cdb.h"

namespace lunar::scsi {

// Byte of the CDB that holds its length field, for the field pointer in sense data.
[[nodiscard]] inline std::uint16_t length_field_of(const spec::Cdb& cdb) {
  switch (cdb.size()) {
    case sizeof(spec::BlockCdb6): return offsetof(spec::BlockCdb6, transfer_length_blocks);
    case sizeof(spec::BlockCdb10): return offsetof(spec::BlockCdb10, transfer_length_blocks);
    case sizeof(spec::BlockCdb12): return offsetof(spec::BlockCdb12, transfer_length_blocks);
    case sizeof(spec::BlockCdb16): return offsetof(spec::BlockCdb16, transfer_length_blocks);
  }
  return offsetof(spec::BlockCdb32, transfer_length_blocks);
}

// SBC-4 §4.5: a range may end at the capacity; an empty one may also begin there.
inline bool check_range(Command& command, Lba lba, BlockCount blocks) {
  if (range_fits(lba.value, blocks.value, command.unit->state().capacity_blocks)) [[likely]]
    return true;
  return refuse(command, spec::Sense::illegal_request(spec::AdditionalSense::lba_out_of_range));
}

// SBC-4 §6.6.4, table 272: INVALID FIELD IN CDB above MAXIMUM TRANSFER LENGTH.
inline bool check_transfer(Command& command, const LogicalUnit& unit, const spec::Cdb& cdb,
                           BlockCount blocks) {
  if (blocks.value <= unit.max_transfer_blocks()) [[likely]]
    return true;
  return refuse(command, spec::Sense::invalid_field_in_cdb(length_field_of(cdb)));
}

// Takes LBA, length and FUA from the CDB of a command that transfers its blocks. DPO is ignored:
// lunar has no cache policy to change.
inline bool decode_transfer(Command& command) {
  const spec::Cdb cdb = cdb_of(command);
  const spec::BlockCommand block = spec::decode_block_command(cdb);
  const LogicalUnit& unit = command.unit->unit();
  if (!check_range(command, block.lba, block.blocks)) return false;
  if (!check_transfer(command, unit, cdb, block.blocks)) return false;
  command.lba = block.lba;
  command.count = block.blocks;
  // The 6-byte CDBs have no flags.
  command.flags = cdb.size() > sizeof(spec::BlockCdb6) && block.flags.fua()
                      ? block::kFua
                      : block::RequestFlags{0};
  return true;
}

// Number of the CDB's blocks whose data-out has arrived, each of `block_bytes`. It is smaller if
// the initiator offers less: those blocks are processed, and the residual tells it of the rest.
// Nothing, and the command refused, if the initiator offers part of a block.
inline std::optional<BlockCount> blocks_given(Command& command, BlockCount named,
                                              std::size_t block_bytes) {
  const std::uint64_t given = command.data_out.size() / block_bytes;
  if (given * block_bytes == command.data_out.size()) [[likely]]
    return BlockCount(std::min(named.value, given));
  refuse_amount_of_data(command);
  return std::nullopt;
}
// The same for command.count. False: there is nothing to do.
inline bool take_blocks_given(Command& command, std::size_t block_bytes) {
  const std::optional<BlockCount> given = blocks_given(command, command.count, block_bytes);
  command.count = given.value_or(BlockCount(0));
  return command.count.value != 0;
}

[[nodiscard]] inline std::size_t bytes_of(const Command& command) {
  return static_cast<std::size_t>(command.count.value) << command.unit->unit().block_shift();
}

// Decodes a COMPARE AND WRITE (SBC-4 §5.4). Each block has `block_bytes` in each half of the data.
inline bool take_compare_and_write(Command& command, std::size_t block_bytes) {
  const spec::BlockCommand block = spec::decode_compare_and_write(cdb_of(command));
  if (!check_range(command, block.lba, block.blocks)) return false;
  // A count of 256 is encoded as 0.
  const bool wraps = block.blocks.value == 0 && command.expected_out_bytes != 0;
  if (wraps || block.blocks.value > kMaxCompareAndWriteBlocks) {
    return refuse(command, spec::Sense::invalid_field_in_cdb(
                               offsetof(spec::CompareAndWriteCdb, number_of_logical_blocks)));
  }
  command.lba = block.lba;
  command.count = block.blocks;
  command.flags = block.flags.fua() ? block::kFua : block::RequestFlags{0};
  command.data_out_bytes = static_cast<std::uint32_t>(2 * command.count.value * block_bytes);
  // With another length, the halves would be compared and written at the wrong offsets.
  return command.expected_out_bytes == command.data_out_bytes || refuse_amount_of_data(command);
}

}  // namespace lunar::scsi
