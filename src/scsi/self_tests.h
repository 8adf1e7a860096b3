// Self-tests of a logical unit (SPC-5 §5.15, SEND DIAGNOSTIC): what they find, and the one that is
// under way.
//
// A short one reads blocks spread over the medium, an extended one then reads all of it. In the
// background it runs on the unit's home shard beside the commands, slowly; in the foreground it is
// the command itself, and nearly all others are refused meanwhile. Whatever ends one, it ends by a
// change of the unit's state, so that only one of several reasons counts.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/task.h"
#include "lunar/result.h"
#include "scsi/spec/diagnostics.h"
#include "scsi/spec/log.h"
#include "scsi/spec/sense.h"

namespace lunar::scsi {

struct Command;
class LogicalUnit;
struct UnitState;

// One that is under way. Its owner is UnitState: there it is, or it has ended.
struct SelfTest {
  SelfTest(spec::SelfTestCode the_code, std::uint64_t unit_opened_ns)
      : code(the_code), opened_ns(unit_opened_ns) {}

  const spec::SelfTestCode code;
  const std::uint64_t opened_ns;       // when the logical unit was, for its power on hours
  std::atomic<std::uint16_t> done{0};  // 65536ths; by who runs it, read on all shards
  std::atomic<bool> ended{false};      // no need to go on

  [[nodiscard]] bool in_foreground() const { return spec::is_foreground(code); }
  // NOT READY, SELF-TEST IN PROGRESS, with the progress.
  [[nodiscard]] spec::Sense in_progress() const;
};

struct SelfTestResult {
  spec::SelfTestCode code{};
  spec::SelfTestOutcome outcome{};
  std::uint8_t segment = 0;  // that failed
  std::uint16_t power_on_hours = 0;
  std::optional<std::uint64_t> first_failure;  // LBA
  spec::Sense sense;                           // what the medium said there
};

// A part of UnitState.
struct SelfTestLog {
  std::vector<SelfTestResult> recent;  // the newest first, spec::kSelfTestResults at most
};

// Runs what the SEND DIAGNOSTIC asks for, or starts it; sets the command's outcome.
engine::Task<void> run_self_test(Command& command);
// ABORT BACKGROUND SELF-TEST
engine::Task<void> abort_background_self_test(Command& command);

// The name in the store. LogicalUnit keeps the log when it has changed.
constexpr std::string_view kSelfTestsKey = "self_tests";
// As text for a durable store, and back; malformed for what to_text() does not give. What was under
// way has been aborted by what came between (SPC-5 §5.15.4).
[[nodiscard]] std::string to_text(const SelfTestLog& log);
[[nodiscard]] Result<SelfTestLog> parse_self_test_log(std::string_view text);
// Before shards serve the unit: the results that are kept, or, with a line in the log, none when
// they cannot be understood. The errors of the store.
Result<void> restore_self_tests(UnitState& state, const LogicalUnit& unit);

// In UnitChange::decide(): ends the one that is under way, if there is one.
void end_self_test(UnitState& next, spec::SelfTestOutcome outcome);

// How long an extended self-test of so many bytes may take beside other work.
[[nodiscard]] std::uint64_t extended_self_test_seconds(std::uint64_t bytes);

}  // namespace lunar::scsi
