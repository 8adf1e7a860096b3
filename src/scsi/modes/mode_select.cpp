// MODE SELECT (SPC-5 §6.12, §6.13).
#include <cstring>

#include "scsi/blocks/flush.h"
#include "scsi/core/command_description.h"
#include "scsi/core/completion.h"
#include "scsi/core/logical_unit.h"
#include "scsi/modes/mode_commands.h"
#include "scsi/modes/mode_list.h"
#include "scsi/modes/mode_pages.h"
#include "scsi/modes/mode_store.h"
#include "scsi/paths/access_commands.h"
#include "scsi/spec/cdb_structs.h"

namespace lunar::scsi {
namespace {

using spec::ModeSelect10Cdb;
using spec::ModeSelect6Cdb;
using spec::Sense;

// Byte 1 is the same in MODE SELECT (6) and (10).
constexpr std::uint16_t kFlagsByte = 1;
constexpr std::uint8_t kPfBit = 4;
constexpr std::uint8_t kSpBit = 0;

template <class Cdb>
bool decode(Command& command) {
  const auto cdb = cdb_of(command).as<Cdb>();
  const std::uint32_t length = cdb.parameter_list_length;
  const bool pages_by_standard = (cdb.flags & ModeSelect6Cdb::kPf) != 0;
  if (!pages_by_standard && length != 0)
    return refuse(command, Sense::invalid_field_in_cdb(kFlagsByte, kPfBit));
  const bool save = (cdb.flags & ModeSelect6Cdb::kSp) != 0;
  if (save && command.unit->unit().options().store == nullptr)
    return refuse(command, Sense::invalid_field_in_cdb(kFlagsByte, kSpBit));
  command.data_out_bytes = length;
  if (length == 0) command.direction = DataDirection::none;
  return true;
}

class ModeChange final : public UnitChange {
 public:
  explicit ModeChange(const Command& command) : command_(command) {}

  engine::Task<bool> decide(UnitState& next) override {
    const LogicalUnit& unit = command_.unit->unit();
    tell_self_test_time(next.mode, next.capacity_blocks << unit.block_shift());
    const ModeParameters before = next.mode;
    if (command_.data_out_bytes != 0) {
      const bool ten = command_.description->opcode == spec::Opcode::mode_select_10;
      const auto form = ten ? ModeListForm::ten_bytes : ModeListForm::six_bytes;
      const ModeListContext context{next.capacity_blocks, unit.block_size(),
                                    changeable_mode_parameters(unit)};
      fault_ = apply_mode_list(command_.data_out, form, context, next.mode);
      if (fault_) co_return false;
    }
    changed_ = std::memcmp(&before, &next.mode, sizeof(before)) != 0;
    const bool cached_before = before.write_cache_enabled() && !before.software_write_protect();
    const bool cached_now = next.mode.write_cache_enabled() && !next.mode.software_write_protect();
    wants_flush_ = cached_before && !cached_now;
    other_priority_ = before.initial_command_priority() != next.mode.initial_command_priority();
    exception_ = told_by_attention(next.mode);
    if ((command_.cdb[kFlagsByte] & ModeSelect6Cdb::kSp) == 0) co_return changed_;
    // SPC-5 §6.12: SP saves every savable page, whether it was sent or not.
    const Result<void> saved = co_await save_mode_parameters(unit, next.mode);
    if (!saved) {
      fault_ =
          Sense::of(spec::SenseKey::hardware_error, spec::AdditionalSense::internal_target_failure);
      co_return false;
    }
    next.saved_mode = next.mode;
    co_return true;
  }

  void apply(LogicalUnitShard& part) override {
    if (changed_) part.raise(spec::AdditionalSense::mode_parameters_changed, command_.nexus);
    if (other_priority_) tell_new_initial_priority(part);
    if (exception_) part.raise(*exception_);
  }

  [[nodiscard]] const std::optional<Sense>& fault() const { return fault_; }
  [[nodiscard]] bool wants_flush() const { return wants_flush_; }

 private:
  static std::optional<spec::AdditionalSense> told_by_attention(const ModeParameters& mode) {
    if (mode.method_of_reporting() != spec::MethodOfReporting::unit_attention) return std::nullopt;
    return mode.informational_exception();
  }

  const Command& command_;
  std::optional<Sense> fault_;
  bool changed_ = false;
  bool wants_flush_ = false;
  bool other_priority_ = false;  // the initial priority has changed
  std::optional<spec::AdditionalSense> exception_;
};

engine::Task<void> select(Command& command) {
  LogicalUnit& unit = command.unit->unit();
  ModeChange change(command);
  (void)co_await unit.change(change);
  if (change.fault()) {
    set_check_condition(command, *change.fault());
    co_return;
  }
  if (!change.wants_flush()) co_return;
  // Flushes a cache before writes become durable at once (WCE, SBC-4 §6.5.5) or are forbidden (SWP,
  // SPC-5 §7.5.11).
  command.status = co_await flush_medium(on_behalf_of(command));
  set_outcome(command);
}

}  // namespace

bool decode_mode_select_6(Command& command) { return decode<ModeSelect6Cdb>(command); }
bool decode_mode_select_10(Command& command) { return decode<ModeSelect10Cdb>(command); }

void execute_mode_select(Command& command) {
  if (command.data_out.size() != command.data_out_bytes) {
    set_check_condition(command,
                        Sense::illegal_request(spec::AdditionalSense::parameter_list_length_error));
    end_soon(command);
    return;
  }
  run_sequence(command, select);
}

}  // namespace lunar::scsi
