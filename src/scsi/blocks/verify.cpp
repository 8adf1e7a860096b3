// VERIFY and WRITE AND VERIFY (SBC-4 §5.36–5.38, §5.45–5.47): read the medium, or compare it with
// data-out.
#include <algorithm>
#include <array>

#include "block/front.h"
#include "scsi/blocks/block_commands.h"
#include "scsi/blocks/block_range.h"
#include "scsi/blocks/medium_step.h"
#include "scsi/core/completion.h"
#include "scsi/core/logical_unit.h"

namespace lunar::scsi {
namespace {

// Bytes that a step of BYTCHK 00b reads; blocks that a step of BYTCHK 11b compares with the given
// one.
constexpr std::uint64_t kReadStepBytes = kMiB;
constexpr std::size_t kCompareStepBlocks = 64;

[[nodiscard]] std::uint8_t byte_check_of(const Command& command) {
  return spec::decode_block_command(cdb_of(command)).flags.byte_check();
}

// Takes at most `blocks` for the next step. False: all blocks are done.
bool take_step(Command& command, std::uint64_t blocks) {
  if (command.steps.left.value == 0) return false;
  const BlockCount count(std::min(command.steps.left.value, blocks));
  set_blocks(command, {command.steps.lba, count});
  command.steps.lba = command.steps.lba + count;
  command.steps.left = command.steps.left - count;
  return true;
}

// ---- BYTCHK 00b

engine::Task<void> read_lent(Command& command) {
  while (take_step(command, kReadStepBytes >> command.unit->unit().block_shift())) {
    command.op = block::Op::read;
    command.flags = block::kLend;
    const block::Status read = co_await medium_step(command);
    if (read != block::Status::ok) co_return;
  }
}

// Does not use memory that similar commands wait for while they hold data-out.
engine::Task<void> read_all(Command& command) {
  block::Front& front = command.unit->front();
  const unsigned shift = command.unit->unit().block_shift();
  const std::uint64_t wanted = std::min(kReadStepBytes, command.steps.left.value << shift);
  const block::WorkBuffers::Lease work = co_await front.work_buffers().take(wanted);
  std::uint64_t step = work.bytes().size() >> shift;
  // A larger step might need the same memory for its emulation.
  if (const std::uint64_t most = front.limits().max_transfer.value; most != 0)
    step = std::min(step, most);
  while (take_step(command, step)) {
    command.op = block::Op::read;
    command.flags = 0;
    command.set_buffer(work.bytes().data(), bytes_of(command));
    const block::Status read = co_await medium_step(command);
    if (read != block::Status::ok) co_return;
  }
}

// ---- BYTCHK 01b

engine::Task<void> compare_all(Command& command) {
  set_blocks(command, {command.steps.lba, command.steps.left});
  command.op = block::Op::compare;
  command.flags = 0;
  command.set_buffer(command.data_out.data(), bytes_of(command));
  (void)co_await medium_step(command);
}

// ---- BYTCHK 11b: an iovec array repeats the one block.

engine::Task<void> compare_one(Command& command) {
  std::array<iovec, kCompareStepBlocks> pieces;
  pieces.fill({command.data_out.data(), std::size_t{command.unit->unit().block_size()}});
  while (take_step(command, pieces.size())) {
    command.op = block::Op::compare;
    command.flags = 0;
    command.iov = pieces.data();
    command.iov_count = static_cast<std::uint32_t>(command.count.value);
    const block::Status compared = co_await medium_step(command);
    if (compared != block::Status::ok) break;
  }
  // Determine the outcome while the buffers exist: they end with this frame.
  set_outcome(command);
}

// Reads or compares the blocks in command.steps.
engine::Task<void> check_medium(Command& command) {
  const std::uint8_t byte_check = byte_check_of(command);
  if (byte_check == spec::kByteCheckCompareOne) {
    co_await compare_one(command);
    co_return;
  }
  if (byte_check == spec::kByteCheckCompare) {
    co_await compare_all(command);
  } else if (command.unit->front().capabilities().lend) {
    co_await read_lent(command);
  } else {
    co_await read_all(command);
  }
  set_outcome(command);
}

engine::Task<void> verify(Command& command) {
  // SBC-4 §5.36: a volatile cache is flushed first.
  if (command.unit->unit().volatile_cache()) {
    command.op = block::Op::flush;
    command.flags = 0;
    const block::Status flushed = co_await medium_step(command);
    if (flushed != block::Status::ok) {
      set_outcome(command);
      co_return;
    }
  }
  co_await check_medium(command);
}

engine::Task<void> write_and_verify(Command& command) {
  command.op = block::Op::write;
  command.flags = 0;
  command.set_buffer(command.data_out.data(), bytes_of(command));
  const block::Status written = co_await medium_step(command);
  if (written == block::Status::ok) {
    co_await verify(command);
  } else {
    set_outcome(command);
  }
}

bool refuse_byte_check(Command& command) {
  constexpr std::uint8_t kMostSignificantBit = 2;
  return refuse(command, spec::Sense::invalid_field_in_cdb(1, kMostSignificantBit));
}

}  // namespace

bool decode_verify(Command& command) {
  const spec::Cdb cdb = cdb_of(command);
  const spec::BlockCommand block = spec::decode_block_command(cdb);
  const LogicalUnit& unit = command.unit->unit();
  constexpr std::uint8_t kReserved = 2;
  if (block.flags.byte_check() == kReserved) return refuse_byte_check(command);
  if (!check_range(command, block.lba, block.blocks)) return false;
  if (!check_transfer(command, unit, cdb, block.blocks)) return false;
  command.steps.lba = block.lba;
  command.steps.left = block.blocks;
  std::uint64_t data_blocks = 0;
  if (block.flags.byte_check() == spec::kByteCheckCompare) data_blocks = block.blocks.value;
  if (block.flags.byte_check() == spec::kByteCheckCompareOne)
    data_blocks = std::min<std::uint64_t>(block.blocks.value, 1);
  command.data_out_bytes = static_cast<std::uint32_t>(data_blocks << unit.block_shift());
  if (data_blocks == 0) command.direction = DataDirection::none;
  return true;
}

void execute_verify(Command& command) {
  const std::uint8_t byte_check = byte_check_of(command);
  if (byte_check != spec::kByteCheckNone) {
    const auto given = blocks_given(command, command.steps.left, command.unit->unit().block_size());
    if (!given || given->value == 0) return end_soon(command);
    if (byte_check == spec::kByteCheckCompare) command.steps.left = *given;
  }
  if (command.steps.left.value == 0) return end_soon(command);
  run_sequence(command, verify);
}

bool decode_write_and_verify(Command& command) {
  // The usage map has refused the FUA bit. Other values of BYTCHK are reserved.
  if (spec::decode_block_command(cdb_of(command)).flags.byte_check() > spec::kByteCheckCompare)
    return refuse_byte_check(command);
  if (!decode_transfer(command)) return false;
  command.data_out_bytes = static_cast<std::uint32_t>(bytes_of(command));
  return true;
}

void execute_write_and_verify(Command& command) {
  if (!take_blocks_given(command, command.unit->unit().block_size())) return end_soon(command);
  command.steps.lba = command.lba;
  command.steps.left = command.count;
  run_sequence(command, write_and_verify);
}

}  // namespace lunar::scsi
