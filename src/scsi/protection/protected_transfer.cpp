#include "scsi/protection/protected_transfer.h"

#include <algorithm>

#include "scsi/core/command_description.h"

namespace lunar::scsi {

using spec::AdditionalSense;
using spec::Sense;

bool check_protect_field(Command& command) {
  constexpr std::uint8_t kMostSignificantBit = 7;
  const std::uint8_t protect = protect_field_of(command);
  if (protect <= spec::kMaxProtectField) return true;
  const bool long_cdb = command.description->opcode == spec::Opcode::variable_length_cdb;
  const auto flags = static_cast<std::uint16_t>(long_cdb ? offsetof(spec::BlockCdb32, flags)
                                                         : offsetof(spec::BlockCdb10, flags));
  return refuse(command, Sense::invalid_field_in_cdb(flags, kMostSignificantBit));
}

BlockForm form_of(const Command& command) {
  return {command.unit->unit().block_size(), protect_field_of(command) != 0};
}

bool fail_step(Command& command, block::Status status) {
  command.status = status;
  set_outcome(command);
  return false;
}

bool fail_check(Command& command, AdditionalSense check, Lba lba) {
  return refuse(command,
                Sense::of(spec::SenseKey::aborted_command, check).with_information(lba.value));
}

bool check_data_out(Command& command, const ProtectionRules& rules, Bytes buffer,
                    BlockCount blocks) {
  const BlockForm form = form_of(command);
  if (!form.with_protection) return true;
  for (std::uint64_t i = 0; i < blocks.value; ++i) {
    const auto failed = rules.check(form.data(buffer, i), form.protection(buffer, i), i);
    if (failed) return fail_check(command, *failed, command.lba + BlockCount(i));
  }
  return true;
}

engine::Task<block::Status> read_data(Command& command, block::Range range, std::byte* to,
                                      bool alone) {
  command.op = block::Op::read;
  command.flags = 0;
  set_blocks(command, range);
  command.set_buffer(to, bytes_of(command));
  if (alone) co_return co_await medium_step_as_holder(command);
  co_return co_await medium_step(command);
}

engine::Task<block::Status> write_step(Command& command, block::Range range, const std::byte* data,
                                       ProtectionEntries& entries, block::RequestFlags flags) {
  command.op = block::Op::write;
  command.flags = flags;
  set_blocks(command, range);
  command.set_buffer(const_cast<std::byte*>(data), bytes_of(command));
  const block::Status written = co_await medium_step_as_holder(command);
  if (written != block::Status::ok) co_return written;
  // Also for a command that was aborted meanwhile: its data are on the medium.
  co_return co_await entries.write(flags);
}

engine::Task<bool> write_blocks(Command& command, const ProtectionRules& rules, block::Range range,
                                Bytes from, BlockForm form, block::RequestFlags flags) {
  ProtectionArea& area = *command.unit->protection_area();
  // Gathers user data that come interleaved with protection information.
  const std::size_t data_bytes = form.with_protection ? form.block_bytes : 0;
  auto taking =
      take_work(on_behalf_of(command), area.work(), bytes_of_step(range.count.value, data_bytes));
  const auto work = co_await taking;
  if (!work) co_return fail_step(command, block::Status::aborted);
  const std::uint64_t step = blocks_of_step(work->bytes().size(), data_bytes);
  for (std::uint64_t done = 0; done < range.count.value;) {
    const std::uint64_t count = std::min(step, range.count.value - done);
    const block::Range part{range.lba + BlockCount(done), BlockCount(count)};
    const auto gathered = static_cast<std::size_t>(count) * data_bytes;
    ProtectionEntries entries(on_behalf_of(command), part, work->bytes().subspan(gathered));
    const block::Status read = co_await entries.read_neighbours();
    if (read != block::Status::ok) co_return fail_step(command, read);
    for (std::uint64_t i = 0; i < count; ++i) {
      const Bytes block = form.data(from, done + i);
      if (form.with_protection) {
        entries.set(i, form.protection(from, done + i));
        std::memcpy(work->bytes().data() + i * data_bytes, block.data(), block.size());
      } else {
        entries.set(i, rules.generate(block, part.lba + BlockCount(i)));
      }
    }
    const std::byte* data =
        form.with_protection ? work->bytes().data() : form.data(from, done).data();
    const block::Status written = co_await write_step(command, part, data, entries, flags);
    if (written != block::Status::ok) co_return fail_step(command, written);
    done += count;
  }
  co_return true;
}

}  // namespace lunar::scsi
