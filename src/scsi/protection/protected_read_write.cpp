// READ and WRITE of blocks with protection information (SBC-4 §5, tables of RDPROTECT and
// WRPROTECT).
#include <algorithm>

#include "scsi/blocks/flush.h"
#include "scsi/protection/protected_commands.h"
#include "scsi/protection/protected_transfer.h"

namespace lunar::scsi {
namespace {

// ---- READ

// Where the data of a READ are read to, and where they must go.
struct ReadBuffer {
  BlockForm form;
  MutableBytes out;   // the data-in
  MutableBytes data;  // user data, placed so that no block is overwritten before it is used

  [[nodiscard]] Bytes block(std::uint64_t index) const {
    return Bytes(data).subspan(static_cast<std::size_t>(index) * form.block_bytes,
                               form.block_bytes);
  }
  // Moves the block to its place in the data-in.
  void place(std::uint64_t index, const spec::ProtectionInformation& information) const {
    if (!form.with_protection) return;
    std::byte* to = out.data() + static_cast<std::size_t>(index) * form.bytes();
    const Bytes from = block(index);
    std::memmove(to, from.data(), from.size());
    std::memcpy(to + from.size(), &information, sizeof(information));
  }
};

// Some blocks of the READ, starting at its block `first`.
struct ReadStep {
  std::uint64_t first;
  block::Range range;
};

// Finds the first block whose information does not match it.
std::optional<std::pair<std::uint64_t, spec::AdditionalSense>> first_failure(
    const ProtectionRules& rules, const ReadBuffer& buffer, const ReadStep& step,
    const ProtectionEntries& entries) {
  for (std::uint64_t i = 0; i < step.range.count.value; ++i) {
    const auto failed =
        rules.check_medium(buffer.block(step.first + i), entries.get(i), step.first + i);
    if (failed) return std::pair(i, *failed);
  }
  return std::nullopt;
}

void place_all(const ReadBuffer& buffer, const ReadStep& step, const ProtectionEntries& entries) {
  for (std::uint64_t i = 0; i < step.range.count.value; ++i)
    buffer.place(step.first + i, entries.get(i));
}

// Reads one step while nobody writes, and reports what is wrong.
engine::Task<bool> read_alone(Command& command, const ProtectionRules& rules,
                              const ReadBuffer& buffer, const ReadStep& step) {
  ProtectionArea& area = *command.unit->protection_area();
  const BlockCount capacity(command.unit->state().capacity_blocks);
  auto taking = ExclusiveRange::take(command, protected_range(step.range, capacity),
                                     block::Exclusion::writes);
  std::optional<ExclusiveRange> taken = co_await taking;
  if (!taken) co_return fail_step(command, block::Status::aborted);
  bool good = true;
  {
    auto waiting =
        take_work(on_behalf_of(command), area.work(), bytes_of_step(step.range.count.value, 0));
    const auto work = co_await waiting;
    if (!work) good = fail_step(command, block::Status::aborted);
    // The pool may have less now than before.
    const std::uint64_t most = work ? blocks_of_step(work->bytes().size(), 0) : 0;
    for (std::uint64_t done = 0; good && done < step.range.count.value;) {
      const BlockCount count(std::min(most, step.range.count.value - done));
      const ReadStep part{step.first + done, {step.range.lba + BlockCount(done), count}};
      ProtectionEntries entries(on_behalf_of(command), part.range, work->bytes());
      std::byte* to =
          buffer.data.data() + static_cast<std::size_t>(part.first) * buffer.form.block_bytes;
      block::Status status = co_await read_data(command, part.range, to, true);
      if (status == block::Status::ok) status = co_await entries.read();
      if (status != block::Status::ok) {
        good = fail_step(command, status);
        break;
      }
      if (const auto failure = first_failure(rules, buffer, part, entries)) {
        good = fail_check(command, failure->second, part.range.lba + BlockCount(failure->first));
        break;
      }
      place_all(buffer, part, entries);
      done += count.value;
    }
  }
  co_await taken->give_back();
  co_return good;
}

engine::Task<bool> read_steps(Command& command, const ProtectionRules& rules, block::Range range,
                              const ReadBuffer& buffer) {
  ProtectionArea& area = *command.unit->protection_area();
  // A wrong guard may come from a concurrent write. The initiator must not see such a state,
  // whatever checks it has requested.
  ProtectionRules suspicion = rules;
  suspicion.checks.guard = true;
  for (std::uint64_t done = 0; done < range.count.value;) {
    ReadStep step{done, {}};
    bool suspicious = false;
    {
      auto taking =
          take_work(on_behalf_of(command), area.work(), bytes_of_step(range.count.value - done, 0));
      const auto work = co_await taking;
      if (!work) co_return fail_step(command, block::Status::aborted);
      const std::uint64_t count =
          std::min(blocks_of_step(work->bytes().size(), 0), range.count.value - done);
      step.range = {range.lba + BlockCount(done), BlockCount(count)};
      ProtectionEntries entries(on_behalf_of(command), step.range, work->bytes());
      std::byte* to = buffer.data.data() + static_cast<std::size_t>(done) * buffer.form.block_bytes;
      block::Status status = co_await read_data(command, step.range, to, false);
      if (status == block::Status::ok) status = co_await entries.read();
      if (status != block::Status::ok) co_return fail_step(command, status);
      suspicious = first_failure(suspicion, buffer, step, entries).has_value();
      if (!suspicious) place_all(buffer, step, entries);
    }
    // Without memory: other commands may need it before they can release the blocks.
    if (suspicious) {
      const bool good = co_await read_alone(command, rules, buffer, step);
      if (!good) co_return false;
    }
    done += step.range.count.value;
  }
  co_return true;
}

engine::Task<void> read(Command& command) {
  const block::Range range{command.lba, command.count};
  const ProtectionRules rules = protection_rules_of(command);
  // SBC-4 §5.15, FUA: a volatile cache is flushed first.
  if ((command.flags & block::kFua) != 0 && command.unit->unit().volatile_cache()) {
    const block::Status flushed = co_await flush_medium(on_behalf_of(command));
    if (flushed != block::Status::ok) {
      fail_step(command, flushed);
      co_return;
    }
  }
  const BlockForm form = form_of(command);
  const auto blocks = static_cast<std::size_t>(range.count.value);
  // The data are read to the end of the buffer, after room for all information. Moving the blocks
  // in order to their final places then never overwrites one that is still to be moved.
  const std::size_t ahead =
      form.with_protection ? round_up(blocks * spec::kProtectionBytes, engine::kMinBufferBytes) : 0;
  auto taking = take_buffer(on_behalf_of(command), ahead + blocks * form.block_bytes);
  std::optional<engine::Buffer> buffer = co_await taking;
  if (!buffer) {
    fail_step(command, block::Status::aborted);
    co_return;
  }
  command.buffer = std::move(*buffer);
  const ReadBuffer parts{form, command.buffer.bytes().first(blocks * form.bytes()),
                         command.buffer.bytes().subspan(ahead, blocks * form.block_bytes)};
  const bool good = co_await read_steps(command, rules, range, parts);
  if (!good) co_return;
  command.data_in = parts.out;
}

// ---- WRITE

engine::Task<void> write(Command& command) {
  const block::Range range{command.lba, command.count};
  const block::RequestFlags fua = command.flags;
  const ProtectionRules rules = protection_rules_of(command);
  (void)co_await write_blocks(command, rules, range, command.data_out, form_of(command), fua);
}

engine::Task<void> check_and_write(Command& command) {
  // Check before the first block is written.
  if (!check_data_out(command, protection_rules_of(command), command.data_out, command.count))
    co_return;
  co_await protected_alone<write>(command);
}

}  // namespace

bool decode_protected_read(Command& command) {
  return check_protect_field(command) && decode_transfer(command);
}

void execute_protected_read(Command& command) {
  if (command.count.value == 0) return end_soon(command);
  run_sequence(command, read);
}

bool decode_protected_write(Command& command) {
  if (!check_protect_field(command) || !decode_transfer(command)) return false;
  command.data_out_bytes =
      static_cast<std::uint32_t>(command.count.value * form_of(command).bytes());
  return true;
}

void execute_protected_write(Command& command) {
  if (!take_blocks_given(command, form_of(command).bytes())) return end_soon(command);
  run_sequence(command, check_and_write);
}

}  // namespace lunar::scsi
