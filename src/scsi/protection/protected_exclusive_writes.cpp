// COMPARE AND WRITE and ORWRITE of blocks with protection information (SBC-4 §5.4, §5.15).
#include <algorithm>

#include "base/crc16.h"
#include "scsi/protection/protected_commands.h"
#include "scsi/protection/protected_transfer.h"

namespace lunar::scsi {
namespace {

using spec::AdditionalSense;
using spec::Sense;

// Some of the command's blocks with their information, in memory of the shard.
struct Part {
  std::uint64_t first;  // index in the command
  block::Range range;
  MutableBytes data;
  ProtectionEntries& entries;

  [[nodiscard]] MutableBytes block(std::uint64_t index, std::size_t bytes) const {
    return data.subspan(static_cast<std::size_t>(index) * bytes, bytes);
  }
};

// Returns whether to continue.
using Use = engine::Task<bool> (*)(Command& command, const ProtectionRules& rules,
                                   const Part& part);

// Reads and checks all blocks of the range, part by part, and calls use() on each part.
engine::Task<bool> read_and_use(Command& command, const ProtectionRules& rules, block::Range range,
                                Use use) {
  const std::size_t block_bytes = command.unit->unit().block_size();
  ProtectionArea& area = *command.unit->protection_area();
  auto taking =
      take_work(on_behalf_of(command), area.work(), bytes_of_step(range.count.value, block_bytes));
  const auto work = co_await taking;
  if (!work) co_return fail_step(command, block::Status::aborted);
  const std::uint64_t step = blocks_of_step(work->bytes().size(), block_bytes);
  for (std::uint64_t done = 0; done < range.count.value;) {
    const std::uint64_t count = std::min(step, range.count.value - done);
    const block::Range blocks{range.lba + BlockCount(done), BlockCount(count)};
    const MutableBytes data = work->bytes().first(static_cast<std::size_t>(count) * block_bytes);
    ProtectionEntries entries(on_behalf_of(command), blocks, work->bytes().subspan(data.size()));
    block::Status status = co_await read_data(command, blocks, data.data(), true);
    if (status == block::Status::ok) status = co_await entries.read();
    if (status != block::Status::ok) co_return fail_step(command, status);
    const Part part{done, blocks, data, entries};
    for (std::uint64_t i = 0; i < count; ++i) {
      const auto failed = rules.check_medium(part.block(i, block_bytes), entries.get(i), done + i);
      if (failed) co_return fail_check(command, *failed, blocks.lba + BlockCount(i));
    }
    auto using_it = use(command, rules, part);
    const bool go_on = co_await using_it;
    if (!go_on) co_return false;
    done += count;
  }
  co_return true;
}

// ---- COMPARE AND WRITE

// Offset of the first different byte in the data-out.
std::optional<std::size_t> first_difference(const BlockForm& form, Bytes given, std::uint64_t index,
                                            Bytes block,
                                            const spec::ProtectionInformation& information) {
  const std::size_t start = static_cast<std::size_t>(index) * form.bytes();
  const Bytes data = form.data(given, index);
  const auto at = std::ranges::mismatch(data, block).in1;
  if (at != data.end()) return start + static_cast<std::size_t>(at - data.begin());
  if (!form.with_protection) return std::nullopt;
  const Bytes theirs = given.subspan(start + form.block_bytes, spec::kProtectionBytes);
  const auto byte = std::ranges::mismatch(theirs, as_bytes(information)).in1;
  if (byte == theirs.end()) return std::nullopt;
  return start + form.block_bytes + static_cast<std::size_t>(byte - theirs.begin());
}

engine::Task<bool> compare_part(Command& command, const ProtectionRules&, const Part& part) {
  const BlockForm form = form_of(command);
  for (std::uint64_t i = 0; i < part.range.count.value; ++i) {
    const auto difference = first_difference(form, command.data_out, part.first + i,
                                             part.block(i, form.block_bytes), part.entries.get(i));
    if (difference) {
      // SBC-4 §5.4: offset of the first difference in the data-out.
      co_return refuse(command, Sense::of(spec::SenseKey::miscompare,
                                          AdditionalSense::miscompare_during_verify_operation)
                                    .with_information(*difference));
    }
  }
  co_return true;
}

engine::Task<void> compare_then_write(Command& command) {
  const block::Range range{command.lba, command.count};
  const block::RequestFlags fua = command.flags;
  const ProtectionRules rules = protection_rules_of(command);
  auto comparing = read_and_use(command, rules, range, compare_part);
  const bool equal = co_await comparing;
  if (!equal) co_return;
  const Bytes second = Bytes(command.data_out).subspan(command.data_out.size() / 2);
  (void)co_await write_blocks(command, rules, range, second, form_of(command), fua);
}

engine::Task<void> compare_and_write(Command& command) {
  const ProtectionRules rules = protection_rules_of(command);
  const Bytes given = command.data_out;
  if (!check_data_out(command, rules, given.first(given.size() / 2), command.count)) co_return;
  if (!check_data_out(command, rules, given.subspan(given.size() / 2), command.count)) co_return;
  co_await protected_alone<compare_then_write>(command);
}

// ---- ORWRITE

// The tags come from the data-out or are generated as for a WRITE. The guard is that of the result.
engine::Task<bool> or_part(Command& command, const ProtectionRules& rules, const Part& part) {
  const BlockForm form = form_of(command);
  for (std::uint64_t i = 0; i < part.range.count.value; ++i) {
    const MutableBytes block = part.block(i, form.block_bytes);
    const Bytes given = form.data(command.data_out, part.first + i);
    for (std::size_t byte = 0; byte < block.size(); ++byte) block[byte] |= given[byte];
    spec::ProtectionInformation made = rules.generate(block, part.range.lba + BlockCount(i));
    if (form.with_protection) {
      made = form.protection(command.data_out, part.first + i);
      made.guard = crc16_t10dif(block);
    }
    part.entries.set(i, made);
  }
  const bool fua = spec::decode_block_command(cdb_of(command)).flags.fua();
  const block::Status written = co_await write_step(command, part.range, part.data.data(),
                                                    part.entries, fua ? block::kFua : 0);
  if (written != block::Status::ok) co_return fail_step(command, written);
  co_return true;
}

engine::Task<void> or_all(Command& command) {
  const block::Range range{command.lba, command.count};
  (void)co_await read_and_use(command, protection_rules_of(command), range, or_part);
}

engine::Task<void> orwrite(Command& command) {
  if (!check_data_out(command, protection_rules_of(command), command.data_out, command.count))
    co_return;
  co_await protected_alone<or_all>(command);
}

}  // namespace

bool decode_protected_compare_and_write(Command& command) {
  return check_protect_field(command) && take_compare_and_write(command, form_of(command).bytes());
}

void execute_protected_compare_and_write(Command& command) {
  if (command.count.value == 0) return end_soon(command);
  run_sequence(command, compare_and_write);
}

void execute_protected_orwrite(Command& command) {
  if (!take_blocks_given(command, form_of(command).bytes())) return end_soon(command);
  run_sequence(command, orwrite);
}

}  // namespace lunar::scsi
