// Long operations that need the whole medium for themselves: SANITIZE, FORMAT UNIT.
//
// They run on the unit's home shard. All but a few other commands are refused meanwhile with NOT
// READY and the progress. Loss of the requesting nexus does not end an operation. An orderly stop
// does; if the store has a record of it, it continues after the next start (SBC-4 §4.11.4).
#pragma once

#include <memory>
#include <string_view>

#include "engine/task.h"
#include "lunar/result.h"
#include "scsi/core/command.h"
#include "scsi/state/medium_operation.h"

namespace lunar::scsi {

class LogicalUnit;
struct UnitState;

// Starts the operation. On completion every shard refuses other commands. Null: it could not start,
// and the command has been given CHECK CONDITION.
engine::Task<std::shared_ptr<MediumOperationProgress>> run_medium_operation(
    Command& command, MediumOperationPlan plan);

// Waits until the operation ends or `command` is aborted. Sets the command's outcome.
engine::Task<void> await_medium_operation(Command& command,
                                          std::shared_ptr<MediumOperationProgress> progress);

// Removes the durable record; on the home shard. Success without a store. Logs a failure.
engine::Task<Result<void>> forget_medium_operation(LogicalUnit& unit);

// For UnitFeature: an operation in the store continues once every shard has opened the unit. If the
// medium cannot be written to, it counts as failed until it can.
Result<void> restore_medium_operation(LogicalUnit& unit, UnitState& state,
                                      const state::Record& kept);
void continue_medium_operation(LogicalUnit& unit);
// Continues an interrupted operation when the medium has become writable again. From any shard.
engine::Task<void> resume_medium_operation(LogicalUnit& unit);

}  // namespace lunar::scsi
