#include "scsi/target/unit_management.h"

#include "block/front.h"
#include "block/range_lock.h"
#include "scsi/core/command_description.h"
#include "scsi/core/logical_unit.h"
#include "scsi/core/on_each_part.h"
#include "scsi/core/task_set.h"
#include "scsi/medium/run_medium_operation.h"

namespace lunar::scsi {
namespace {

using spec::AdditionalSense;
using spec::Sense;

const Sense kProtected = Sense::of(spec::SenseKey::data_protect, AdditionalSense::write_protected);
const Sense kOutOfRange = Sense::illegal_request(AdditionalSense::lba_out_of_range);

// visit(Command&) of every command of the part that has been decoded and has not begun.
template <class Visit>
void for_each_not_begun(LogicalUnitShard& part, Visit visit) {
  for (ItlNexus& itl : part.nexuses()) {
    for (Command& command : itl.task_set) {
      if (command.state == CommandState::prepared || command.state == CommandState::waiting)
        visit(command);
    }
  }
}

// An operation that has the whole medium for itself goes on to its end as it began.
bool has_medium_operation(const UnitState& state, Result<void>& outcome) {
  if (state.condition.operation == MediumOperation::none) return false;
  outcome = fail(ErrorCode::busy, "a format or sanitize operation is under way");
  return true;
}

struct ProtectionChange final : UnitChange {
  ProtectionChange(bool on, Result<void>& result) : wanted(on), outcome(result) {}

  engine::Task<bool> decide(UnitState& next) override {
    const bool changes = next.write_protected != wanted;
    if (changes && wanted && has_medium_operation(next, outcome)) co_return false;
    next.write_protected = wanted;
    co_return changes;
  }
  void apply(LogicalUnitShard& part) override {
    part.raise(AdditionalSense::mode_parameters_changed);
    part.front().set_writable(!wanted);
    if (!wanted) return;
    for_each_not_begun(part, [](Command& command) {
      if ((command.description->heeds & kWriteProtected) != 0)
        withdraw_command(command, kProtected);
    });
  }

  const bool wanted;
  Result<void>& outcome;
};

struct CapacityChange final : UnitChange {
  CapacityChange(BlockCount capacity, Result<void>& result) : wanted(capacity), outcome(result) {}

  engine::Task<bool> decide(UnitState& next) override {
    const bool changes = next.capacity_blocks != wanted.value;
    shrinks = wanted.value < next.capacity_blocks;
    if (shrinks && has_medium_operation(next, outcome)) co_return false;
    next.capacity_blocks = wanted.value;
    co_return changes;
  }
  void apply(LogicalUnitShard& part) override {
    part.raise(AdditionalSense::capacity_data_has_changed);
    part.front().set_capacity(wanted);
    // Whose data may be coming straight into the medium (DeviceServer::data_out_window). All others
    // meet the new capacity when they begin.
    for_each_not_begun(part, [this](Command& command) {
      const bool has_range = command.description->is(kPlainWrite);
      if (has_range && !range_fits(command.lba.value, command.count.value, wanted.value))
        withdraw_command(command, kOutOfRange);
    });
  }

  const BlockCount wanted;
  Result<void>& outcome;
  bool shrinks = false;
};

engine::Task<void> drain_part(LogicalUnitShard& part) {
  co_await part.ended_windows_closed();
  co_await part.front().drain();
}

// Completes when what the medium does now is done: nothing goes on that has been let in under
// another state.
engine::Task<void> drain(LogicalUnit& unit) { return on_each_part(unit, drain_part); }

// Completes when no write of blocks with protection information is under way, of which some may
// have reached the medium in part.
engine::Task<void> finish_protected_writes(LogicalUnit& unit) {
  if (!unit.has_protection_room()) co_return;
  block::RangeLocks::Hold hold({Lba(0), unit.limits().capacity}, block::Exclusion::writes);
  co_await unit.range_locks().lock(hold);
  co_await unit.range_locks().unlock(hold);
}

}  // namespace

engine::Task<void> set_write_protected(LogicalUnit& unit, bool write_protected,
                                       Result<void>& outcome) {
  ProtectionChange change(write_protected, outcome);
  const bool changed = co_await unit.change(change);
  if (!write_protected) co_await resume_medium_operation(unit);
  if (!changed || !write_protected) co_return;
  co_await drain(unit);
  co_await finish_protected_writes(unit);
}

engine::Task<void> set_capacity(LogicalUnit& unit, BlockCount capacity, Result<void>& outcome) {
  CapacityChange change(capacity, outcome);
  const bool changed = co_await unit.change(change);
  if (changed && change.shrinks) co_await drain(unit);
}

}  // namespace lunar::scsi
