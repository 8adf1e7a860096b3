// Self-tests of a logical unit (SPC-5 §5.15, SEND DIAGNOSTIC): those that run, and their results.
//
// A short one reads blocks spread over the medium; an extended one then reads all of it. In the
// background, a self-test runs slowly on the unit's home shard beside the commands. In the
// foreground it is part of the command, and nearly all others are refused. It ends by a change of
// the unit's state, so exactly one of several concurrent reasons takes effect.
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

// Runs or starts the self-test that a SEND DIAGNOSTIC requests. Sets the command's outcome.
engine::Task<void> run_self_test(Command& command);
// SEND DIAGNOSTIC with SELF-TEST CODE 100b (abort background self-test).
engine::Task<void> abort_background_self_test(Command& command);

// For UnitFeature: restores the stored results. If they are malformed, logs that and starts without
// any.
Result<void> restore_self_tests(LogicalUnit& unit, UnitState& state, const state::Record& kept);

// Expected duration, in seconds, of an extended self-test of so many bytes beside other work.
[[nodiscard]] std::uint64_t extended_self_test_seconds(std::uint64_t bytes);

}  // namespace lunar::scsi
