// The self-tests of a logical unit as values: the one that is under way, and the log of the results
// (SPC-5 §5.15). Parts of the UnitState; self_tests.h runs them.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "lunar/result.h"
#include "scsi/spec/diagnostics.h"
#include "scsi/spec/log.h"
#include "scsi/spec/sense.h"
#include "state/record.h"

namespace lunar::scsi {

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

// In UnitChange::decide(), on the home shard: ends the one that is under way, if there is one.
void end_self_test(UnitState& next, spec::SelfTestOutcome outcome);

// The same, with that result. Only while there is one.
void end_self_test_with(UnitState& next, SelfTestResult result);
// The log as it is, to be changed.
[[nodiscard]] std::shared_ptr<SelfTestLog> copy_of_self_tests(const UnitState& state);

// The name in the store. LogicalUnit keeps the log when it has changed.
constexpr std::string_view kSelfTestsKey = "self_tests";
// As it is kept, and back: malformed, unsupported. What was under way has been aborted by what came
// between (SPC-5 §5.15.4).
[[nodiscard]] state::Record to_record(const SelfTestLog& log);
[[nodiscard]] Result<SelfTestLog> self_test_log_of(const state::Record& record);

}  // namespace lunar::scsi
