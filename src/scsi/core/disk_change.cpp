// What a change of its disk is to a logical unit: capacity, write protection.
#include "block/disk.h"
#include "engine/shard.h"
#include "scsi/core/command_description.h"
#include "scsi/core/logical_unit.h"
#include "scsi/core/task_set.h"

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

void withdraw_writes(LogicalUnitShard& part) {
  for_each_not_begun(part, [](Command& command) {
    if ((command.description->heeds & kWriteProtected) != 0) withdraw_command(command, kProtected);
  });
}

// Of those whose data may be coming straight into the medium (DeviceServer::data_out_window). All
// others meet the new capacity when they begin.
void withdraw_writes_beyond(LogicalUnitShard& part, std::uint64_t capacity) {
  for_each_not_begun(part, [capacity](Command& command) {
    const bool has_range = command.description->is(kPlainWrite);
    if (has_range && !range_fits(command.lba.value, command.count.value, capacity))
      withdraw_command(command, kOutOfRange);
  });
}

// The state of the disk becomes another, or the unit is not read-only any more.
struct DiskChange final : UnitChange {
  explicit DiskChange(const block::DiskState& state, bool lifts = false)
      : disk(state), lifts_read_only(lifts) {}

  engine::Task<bool> decide(UnitState& next) override {
    if (lifts_read_only) next.read_only = false;
    const bool write_protected = disk.write_protected || next.read_only;
    protects = write_protected && !next.write_protected;
    shrinks = disk.capacity.value < next.capacity_blocks;
    // One that has the whole medium for itself goes on to its end as it began.
    if ((protects || shrinks) && next.condition.operation != MediumOperation::none) {
      outcome = fail(ErrorCode::busy, "a format or sanitize operation is under way");
      co_return false;
    }
    protection_changes = write_protected != next.write_protected;
    capacity_changes = disk.capacity.value != next.capacity_blocks;
    next.write_protected = write_protected;
    next.capacity_blocks = disk.capacity.value;
    co_return protection_changes || capacity_changes || lifts_read_only;
  }
  void apply(LogicalUnitShard& part) override {
    if (protection_changes) part.raise(AdditionalSense::mode_parameters_changed);
    if (capacity_changes) part.raise(AdditionalSense::capacity_data_has_changed);
    if (protects) withdraw_writes(part);
    if (shrinks) withdraw_writes_beyond(part, disk.capacity.value);
  }

  const block::DiskState disk;
  const bool lifts_read_only;
  bool protects = false;
  bool shrinks = false;
  bool protection_changes = false;
  bool capacity_changes = false;
  Result<void> outcome;
};

// Nothing of the state does: the nexuses are to be told on every shard.
struct CameBack final : UnitChange {
  engine::Task<bool> decide(UnitState& /*next*/) override { co_return true; }
  void apply(LogicalUnitShard& part) override {
    part.raise(AdditionalSense::not_ready_to_ready_change);
  }
};

}  // namespace

engine::Task<void> LogicalUnit::came_back() {
  CameBack back;
  (void)co_await change(back);
}

engine::Task<Result<void>> LogicalUnit::adopt(const block::DiskState& disk_state) {
  DiskChange adoption(disk_state);
  (void)co_await change(adoption);
  if (adoption.outcome && !disk_state.write_protected) co_await tell_writable();
  co_return adoption.outcome;
}

engine::Task<void> LogicalUnit::lift_read_only() {
  auto read_state = [this] { return disk_.state(); };
  auto there = engine::call_on(home(), read_state);
  const block::DiskState disk = co_await there;
  DiskChange lift(disk, true);
  (void)co_await change(lift);
  co_await tell_writable();
}

engine::Task<void> LogicalUnit::tell_writable() {
  for (const UnitFeature& feature : features_) {
    if (feature.writable != nullptr) co_await feature.writable(*this);
  }
}

}  // namespace lunar::scsi
