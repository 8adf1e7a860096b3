// VERIFY (SBC-4 §5.36–5.38): reads the medium, or compares it with data-out.
#include <algorithm>

#include "block/front.h"
#include "scsi/block_range.h"
#include "scsi/commands.h"
#include "scsi/completion.h"
#include "scsi/logical_unit.h"

namespace lunar::scsi {
namespace {

// A step of BYTCHK 00b reads this much, one of BYTCHK 11b compares this many blocks with the one
// given.
constexpr std::uint64_t kReadStepBytes = kMiB;
constexpr std::uint64_t kCompareStepBlocks = 256;
static_assert(kCompareStepBlocks * sizeof(iovec) == engine::kMinBufferBytes);

[[nodiscard]] std::uint8_t byte_check_of(const Command& command) {
  return spec::BlockFlags{command.cdb[1]}.byte_check();
}

// Takes the next step's blocks, at most `blocks`; false when all is done or nothing is wanted any
// more, and then the command has ended.
bool take_step(Command& command, std::uint64_t blocks) noexcept {
  if (command.status != block::Status::ok || command.aborted || command.steps.left.value == 0) {
    set_outcome(command);
    end_now(command);
    return false;
  }
  command.lba = command.steps.lba;
  command.count = BlockCount(std::min(command.steps.left.value, blocks));
  command.steps.lba = command.steps.lba + command.count;
  command.steps.left = command.steps.left - command.count;
  return true;
}

// ---- BYTCHK 00b

void read_next(block::Request& request) noexcept {
  Command& command = command_of(request);
  const unsigned shift = command.unit->unit().block_shift();
  if (!take_step(command, kReadStepBytes >> shift)) return;
  command.op = block::Op::read;
  if (command.unit->front().capabilities().lend) {
    command.flags = block::kLend;
  } else {
    command.flags = 0;
    command.set_buffer(command.scratch.data(), static_cast<std::size_t>(command.count.value)
                                                   << shift);
  }
  submit(command, read_next);
}

void verify_medium(Command& command) noexcept {
  if (command.unit->front().capabilities().lend) return read_next(command);
  const unsigned shift = command.unit->unit().block_shift();
  with_scratch(command, std::min(kReadStepBytes, command.steps.left.value << shift),
               [](Command& self) noexcept { read_next(self); });
}

// ---- BYTCHK 01b

void compare_all(Command& command) noexcept {
  command.op = block::Op::compare;
  command.flags = 0;
  command.lba = command.steps.lba;
  command.count = command.steps.left;
  command.set_buffer(command.data_out.data(), static_cast<std::size_t>(command.count.value)
                                                  << command.unit->unit().block_shift());
  submit(command, medium_done);
}

// ---- BYTCHK 11b: an iovec array in `scratch` names the one block again and again.

void compare_next(block::Request& request) noexcept {
  Command& command = command_of(request);
  if (!take_step(command, kCompareStepBlocks)) return;
  command.op = block::Op::compare;
  command.flags = 0;
  command.iov = reinterpret_cast<iovec*>(command.scratch.data());
  command.iov_count = static_cast<std::uint32_t>(command.count.value);
  submit(command, compare_next);
}

void compare_one(Command& command) noexcept {
  with_scratch(command, kCompareStepBlocks * sizeof(iovec), [](Command& self) noexcept {
    auto* pieces = reinterpret_cast<iovec*>(self.scratch.data());
    std::fill_n(pieces, kCompareStepBlocks,
                iovec{self.data_out.data(), std::size_t{self.unit->unit().block_size()}});
    compare_next(self);
  });
}

void verify(Command& command) noexcept {
  command.status = block::Status::ok;
  const std::uint8_t byte_check = byte_check_of(command);
  if (byte_check == spec::kByteCheckCompare) return compare_all(command);
  if (byte_check == spec::kByteCheckCompareOne) return compare_one(command);
  verify_medium(command);
}

}  // namespace

bool decode_verify(Command& command) {
  const spec::Cdb cdb = cdb_of(command);
  const spec::BlockCommand block = spec::decode_block_command(cdb);
  const LogicalUnit& unit = command.unit->unit();
  constexpr std::uint8_t kReserved = 2;
  if (block.flags.byte_check() == kReserved)
    return refuse(command, spec::Sense::invalid_field_in_cdb(1, 2));
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
  const LogicalUnit& unit = command.unit->unit();
  const std::uint64_t given = command.data_out.size() >> unit.block_shift();
  const std::uint8_t byte_check = byte_check_of(command);
  // Fewer data than the CDB tells: what is there whole is compared.
  if (byte_check == spec::kByteCheckCompare) {
    command.steps.left = BlockCount(std::min(command.steps.left.value, given));
  }
  if (byte_check == spec::kByteCheckCompareOne && given == 0) command.steps.left = BlockCount(0);
  if (command.steps.left.value == 0) {
    end_soon(command);
    return;
  }
  // SBC-4 §5.36: what a volatile cache holds is written first.
  if (unit.volatile_cache()) {
    command.op = block::Op::flush;
    command.flags = 0;
    submit(command, [](block::Request& request) noexcept {
      Command& self = command_of(request);
      if (self.status == block::Status::ok && !self.aborted) return verify(self);
      medium_done(request);
    });
    return;
  }
  verify(command);
}

}  // namespace lunar::scsi
