// SANITIZE (SBC-4 §5.24).
#include "base/bytes.h"
#include "scsi/core/completion.h"
#include "scsi/core/logical_unit.h"
#include "scsi/medium/condition_commands.h"
#include "scsi/medium/run_medium_operation.h"
#include "scsi/spec/format.h"

namespace lunar::scsi {
namespace {

using spec::AdditionalSense;
using spec::SanitizeCdb;
using spec::SanitizeOverwriteHeader;
using spec::Sense;

constexpr std::uint16_t kTestField = 0;
constexpr std::uint16_t kPatternLengthField = 2;

engine::Task<void> sanitize(Command& command, MediumOperationPlan plan) {
  const auto cdb = cdb_of(command).as<SanitizeCdb>();
  plan.kind = MediumOperation::sanitize;
  plan.unrestricted_exit = cdb.ause();
  const auto progress = co_await run_medium_operation(command, std::move(plan));
  if (progress != nullptr && !cdb.immed()) co_await await_medium_operation(command, progress);
}

// Makes a plan from the parameter list, or refuses it.
bool read_overwrite(Command& command, MediumOperationPlan& plan) {
  ByteReader list(command.data_out);
  const auto header = list.read<SanitizeOverwriteHeader>();
  if (!header || command.data_out.size() != command.data_out_bytes)
    return refuse(command, Sense::illegal_request(AdditionalSense::parameter_list_length_error));
  if ((header->flags & header->kTestMask) != 0)
    return refuse(command, Sense::invalid_field_in_parameter_list(kTestField, 6));
  plan.passes = header->flags & header->kCountMask;
  if (plan.passes == 0)
    return refuse(command, Sense::invalid_field_in_parameter_list(kTestField, 4));
  plan.invert = (header->flags & header->kInvert) != 0;
  const std::size_t length = header->pattern_length_bytes;
  if (length == 0 || length > command.unit->unit().block_size() || length != list.remaining())
    return refuse(command, Sense::invalid_field_in_parameter_list(kPatternLengthField));
  plan.pattern.assign(list.rest().begin(), list.rest().end());
  return true;
}

engine::Task<void> overwrite(Command& command) {
  MediumOperationPlan plan;
  if (!read_overwrite(command, plan)) co_return;
  co_await sanitize(command, std::move(plan));
}

engine::Task<void> block_erase(Command& command) {
  MediumOperationPlan plan;
  co_await sanitize(command, std::move(plan));
}

struct ExitFailureMode final : UnitChange {
  explicit ExitFailureMode(LogicalUnit& of) : unit(of) {}

  engine::Task<bool> decide(UnitState& next) override {
    UnitCondition& condition = next.condition;
    if (condition.operation != MediumOperation::none) {
      refusal = not_ready_sense(condition);
      co_return false;
    }
    if (condition.sanitize_failure == SanitizeFailure::restricted) {
      refusal = Sense::invalid_field_in_cdb(1, std::uint8_t{4});
      co_return false;
    }
    // Removes the record first, before another operation can start.
    const Result<void> forgotten = co_await forget_medium_operation(unit);
    if (!forgotten) {
      refusal = Sense::of(spec::SenseKey::hardware_error, AdditionalSense::internal_target_failure);
      co_return false;
    }
    condition.sanitize_failure = SanitizeFailure::none;
    co_return true;
  }
  LogicalUnit& unit;
  std::optional<Sense> refusal;
};

engine::Task<void> exit_failure_mode(Command& command) {
  LogicalUnit& unit = command.unit->unit();
  ExitFailureMode change(unit);
  co_await unit.change(change);
  if (change.refusal) set_check_condition(command, *change.refusal);
}

bool decode_without_list(Command& command) {
  const auto cdb = cdb_of(command).as<SanitizeCdb>();
  command.direction = DataDirection::none;
  if (cdb.parameter_list_length == 0) return true;
  return refuse(command, Sense::invalid_field_in_cdb(offsetof(SanitizeCdb, parameter_list_length)));
}

}  // namespace

bool decode_sanitize_overwrite(Command& command) {
  const std::uint16_t length = cdb_of(command).as<SanitizeCdb>().parameter_list_length;
  const std::size_t most = sizeof(SanitizeOverwriteHeader) + command.unit->unit().block_size();
  if (length <= sizeof(SanitizeOverwriteHeader) || length > most) {
    return refuse(command,
                  Sense::invalid_field_in_cdb(offsetof(SanitizeCdb, parameter_list_length)));
  }
  command.data_out_bytes = length;
  return true;
}
void execute_sanitize_overwrite(Command& command) { run_sequence(command, overwrite); }

bool decode_sanitize_block_erase(Command& command) { return decode_without_list(command); }
void execute_sanitize_block_erase(Command& command) { run_sequence(command, block_erase); }

bool decode_sanitize_exit_failure_mode(Command& command) { return decode_without_list(command); }
void execute_sanitize_exit_failure_mode(Command& command) {
  run_sequence(command, exit_failure_mode);
}

}  // namespace lunar::scsi
