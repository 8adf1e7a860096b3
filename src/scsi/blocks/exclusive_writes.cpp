// Commands that run as one step, which no other write to the logical unit interleaves with, on any
// shard: COMPARE AND WRITE (SBC-4 §5.4), ORWRITE (SBC-4 §5.15), WRITE ATOMIC (SBC-4 §5.48).
#include <algorithm>

#include "block/disk.h"
#include "block/front.h"
#include "scsi/blocks/block_commands.h"
#include "scsi/blocks/block_range.h"
#include "scsi/blocks/exclusive_range.h"
#include "scsi/blocks/medium_step.h"
#include "scsi/core/completion.h"
#include "scsi/core/logical_unit.h"
#include "scsi/core/memory.h"

namespace lunar::scsi {
namespace {

using spec::AdditionalSense;
using spec::Sense;

// Runs `steps` while the command holds its blocks exclusively.
template <engine::Task<void> (*steps)(Command&), block::Exclusion exclusion>
engine::Task<void> alone(Command& command) {
  return run_alone(command, {command.lba, command.count}, exclusion, steps);
}

// ---- COMPARE AND WRITE

engine::Task<void> compare_and_write(Command& command) {
  const std::size_t bytes = bytes_of(command);
  const block::RequestFlags fua = command.flags;
  command.op = block::Op::compare;
  command.flags = 0;
  command.set_buffer(command.data_out.data(), bytes);
  const block::Status compared = co_await medium_step_as_holder(command);
  if (compared == block::Status::miscompare) {
    // SBC-4 §5.4: offset of the first difference in the data-out.
    set_check_condition(command, Sense::of(spec::SenseKey::miscompare,
                                           AdditionalSense::miscompare_during_verify_operation)
                                     .with_information(command.miscompare_offset));
    co_return;
  }
  if (compared == block::Status::ok) {
    command.op = block::Op::write;
    command.flags = fua;
    command.set_buffer(command.data_out.data() + bytes, bytes);
    (void)co_await medium_step_as_holder(command);
  }
  set_outcome(command);
}

// ---- ORWRITE

// ORs the medium's bits into the data-out.
engine::Task<block::Status> or_medium_into(Command& command, block::Range range) {
  const LogicalUnit& unit = command.unit->unit();
  const unsigned shift = unit.block_shift();
  const std::uint64_t wanted = std::min(range.count.value << shift, block::kMaxStepBytes);
  auto taking = take_work(on_behalf_of(command), command.unit->front().work_buffers(), wanted);
  const auto work = co_await taking;
  if (!work) co_return command.status = block::Status::aborted;
  const std::uint64_t max_transfer = unit.limits().max_transfer.value;
  std::uint64_t step = work->bytes().size() >> shift;
  // A larger step might need the same memory for its emulation.
  if (max_transfer != 0) step = std::min(step, max_transfer);
  std::byte* out = command.data_out.data();
  while (range.count.value != 0) {
    const BlockCount count(std::min(range.count.value, step));
    const std::size_t bytes = static_cast<std::size_t>(count.value) << shift;
    set_blocks(command, {range.lba, count});
    command.set_buffer(work->bytes().data(), bytes);
    const block::Status status = co_await medium_step_as_holder(command);
    if (status != block::Status::ok) co_return status;
    for (std::size_t i = 0; i < bytes; ++i) out[i] |= work->bytes()[i];
    out += bytes;
    range = {range.lba + count, range.count - count};
  }
  co_return block::Status::ok;
}

engine::Task<void> orwrite(Command& command) {
  const block::Range range{command.lba, command.count};
  const block::RequestFlags fua = command.flags;
  command.op = block::Op::read;
  command.flags = 0;
  if (co_await or_medium_into(command, range) == block::Status::ok) {
    command.op = block::Op::write;
    command.flags = fua;
    set_blocks(command, range);
    command.set_buffer(command.data_out.data(), bytes_of(command));
    (void)co_await medium_step_as_holder(command);
  }
  set_outcome(command);
}

// ---- WRITE ATOMIC

// Preserves blocks that are lent to reads (of any nexus) and not sent yet: they are sent as they
// were.
engine::Task<block::Status> keep_lent_data(Command& command) {
  if (!command.unit->front().capabilities().lend) co_return block::Status::ok;
  // A read that borrows the memory shows which memory it is.
  command.op = block::Op::read;
  command.flags = block::kLend;
  const block::Status status = co_await medium_step_as_holder(command);
  if (status == block::Status::ok)
    co_await command.unit->unit().disk().keep_lent_data(command.buffers());
  co_return status;
}

// A single write, which the medium performs completely or not at all (LogicalUnit::atomic_limits).
engine::Task<void> write_atomic(Command& command) {
  const block::RequestFlags fua = command.flags;
  if (co_await keep_lent_data(command) == block::Status::ok) {
    command.op = block::Op::write;
    command.flags = fua;
    command.set_buffer(command.data_out.data(), bytes_of(command));
    (void)co_await medium_step_as_holder(command);
  }
  set_outcome(command);
}

}  // namespace

bool decode_compare_and_write(Command& command) {
  return take_compare_and_write(command, command.unit->unit().block_size());
}

void execute_compare_and_write(Command& command) {
  if (command.count.value == 0) return end_soon(command);
  run_sequence(command, alone<compare_and_write, block::Exclusion::writes>);
}

bool decode_write_atomic(Command& command) {
  const auto cdb = cdb_of(command).as<spec::WriteAtomic16Cdb>();
  const Lba lba(cdb.logical_block_address);
  const BlockCount blocks(cdb.transfer_length_blocks);
  // The usage map ensures that ATOMIC BOUNDARY is zero, like MAXIMUM ATOMIC BOUNDARY SIZE.
  const auto [max_blocks, unit_blocks] = command.unit->unit().atomic_limits();
  if (!check_range(command, lba, blocks)) return false;
  if (blocks.value > max_blocks || blocks.value % unit_blocks != 0) {
    return refuse(command, Sense::invalid_field_in_cdb(
                               offsetof(spec::WriteAtomic16Cdb, transfer_length_blocks)));
  }
  if (lba.value % unit_blocks != 0) {
    return refuse(command, Sense::invalid_field_in_cdb(
                               offsetof(spec::WriteAtomic16Cdb, logical_block_address)));
  }
  command.lba = lba;
  command.count = blocks;
  command.flags = spec::BlockFlags{cdb.flags}.fua() ? block::kFua : block::RequestFlags{0};
  command.data_out_bytes = static_cast<std::uint32_t>(bytes_of(command));
  return true;
}

void execute_write_atomic(Command& command) {
  if (command.data_out.size() != command.data_out_bytes) {
    refuse_amount_of_data(command);  // all or nothing
    return end_soon(command);
  }
  if (command.count.value == 0) return end_soon(command);
  // Reads wait as well, because they must see all of it or nothing.
  run_sequence(command, alone<write_atomic, block::Exclusion::all>);
}

bool decode_orwrite(Command& command) {
  if (!decode_transfer(command)) return false;
  command.data_out_bytes = static_cast<std::uint32_t>(bytes_of(command));
  return true;
}

void execute_orwrite(Command& command) {
  if (!take_blocks_given(command, command.unit->unit().block_size())) return end_soon(command);
  run_sequence(command, alone<orwrite, block::Exclusion::writes>);
}

}  // namespace lunar::scsi
