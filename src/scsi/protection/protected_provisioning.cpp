// UNMAP and WRITE SAME of blocks with protection information (SBC-4 §5.35, §5.52–5.54), and
// SYNCHRONIZE CACHE, which flushes both.
#include <algorithm>

#include "scsi/blocks/block_commands.h"
#include "scsi/blocks/flush.h"
#include "scsi/protection/protected_commands.h"
#include "scsi/protection/protected_transfer.h"
#include "scsi/spec/cdb_structs.h"
#include "scsi/spec/unmap.h"

namespace lunar::scsi {
namespace {

using spec::AdditionalSense;
using spec::Sense;

// ---- UNMAP

// Clears the information of blocks that are unmapped (SBC-4 §4.7.3.2) or zeroed without
// information. This comes before the data, so that a power loss in between leaves blocks that are
// not checked.
engine::Task<void> clear_blocks(Command& command) {
  const block::Range range{command.lba, command.count};
  const block::RequestFlags may_unmap =
      command.op == block::Op::write_zeroes ? command.flags : block::RequestFlags{0};
  if (is_unwanted(command)) {
    fail_step(command, block::Status::aborted);
    co_return;
  }
  auto clearing = command.unit->protection_area()->clear(on_behalf_of(command), range);
  block::Status status = co_await clearing;
  if (status == block::Status::ok) {
    OwnRequest request(on_behalf_of(command));
    request.prepare(command.op, range.lba, range.count, may_unmap);
    status = co_await request.submit_as_holder_to(command.unit->front());
  }
  if (status != block::Status::ok) fail_step(command, status);
}

engine::Task<void> unmap(Command& command) {
  const auto list = *spec::UnmapParameterList::parse(command.data_out);
  for (std::size_t i = 0; i < list.size(); ++i) {
    const spec::UnmapExtent extent = list[i];
    if (extent.blocks.value == 0) continue;
    command.op = block::Op::unmap;
    command.flags = 0;
    command.iov_count = 0;
    set_blocks(command, {extent.lba, extent.blocks});
    co_await protected_alone<clear_blocks>(command);
    if (command.status_code != spec::Status::good) co_return;
  }
}

// ---- WRITE SAME

// What to write to all blocks, according to the CDB and the data-out.
struct Same {
  bool zeroes = false;       // instead of the data-out
  bool unprotected = false;  // information that disables all checks
  bool unmap = false;
  BlockForm form;
};

[[nodiscard]] Same same_of(const Command& command) {
  const spec::BlockFlags flags = spec::decode_block_command(cdb_of(command)).flags;
  Same same;
  same.form = form_of(command);
  same.unmap = flags.unmap();
  // NDOB: zeroes, and information of all ones.
  const bool no_data = command.data_out.empty();
  same.unprotected = same.unmap || no_data;
  same.zeroes =
      same.unprotected || std::ranges::all_of(same.form.data(command.data_out, 0),
                                              [](std::byte byte) { return byte == std::byte{0}; });
  return same;
}

// One step: a single request for the data; the block layer chooses the fastest way.
engine::Task<block::Status> write_same_data(Command& command, const Same& same,
                                            block::Range range) {
  set_blocks(command, range);
  command.flags = 0;
  command.iov_count = 0;
  command.op = block::Op::write_zeroes;
  if (!same.zeroes) {
    command.op = block::Op::write_same;
    command.set_buffer(command.data_out.data(), same.form.block_bytes);
  }
  co_return co_await medium_step_as_holder(command);
}

// The same information for all blocks, except that reference tags count up.
engine::Task<block::Status> write_same_step(Command& command, const ProtectionRules& rules,
                                            const Same& same, block::Range range,
                                            std::uint64_t index, MutableBytes memory) {
  ProtectionEntries entries(on_behalf_of(command), range, memory);
  const block::Status read = co_await entries.read_neighbours();
  if (read != block::Status::ok) co_return read;
  const Bytes block = same.form.data(command.data_out, 0);
  const spec::ProtectionInformation made = rules.generate(block, range.lba);
  for (std::uint64_t i = 0; i < range.count.value; ++i) {
    if (same.form.with_protection) {
      entries.set(i, repeated(rules.type, same.form.protection(command.data_out, 0), index + i));
    } else {
      const bool counts = rules.type == spec::ProtectionType::type_1;
      entries.set(i, counts ? repeated(rules.type, made, i) : made);
    }
  }
  const block::Status written = co_await write_same_data(command, same, range);
  if (written != block::Status::ok) co_return written;
  co_return co_await entries.write(0);
}

engine::Task<void> write_same_alone(Command& command) {
  const block::Range range{command.lba, command.count};
  const ProtectionRules rules = protection_rules_of(command);
  const Same same = same_of(command);
  if (same.unprotected) {
    command.op = block::Op::write_zeroes;
    command.flags = same.unmap ? block::kMayUnmap : block::RequestFlags{0};
    co_await clear_blocks(command);
    co_return;
  }
  ProtectionArea& area = *command.unit->protection_area();
  auto taking = take_work(on_behalf_of(command), area.work(), bytes_of_step(range.count.value, 0));
  const auto work = co_await taking;
  if (!work) {
    fail_step(command, block::Status::aborted);
    co_return;
  }
  const std::uint64_t step = blocks_of_step(work->bytes().size(), 0);
  for (std::uint64_t done = 0; done < range.count.value;) {
    const std::uint64_t count = std::min(step, range.count.value - done);
    const block::Range part{range.lba + BlockCount(done), BlockCount(count)};
    const block::Status status =
        co_await write_same_step(command, rules, same, part, done, work->bytes());
    if (status != block::Status::ok) {
      fail_step(command, status);
      co_return;
    }
    done += count;
  }
}

engine::Task<void> write_same(Command& command) {
  const bool has_data = !command.data_out.empty();
  if (has_data &&
      !check_data_out(command, protection_rules_of(command), command.data_out, BlockCount(1))) {
    co_return;
  }
  co_await protected_alone<write_same_alone>(command);
}

// The data-out must be one block, or none where that is allowed.
[[nodiscard]] bool has_right_data(const Command& command) {
  const bool ndob = command.data_out_bytes == 0;
  const spec::BlockFlags flags = spec::decode_block_command(cdb_of(command)).flags;
  const std::size_t wanted = form_of(command).bytes();
  if (ndob) return true;
  // More than one block is as wrong as less. Some initiators send UNMAP without data and mean
  // zeroes.
  if (command.expected_out_bytes == 0) return flags.unmap();
  return command.data_out.size() == wanted && command.expected_out_bytes == wanted;
}

// ---- SYNCHRONIZE CACHE

engine::Task<void> synchronize(Command& command) {
  command.status = co_await flush_medium(on_behalf_of(command));
  set_outcome(command);
}

}  // namespace

void execute_protected_unmap(Command& command) {
  if (!check_unmap_list(command)) return end_soon(command);
  run_sequence(command, unmap);
}

bool decode_protected_write_same(Command& command) {
  if (!check_protect_field(command) || !decode_write_same(command)) return false;
  if (command.data_out_bytes != 0)
    command.data_out_bytes = static_cast<std::uint32_t>(form_of(command).bytes());
  command.lba = command.steps.lba;
  command.count = command.steps.left;
  return true;
}

void execute_protected_write_same(Command& command) {
  if (!has_right_data(command)) {
    refuse_amount_of_data(command);
    return end_soon(command);
  }
  if (command.count.value == 0) return end_soon(command);
  run_sequence(command, write_same);
}

void execute_protected_synchronize_cache(Command& command) {
  if (spec::decode_block_command(cdb_of(command)).flags.immed()) {
    // This flushes both.
    return execute_synchronize_cache(command);
  }
  run_sequence(command, synchronize);
}

}  // namespace lunar::scsi
