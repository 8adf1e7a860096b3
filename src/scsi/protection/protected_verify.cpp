// VERIFY and WRITE AND VERIFY of blocks with protection information (SBC-4 §5, tables of
// VRPROTECT).
#include <algorithm>

#include "scsi/blocks/flush.h"
#include "scsi/protection/protected_commands.h"
#include "scsi/protection/protected_transfer.h"

namespace lunar::scsi {
namespace {

using spec::AdditionalSense;
using spec::Sense;

// How a VERIFY checks and compares the medium's blocks.
struct Expectation {
  ProtectionRules rules;  // for both the medium and the data-out
  std::uint8_t protect = 0;
  std::uint8_t byte_check = 0;
  BlockForm form;

  [[nodiscard]] bool compares() const { return byte_check != spec::kByteCheckNone; }
  [[nodiscard]] bool one_for_all() const { return byte_check == spec::kByteCheckCompareOne; }
  // With BYTCHK 01b or 11b, the medium's information is compared. If there is none to compare with,
  // it is checked instead.
  [[nodiscard]] bool checks_medium() const { return !compares() || protect == 0; }
};

[[nodiscard]] Expectation expectation_of(const Command& command) {
  const std::uint8_t byte_check = spec::decode_block_command(cdb_of(command)).flags.byte_check();
  return {protection_rules_of(command), protect_field_of(command), byte_check, form_of(command)};
}

bool miscompare(Command& command, AdditionalSense what, Lba lba) {
  return refuse(command, Sense::of(spec::SenseKey::miscompare, what).with_information(lba.value));
}

// Block `index` of the command, as read from the medium.
bool check_block(Command& command, const Expectation& expected, std::uint64_t index, Bytes block,
                 const spec::ProtectionInformation& information) {
  const Lba lba = command.steps.lba + BlockCount(index);
  if (expected.checks_medium()) {
    if (const auto failed = expected.rules.check_medium(block, information, index))
      return fail_check(command, *failed, lba);
  }
  if (!expected.compares()) return true;
  const std::uint64_t source = expected.one_for_all() ? 0 : index;
  const Bytes given = expected.form.data(command.data_out, source);
  if (!std::ranges::equal(given, block))
    return miscompare(command, AdditionalSense::miscompare_during_verify_operation, lba);
  if (!expected.form.with_protection) return true;
  spec::ProtectionInformation with = expected.form.protection(command.data_out, source);
  if (expected.one_for_all()) with = repeated(expected.rules.type, with, index);
  const auto differs = compare_protection(expected.rules, expected.protect, with, information);
  return !differs || miscompare(command, *differs, lba);
}

// Processes the blocks in command.steps. Inside the command's own exclusive range.
engine::Task<bool> verify_blocks(Command& command) {
  const Expectation expected = expectation_of(command);
  const std::size_t block_bytes = expected.form.block_bytes;
  const std::uint64_t blocks = command.steps.left.value;
  ProtectionArea& area = *command.unit->protection_area();
  auto taking = take_work(on_behalf_of(command), area.work(), bytes_of_step(blocks, block_bytes));
  const auto work = co_await taking;
  if (!work) co_return fail_step(command, block::Status::aborted);
  const std::uint64_t step = blocks_of_step(work->bytes().size(), block_bytes);
  for (std::uint64_t done = 0; done < blocks;) {
    const std::uint64_t count = std::min(step, blocks - done);
    const block::Range part{command.steps.lba + BlockCount(done), BlockCount(count)};
    const Bytes data = work->bytes().first(static_cast<std::size_t>(count) * block_bytes);
    ProtectionEntries entries(on_behalf_of(command), part, work->bytes().subspan(data.size()));
    block::Status status = co_await read_data(command, part, work->bytes().data(), true);
    if (status == block::Status::ok) status = co_await entries.read();
    if (status != block::Status::ok) co_return fail_step(command, status);
    for (std::uint64_t i = 0; i < count; ++i) {
      const Bytes block = data.subspan(static_cast<std::size_t>(i) * block_bytes, block_bytes);
      if (!check_block(command, expected, done + i, block, entries.get(i))) co_return false;
    }
    done += count;
  }
  co_return true;
}

engine::Task<bool> flush_if_cached(Command& command) {
  if (!command.unit->unit().volatile_cache()) co_return true;
  const block::Status flushed = co_await flush_medium(on_behalf_of(command));
  if (flushed != block::Status::ok) co_return fail_step(command, flushed);
  co_return true;
}

engine::Task<void> verify_alone(Command& command) { (void)co_await verify_blocks(command); }

engine::Task<void> verify(Command& command) {
  const Expectation expected = expectation_of(command);
  if (expected.compares()) {
    const BlockCount came = expected.one_for_all() ? BlockCount(1) : command.steps.left;
    if (!check_data_out(command, expected.rules, command.data_out, came)) co_return;
  }
  const bool flushed = co_await flush_if_cached(command);
  if (!flushed) co_return;
  co_await protected_alone<verify_alone>(command);
}

engine::Task<void> write_then_verify(Command& command) {
  const block::Range range{command.lba, command.count};
  const bool written = co_await write_blocks(command, protection_rules_of(command), range,
                                             command.data_out, form_of(command), 0);
  if (!written) co_return;
  const bool flushed = co_await flush_if_cached(command);
  if (!flushed) co_return;
  (void)co_await verify_blocks(command);
}

engine::Task<void> write_and_verify(Command& command) {
  if (!check_data_out(command, protection_rules_of(command), command.data_out, command.count))
    co_return;
  co_await protected_alone<write_then_verify>(command);
}

bool refuse_byte_check(Command& command) {
  constexpr std::uint8_t kMostSignificantBit = 2;
  const bool long_cdb = cdb_of(command).size() == sizeof(spec::BlockCdb32);
  return refuse(command, Sense::invalid_field_in_cdb(long_cdb ? offsetof(spec::BlockCdb32, flags)
                                                              : offsetof(spec::BlockCdb10, flags),
                                                     kMostSignificantBit));
}

}  // namespace

bool decode_protected_verify(Command& command) {
  constexpr std::uint8_t kReserved = 2;
  const std::uint8_t byte_check = spec::decode_block_command(cdb_of(command)).flags.byte_check();
  if (!check_protect_field(command)) return false;
  if (byte_check == kReserved) return refuse_byte_check(command);
  if (!decode_transfer(command)) return false;
  command.steps.lba = command.lba;
  command.steps.left = command.count;
  std::uint64_t transferred = 0;
  if (byte_check == spec::kByteCheckCompare) transferred = command.count.value;
  if (byte_check == spec::kByteCheckCompareOne)
    transferred = std::min<std::uint64_t>(command.count.value, 1);
  command.data_out_bytes = static_cast<std::uint32_t>(transferred * form_of(command).bytes());
  if (transferred == 0) command.direction = DataDirection::none;
  return true;
}

void execute_protected_verify(Command& command) {
  const Expectation expected = expectation_of(command);
  if (expected.compares()) {
    const auto given = blocks_given(command, command.count, expected.form.bytes());
    if (!given || given->value == 0) return end_soon(command);
    if (!expected.one_for_all()) command.steps.left = *given;
  }
  command.count = command.steps.left;
  if (command.count.value == 0) return end_soon(command);
  run_sequence(command, verify);
}

bool decode_protected_write_and_verify(Command& command) {
  if (!check_protect_field(command)) return false;
  // The usage map has refused the FUA bit. Other values of BYTCHK are reserved.
  if (spec::decode_block_command(cdb_of(command)).flags.byte_check() > spec::kByteCheckCompare)
    return refuse_byte_check(command);
  if (!decode_transfer(command)) return false;
  command.data_out_bytes =
      static_cast<std::uint32_t>(command.count.value * form_of(command).bytes());
  return true;
}

void execute_protected_write_and_verify(Command& command) {
  if (!take_blocks_given(command, form_of(command).bytes())) return end_soon(command);
  command.steps.lba = command.lba;
  command.steps.left = command.count;
  run_sequence(command, write_and_verify);
}

}  // namespace lunar::scsi
