// Self-tests of a logical unit (SPC-5 §5.15, SEND DIAGNOSTIC): what they find, and the one that is
// under way.
//
// A short one reads blocks spread over the medium, an extended one then reads all of it. In the
// background it runs on the unit's home shard beside the commands, slowly; in the foreground it is
// the command itself, and nearly all others are refused meanwhile. Whatever ends one, it ends by a
// change of the unit's state, so that only one of several reasons counts.
#pragma once

#include <cstdint>
#include <string_view>

#include "engine/task.h"
#include "lunar/result.h"
#include "scsi/state/self_test_log.h"

namespace lunar::scsi {

struct Command;
class LogicalUnit;
struct UnitState;

// Runs what the SEND DIAGNOSTIC asks for, or starts it; sets the command's outcome.
engine::Task<void> run_self_test(Command& command);
// ABORT BACKGROUND SELF-TEST
engine::Task<void> abort_background_self_test(Command& command);

// As a UnitFeature: the results that are kept, or, with a line in the log, none when they cannot be
// understood.
Result<void> restore_self_tests(LogicalUnit& unit, UnitState& state, const state::Record& kept);

// How long an extended self-test of so many bytes may take beside other work.
[[nodiscard]] std::uint64_t extended_self_test_seconds(std::uint64_t bytes);

}  // namespace lunar::scsi
