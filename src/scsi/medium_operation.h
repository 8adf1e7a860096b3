// Operations that have the whole medium for themselves and take their time: SANITIZE, FORMAT UNIT.
//
// They run on the unit's home shard beside its commands, of which all but a few are refused with
// NOT READY and the progress meanwhile. The loss of the nexus that asked for one does not end it,
// an orderly stop does: what a store remembers of it continues after the next start (SBC-4
// §4.11.4).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/task.h"
#include "lunar/result.h"
#include "scsi/command.h"
#include "scsi/condition.h"
#include "scsi/spec/protection.h"

namespace lunar::scsi {

class LogicalUnit;

struct MediumOperationPlan {
  MediumOperation kind = MediumOperation::format;
  // Written to each block, repeated from the block's first byte on. Empty: the blocks read as
  // zeroes afterwards, by whatever way is quickest, which may free them.
  std::vector<std::byte> pattern;
  std::uint8_t passes = 1;         // of the pattern
  bool invert = false;             // the pattern, between passes
  bool unrestricted_exit = false;  // AUSE: EXIT FAILURE MODE may end the failure of a sanitize
  // What the medium is formatted to. Unset: to what it is, as by a sanitize.
  std::optional<spec::ProtectionType> protection;
};

// Begins the operation: when it completes, every shard refuses other commands. Else the command has
// been given CHECK CONDITION, and null is returned.
engine::Task<std::shared_ptr<MediumOperationProgress>> begin_medium_operation(
    Command& command, MediumOperationPlan plan);

// Waits for the end of the operation, or until `command` is aborted; sets the command's outcome.
engine::Task<void> await_medium_operation(Command& command,
                                          std::shared_ptr<MediumOperationProgress> progress);

// As text for a durable store, and back. invalid_argument for what to_text() does not give.
[[nodiscard]] std::string to_text(const MediumOperationPlan& plan);
[[nodiscard]] Result<MediumOperationPlan> parse_medium_operation(std::string_view text);

// The name in the store.
constexpr std::string_view kMediumOperationKey = "medium_operation";

// Durably, on the home shard; success where there is no store. Its failure has been logged.
engine::Task<Result<void>> forget_medium_operation(LogicalUnit& unit);

// What the condition of a unit is at its start when a store remembers an operation, which goes on:
// continue_medium_operation() on the home shard, once it is open there.
void restore_medium_operation(const MediumOperationPlan& plan, UnitCondition& condition);
void continue_medium_operation(LogicalUnit& unit, const MediumOperationPlan& plan);
// What it is when an operation has ended before its time, also when it cannot go on for now, as the
// medium cannot be written to (SBC-4 §4.11.3, §4.10).
void fail_medium_operation(const MediumOperationPlan& plan, UnitCondition& condition);
// The medium can be written to again: what has been interrupted goes on. From any shard.
engine::Task<void> resume_medium_operation(LogicalUnit& unit);
[[nodiscard]] const char* to_string(MediumOperation operation);

}  // namespace lunar::scsi
