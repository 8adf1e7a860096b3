// UNMAP and WRITE SAME (SBC-4 §5.35, §5.52–5.54): commands on ranges larger than any buffer.
#include <algorithm>

#include "block/front.h"
#include "scsi/blocks/block_commands.h"
#include "scsi/blocks/block_range.h"
#include "scsi/core/completion.h"
#include "scsi/core/logical_unit.h"
#include "scsi/spec/cdb_structs.h"
#include "scsi/spec/unmap.h"

namespace lunar::scsi {
namespace {

using spec::AdditionalSense;
using spec::Sense;

// ---- UNMAP

bool check_unmap_extents(Command& command, const spec::UnmapParameterList& list) {
  if (list.size() > kMaxUnmapDescriptors) {
    return refuse(command,
                  Sense::illegal_request(AdditionalSense::invalid_field_in_parameter_list));
  }
  // Checks all descriptors before the first change: one wrong descriptor means that nothing is
  // unmapped.
  for (std::size_t i = 0; i < list.size(); ++i) {
    const spec::UnmapExtent extent = list[i];
    if (!check_range(command, extent.lba, extent.blocks)) return false;
  }
  return true;
}

// A command that ends early has failed, even if some of its blocks are unmapped.
void give_up_if(bool something_left, Command& command) {
  if (something_left && command.status == block::Status::ok)
    command.status = block::Status::aborted;
}

void unmap_next(block::Request& request) noexcept {
  Command& command = command_of(request);
  const auto list = *spec::UnmapParameterList::parse(command.data_out);
  while (command.status == block::Status::ok && !is_unwanted(command) &&
         command.steps.index < list.size()) {
    const spec::UnmapExtent extent = list[command.steps.index++];
    if (extent.blocks.value == 0) continue;
    command.op = block::Op::unmap;
    command.flags = 0;
    command.lba = extent.lba;
    command.count = extent.blocks;
    command.iov_count = 0;
    submit(command, unmap_next);
    return;
  }
  give_up_if(command.steps.index < list.size(), command);
  medium_done(command);
}

// ---- WRITE SAME

// Blocks per step, so that very long commands can be aborted.
constexpr std::uint64_t kWriteSameStepBytes = 64 * kMiB;

void write_same_next(block::Request& request) noexcept {
  Command& command = command_of(request);
  if (command.status != block::Status::ok || is_unwanted(command) ||
      command.steps.left.value == 0) {
    give_up_if(command.steps.left.value != 0, command);
    medium_done(command);
    return;
  }
  const std::uint64_t step = kWriteSameStepBytes >> command.unit->unit().block_shift();
  command.lba = command.steps.lba;
  command.count = BlockCount(std::min(command.steps.left.value, step));
  command.steps.lba = command.steps.lba + command.count;
  command.steps.left = command.steps.left - command.count;
  submit(command, write_same_next);
}

[[nodiscard]] bool is_zero(Bytes bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](std::byte b) { return b == std::byte{0}; });
}

// Chooses the block layer's operation. False: the data-out does not match the CDB.
bool choose_write_same(Command& command, const spec::BlockFlags& flags) {
  const std::size_t block_size = command.unit->unit().block_size();
  const bool ndob = command.data_out_bytes == 0;
  if (!ndob && command.data_out.size() != block_size) {
    // Some initiators send UNMAP without data and mean zeroes.
    if (!(flags.unmap() && command.expected_out_bytes == 0)) return false;
  }
  // More than one block is as wrong as less.
  if (!ndob && command.expected_out_bytes > block_size) return false;
  // SBC-4, WRITE SAME (10), ANCHOR and UNMAP bits: UNMAP requests an unmap operation, whatever the
  // Data-Out Buffer contains. LBPRZ says what reads return then, and write_zeroes guarantees it.
  if (ndob || flags.unmap() || is_zero(command.data_out)) {
    command.op = block::Op::write_zeroes;
    command.flags = flags.unmap() ? block::kMayUnmap : block::RequestFlags{0};
    command.iov_count = 0;
    return true;
  }
  command.op = block::Op::write_same;
  command.flags = 0;
  command.set_buffer(command.data_out.data(), block_size);
  return true;
}

}  // namespace

bool decode_unmap(Command& command) {
  const std::uint16_t length = cdb_of(command).as<spec::UnmapCdb>().parameter_list_length;
  // SBC-4 §5.35.1: no data is no error; less than the header is one.
  if (length != 0 && length < sizeof(spec::UnmapParameterListHeader)) {
    return refuse(command, Sense::illegal_request(AdditionalSense::parameter_list_length_error));
  }
  command.data_out_bytes = length;
  if (length == 0) command.direction = DataDirection::none;
  return true;
}

bool check_unmap_list(Command& command) {
  if (command.data_out.size() != command.data_out_bytes)
    return refuse(command, Sense::illegal_request(AdditionalSense::parameter_list_length_error));
  const auto list = spec::UnmapParameterList::parse(command.data_out);
  if (!list) return refuse(command, list.error());
  return check_unmap_extents(command, *list) && list->total_blocks().value != 0;
}

void execute_unmap(Command& command) {
  if (!check_unmap_list(command)) return end_soon(command);
  command.steps.index = 0;
  command.status = block::Status::ok;
  unmap_next(command);
}

bool decode_write_same(Command& command) {
  const spec::Cdb cdb = cdb_of(command);
  const spec::BlockCommand block = spec::decode_block_command(cdb);
  const LogicalUnit& unit = command.unit->unit();
  if (block.flags.unmap() && !unit.thin()) {
    const bool long_cdb = cdb.size() == sizeof(spec::BlockCdb32);
    return refuse(command, Sense::invalid_field_in_cdb(long_cdb ? offsetof(spec::BlockCdb32, flags)
                                                                : offsetof(spec::BlockCdb10, flags),
                                                       std::uint8_t{3}));
  }
  if (!check_range(command, block.lba, block.blocks)) return false;
  BlockCount blocks = block.blocks;
  // WSNZ is zero in VPD page B0h: zero blocks means up to the end of the medium.
  if (blocks.value == 0) blocks = Lba(command.unit->state().capacity_blocks) - block.lba;
  if (blocks.value > unit.max_write_same_blocks())
    return refuse(command, Sense::invalid_field_in_cdb(length_field_of(cdb)));
  command.steps.lba = block.lba;
  command.steps.left = blocks;
  // Only the usage map of WRITE SAME (16) permits NDOB.
  command.data_out_bytes = block.flags.ndob() ? 0 : unit.block_size();
  if (block.flags.ndob()) command.direction = DataDirection::none;
  return true;
}

void execute_write_same(Command& command) {
  const spec::BlockFlags flags = spec::decode_block_command(cdb_of(command)).flags;
  if (!choose_write_same(command, flags)) {
    refuse_amount_of_data(command);
    end_soon(command);
    return;
  }
  if (command.steps.left.value == 0) {
    end_soon(command);
    return;
  }
  command.status = block::Status::ok;
  write_same_next(command);
}

}  // namespace lunar::scsi
