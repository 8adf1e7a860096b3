// What of a logical unit changes while it serves.
//
// Every shard reads an immutable snapshot of its own. A change is decided on the unit's home shard,
// one at a time, and is in force on every shard before it completes: LogicalUnit::change().
#pragma once

#include <cstdint>
#include <memory>

#include "access/path_states.h"
#include "engine/task.h"
#include "scsi/spec/protection.h"
#include "scsi/state/condition.h"
#include "scsi/state/identification.h"
#include "scsi/state/mode_parameters.h"

namespace lunar::access {
struct Reservations;
}  // namespace lunar::access

namespace lunar::scsi {

class LogicalUnitShard;
struct LogBaselines;
struct Priorities;
struct SelfTestLog;

struct UnitState {
  std::uint64_t capacity_blocks = 0;
  // What the medium is formatted to; `none` also where it has no room for more.
  spec::ProtectionType protection = spec::ProtectionType::none;
  bool read_only = false;        // to this logical unit, by who manages the target
  bool write_protected = false;  // by that, or with its disk
  UnitCondition condition;
  Identification identification;
  ModeParameters mode;
  ModeParameters saved_mode;  // what it starts with next time
  // Null: nobody has registered or reserved.
  std::shared_ptr<const access::Reservations> reservations{};
  access::PathStates paths;
  std::shared_ptr<const LogBaselines> log_baselines{};  // null: no log page was reset
  std::shared_ptr<const Priorities> priorities{};       // null: no SET PRIORITY
  std::shared_ptr<const SelfTestLog> self_tests{};      // null: there was none
};

// One change of the state. Lives until LogicalUnit::change() has completed.
class UnitChange {
 public:
  // On the home shard, while no other change is under way: makes the next state of the present one.
  // May wait, e.g. for a durable copy. False: nothing changes.
  virtual engine::Task<bool> decide(UnitState& next) = 0;
  // On each shard of the unit, at once after the new state has come into force there: unit
  // attentions, commands to be aborted. Must not wait; who has to, does after change().
  virtual void apply(LogicalUnitShard& part) { (void)part; }

 protected:
  ~UnitChange() = default;
};

}  // namespace lunar::scsi
