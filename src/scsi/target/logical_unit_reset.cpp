#include "scsi/target/logical_unit_reset.h"

#include "scsi/core/logical_unit.h"
#include "scsi/core/on_each_part.h"
#include "scsi/reservations/reservation_change.h"
#include "scsi/state/self_test_log.h"

namespace lunar::scsi {
namespace {

// Families of commands whose state a reset changes have a line here. State of a nexus (prevention
// of medium removal) is reset together with its commands, shard by shard.
struct Reset final : UnitChange {
  engine::Task<bool> decide(UnitState& next) override {
    next.mode = next.saved_mode;  // SPC-5 §5.10: as after a power on
    next.priorities = nullptr;    // SPC-4 §6.41
    end_self_test(next, spec::SelfTestOutcome::aborted_otherwise);
    co_return true;
  }
};

// Resets the unit's state on every shard, after the commands have ended.
engine::Task<void> reset_state(LogicalUnit& unit) {
  Reset change;
  co_await unit.change(change);
  co_await end_reserve(unit, 0);
}

}  // namespace

engine::Task<void> reset_logical_unit(LogicalUnit& unit, const Nexus* requester) {
  auto reset = [requester](LogicalUnitShard& part) {
    part.raise(spec::AdditionalSense::bus_device_reset_function_occurred);
    for (ItlNexus& itl : part.nexuses()) itl.prevents_removal = false;  // SBC-4 §5.15
    part.abort_commands(nullptr, requester);
    return part.aborted_commands_finished(nullptr);
  };
  co_await on_each_part(unit, reset);
  co_await reset_state(unit);
}

}  // namespace lunar::scsi
