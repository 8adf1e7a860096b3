#include "scsi/state/self_test_log.h"

#include <algorithm>
#include <limits>
#include <memory>
#include <utility>

#include "engine/shard.h"
#include "scsi/state/unit_state.h"

namespace lunar::scsi {
namespace {

std::uint16_t power_on_hours(const SelfTest& test) {
  constexpr std::uint64_t kHour = 3600 * engine::kSecond;
  const std::uint64_t hours = (engine::Shard::current()->now_ns() - test.opened_ns) / kHour;
  return static_cast<std::uint16_t>(
      std::min<std::uint64_t>(hours, std::numeric_limits<std::uint16_t>::max()));
}

// What outlives a power loss: an entry a result, the newest first.
constexpr std::uint32_t kVersion = 1;
constexpr std::string_view kResult = "result";

std::optional<SelfTestResult> result_of(const state::Entry& entry) {
  const auto code = entry.number("code", 7);
  const auto outcome = entry.number("outcome", 15);
  const auto segment = entry.number("segment", UINT8_MAX);
  const auto hours = entry.number("power_on_hours", UINT16_MAX);
  const auto key = entry.number("sense_key", 15);
  const auto additional = entry.number("additional_sense", UINT16_MAX);
  if (!code || !outcome || !segment || !hours || !key || !additional) return std::nullopt;
  SelfTestResult result;
  result.code = static_cast<spec::SelfTestCode>(*code);
  result.outcome = static_cast<spec::SelfTestOutcome>(*outcome);
  result.segment = static_cast<std::uint8_t>(*segment);
  result.power_on_hours = static_cast<std::uint16_t>(*hours);
  result.first_failure = entry.number("first_failure");
  if (entry.find("first_failure") != nullptr && !result.first_failure) return std::nullopt;
  result.sense = spec::Sense::of(static_cast<spec::SenseKey>(*key),
                                 static_cast<spec::AdditionalSense>(*additional));
  if (result.outcome == spec::SelfTestOutcome::in_progress)
    result.outcome = spec::SelfTestOutcome::aborted_otherwise;
  return result;
}

}  // namespace

spec::Sense SelfTest::in_progress() const {
  return spec::Sense::not_ready(spec::AdditionalSense::self_test_in_progress,
                                spec::ProgressIndication{done.load(std::memory_order_relaxed)});
}

std::shared_ptr<SelfTestLog> copy_of_self_tests(const UnitState& state) {
  return state.self_tests == nullptr ? std::make_shared<SelfTestLog>()
                                     : std::make_shared<SelfTestLog>(*state.self_tests);
}

// The first of the log is the one that is under way.
void end_self_test_with(UnitState& next, SelfTestResult result) {
  SelfTest& test = *next.condition.self_test;
  auto log = copy_of_self_tests(next);
  result.code = test.code;
  result.power_on_hours = power_on_hours(test);
  log->recent.front() = result;
  next.self_tests = std::move(log);
  test.ended = true;
  next.condition.self_test = nullptr;
}

void end_self_test(UnitState& next, spec::SelfTestOutcome outcome) {
  if (next.condition.self_test == nullptr) return;
  SelfTestResult result;
  result.outcome = outcome;
  end_self_test_with(next, result);
}

state::Record to_record(const SelfTestLog& log) {
  state::Record record{.version = kVersion};
  for (const SelfTestResult& result : log.recent) {
    state::Entry& entry = record.add(kResult);
    entry.set_number("code", static_cast<std::uint64_t>(result.code))
        .set_number("outcome", static_cast<std::uint64_t>(result.outcome))
        .set_number("segment", result.segment)
        .set_number("power_on_hours", result.power_on_hours);
    if (result.first_failure) entry.set_number("first_failure", *result.first_failure);
    entry.set_number("sense_key", static_cast<std::uint64_t>(result.sense.key))
        .set_number("additional_sense", static_cast<std::uint64_t>(result.sense.additional));
  }
  return record;
}

Result<SelfTestLog> self_test_log_of(const state::Record& record) {
  LUNAR_TRY(record.check_version(kVersion));
  SelfTestLog log;
  for (const state::Entry& entry : record.entries) {
    if (entry.name() != kResult) continue;
    const auto result = result_of(entry);
    if (!result || log.recent.size() == spec::kSelfTestResults)
      return fail(ErrorCode::malformed, "is no log of self-tests in the form that lunar writes");
    log.recent.push_back(*result);
  }
  return log;
}

}  // namespace lunar::scsi
