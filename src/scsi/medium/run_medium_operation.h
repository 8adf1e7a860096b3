// Operations that have the whole medium for themselves and take their time: SANITIZE, FORMAT UNIT.
//
// They run on the unit's home shard beside its commands, of which all but a few are refused with
// NOT READY and the progress meanwhile. The loss of the nexus that asked for one does not end it,
// an orderly stop does: what a store remembers of it continues after the next start (SBC-4
// §4.11.4).
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

// Begins the operation: when it completes, every shard refuses other commands. Else the command has
// been given CHECK CONDITION, and null is returned.
engine::Task<std::shared_ptr<MediumOperationProgress>> run_medium_operation(
    Command& command, MediumOperationPlan plan);

// Waits for the end of the operation, or until `command` is aborted; sets the command's outcome.
engine::Task<void> await_medium_operation(Command& command,
                                          std::shared_ptr<MediumOperationProgress> progress);

// Durably, on the home shard; success where there is no store. Its failure has been logged.
engine::Task<Result<void>> forget_medium_operation(LogicalUnit& unit);

// As a UnitFeature: an operation that the store remembers goes on once every shard has opened the
// unit, or is a failure until the medium can be written to.
Result<void> restore_medium_operation(LogicalUnit& unit, UnitState& state,
                                      const state::Record& kept);
void continue_medium_operation(LogicalUnit& unit);
// The medium can be written to again: what has been interrupted goes on. From any shard.
engine::Task<void> resume_medium_operation(LogicalUnit& unit);

}  // namespace lunar::scsi
