// START STOP UNIT (SBC-4 §5.31), PREVENT ALLOW MEDIUM REMOVAL (SBC-4 §5.15).
#include <optional>

#include "scsi/blocks/flush.h"
#include "scsi/core/completion.h"
#include "scsi/core/logical_unit.h"
#include "scsi/core/on_each_part.h"
#include "scsi/core/status_map.h"
#include "scsi/medium/condition_commands.h"
#include "scsi/spec/cdb_structs.h"
#include "scsi/state/condition.h"
#include "scsi/state/self_test_log.h"

namespace lunar::scsi {
namespace {

using spec::AdditionalSense;
using spec::Sense;
using spec::StartStopUnitCdb;

// SBC-4 table 13: refuses what conflicts with another nexus's reservation.
bool check_reservation(Command& command) {
  if ((command.itl->restrictions & (kReservedWrites | kReservedAll)) == 0) return true;
  command.status_code = spec::Status::reservation_conflict;
  return false;
}

// The power condition requested by POWER CONDITION and POWER CONDITION MODIFIER (SBC-4 table 195).
// There are no power condition timers that FORCE_IDLE_0 or FORCE_STANDBY_0 could expire.
enum class Wanted : std::uint8_t { start_valid, active, idle, standby, lu_control = 7 };

std::optional<PowerCondition> wanted_power(const StartStopUnitCdb& cdb) {
  const unsigned modifier = cdb.power_condition_modifier & 0x0f;
  switch (static_cast<Wanted>(cdb.power_condition())) {
    case Wanted::start_valid:
      if (modifier != 0) break;
      return cdb.start() ? PowerCondition::active : PowerCondition::stopped;
    case Wanted::active:
    case Wanted::lu_control:
      if (modifier != 0) break;
      return PowerCondition::active;
    case Wanted::idle:
      if (modifier > 2) break;
      return static_cast<PowerCondition>(static_cast<unsigned>(PowerCondition::idle_a) + modifier);
    case Wanted::standby:
      if (modifier > 1) break;
      return modifier == 0 ? PowerCondition::standby_z : PowerCondition::standby_y;
  }
  return std::nullopt;
}

// One nexus on any shard suffices to prevent removal.
engine::Task<bool> is_removal_prevented(LogicalUnit& unit) {
  bool prevented = false;
  auto look = [&prevented](LogicalUnitShard& part) {
    for (const ItlNexus& itl : part.nexuses()) prevented = prevented || itl.prevents_removal;
  };
  co_await for_each_part(unit, look);
  co_return prevented;
}

struct ChangePower final : UnitChange {
  ChangePower(LogicalUnit& logical_unit, const Nexus& nexus, PowerCondition power,
              std::optional<bool> load)
      : unit(logical_unit), requester(nexus), wanted(power), medium(load) {}

  engine::Task<bool> decide(UnitState& next) override {
    // SBC-4 §4.31.1: an operation on the whole medium keeps it running.
    if (next.condition.operation != MediumOperation::none) {
      refusal = not_ready_sense(next.condition);
      co_return false;
    }
    if (medium == false && next.condition.medium_present) {
      const bool prevented = co_await is_removal_prevented(unit);
      if (prevented) {
        refusal = Sense::illegal_request(AdditionalSense::medium_removal_prevented);
        co_return false;
      }
    }
    loaded = medium == true && !next.condition.medium_present;
    const bool stopped = next.condition.power == PowerCondition::stopped;
    if (stopped && wanted != PowerCondition::stopped) ++next.condition.start_stop_cycles;
    next.condition.power = wanted;
    if (medium) next.condition.medium_present = *medium;
    // SPC-5 §5.15.4.3: a stop ends a background self-test.
    if ((restrictions_of(next.condition) & kNotReady) != 0)
      end_self_test(next, spec::SelfTestOutcome::aborted_otherwise);
    co_return true;
  }
  void apply(LogicalUnitShard& part) override {
    // The initiator that loads the medium needs no unit attention.
    if (loaded) part.raise(AdditionalSense::not_ready_to_ready_change, &requester);
  }

  LogicalUnit& unit;
  const Nexus& requester;
  const PowerCondition wanted;
  const std::optional<bool> medium;  // true: load, false: eject
  bool loaded = false;
  std::optional<Sense> refusal;
};

// IMMED changes nothing: the operation is over as soon as a status could be sent.
engine::Task<void> start_stop(Command& command) {
  const auto cdb = cdb_of(command).as<StartStopUnitCdb>();
  const PowerCondition wanted = *wanted_power(cdb);
  const bool start_valid = cdb.power_condition() == 0;
  if (wanted == PowerCondition::stopped && !cdb.no_flush()) {
    // A cache is flushed before the medium stops (SBC-4 §5.31, NO_FLUSH).
    const block::Status status = co_await flush_medium(on_behalf_of(command));
    if (status != block::Status::ok) {
      command.status = status;
      set_outcome(command);
      co_return;
    }
  }
  std::optional<bool> medium;
  if (start_valid && cdb.loej()) medium = cdb.start();
  ChangePower change(command.unit->unit(), *command.nexus, wanted, medium);
  co_await command.unit->unit().change(change);
  if (change.refusal) set_check_condition(command, *change.refusal);
}

// ---- The end of a low power condition

struct WakeUp final : UnitChange {
  engine::Task<bool> decide(UnitState& next) override {
    if ((restrictions_of(next.condition) & kLowPower) == 0) co_return false;
    next.condition.power = PowerCondition::active;
    co_return true;
  }
};

engine::Task<void> wake(LogicalUnit& unit) {
  WakeUp change;
  co_await unit.change(change);
}

}  // namespace

bool decode_start_stop_unit(Command& command) {
  const auto cdb = cdb_of(command).as<StartStopUnitCdb>();
  if (!wanted_power(cdb)) {
    const bool modifier = cdb.power_condition() <= static_cast<unsigned>(Wanted::standby) ||
                          cdb.power_condition() == static_cast<unsigned>(Wanted::lu_control);
    return refuse(command, modifier
                               ? Sense::invalid_field_in_cdb(
                                     offsetof(StartStopUnitCdb, power_condition_modifier), 3)
                               : Sense::invalid_field_in_cdb(offsetof(StartStopUnitCdb, power), 7));
  }
  const bool start_valid = cdb.power_condition() == 0;
  if (start_valid && cdb.loej() && !command.unit->unit().options().removable)
    return refuse(command, Sense::invalid_field_in_cdb(offsetof(StartStopUnitCdb, power), 1));
  return (start_valid && cdb.start()) || check_reservation(command);
}

void execute_start_stop_unit(Command& command) { run_sequence(command, start_stop); }

bool decode_prevent_allow_medium_removal(Command& command) {
  const std::uint8_t prevent = command.cdb[4];
  if (prevent > 1) return refuse(command, Sense::invalid_field_in_cdb(4, 1));
  return prevent == 0 || check_reservation(command);
}

void execute_prevent_allow_medium_removal(Command& command) {
  command.itl->prevents_removal = command.cdb[4] != 0;
  end_soon(command);
}

void wake_up(LogicalUnitShard& part) { part.spawn(wake(part.unit())); }

}  // namespace lunar::scsi
