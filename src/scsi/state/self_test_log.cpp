#include "scsi/state/self_test_log.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <memory>
#include <utility>

#include "engine/shard.h"
#include "scsi/state/record_text.h"
#include "scsi/state/unit_state.h"

namespace lunar::scsi {
namespace {

std::uint16_t power_on_hours(const SelfTest& test) {
  constexpr std::uint64_t kHour = 3600 * engine::kSecond;
  const std::uint64_t hours = (engine::Shard::current()->now_ns() - test.opened_ns) / kHour;
  return static_cast<std::uint16_t>(
      std::min<std::uint64_t>(hours, std::numeric_limits<std::uint16_t>::max()));
}

// ---- What outlives a power loss, as text: a line "lunar self-tests 1", then one a result, the
// newest first: code, outcome, segment, power on hours, LBA of the first failure or "-", sense key
// and additional sense code

constexpr std::string_view kFirstLine = "lunar self-tests 1";
constexpr std::string_view kNoAddress = "-";

// Takes the text up to the separator; what is left when there is none.
std::string_view take(std::string_view& rest, char separator) {
  const std::size_t at = rest.find(separator);
  const std::string_view head = rest.substr(0, at);
  rest.remove_prefix(at == std::string_view::npos ? rest.size() : at + 1);
  return head;
}

std::optional<std::uint64_t> take_number(std::string_view& rest, std::uint64_t most) {
  const auto value = parse_number<std::uint64_t>(take(rest, ' '));
  return value && *value <= most ? value : std::nullopt;
}

std::optional<SelfTestResult> parse_result(std::string_view line) {
  SelfTestResult result;
  const auto code = take_number(line, 7);
  const auto outcome = take_number(line, 15);
  const auto segment = take_number(line, 255);
  const auto hours = take_number(line, UINT16_MAX);
  if (!code || !outcome || !segment || !hours) return std::nullopt;
  result.code = static_cast<spec::SelfTestCode>(*code);
  result.outcome = static_cast<spec::SelfTestOutcome>(*outcome);
  result.segment = static_cast<std::uint8_t>(*segment);
  result.power_on_hours = static_cast<std::uint16_t>(*hours);
  if (line.starts_with(kNoAddress)) {
    (void)take(line, ' ');
  } else {
    result.first_failure = take_number(line, UINT64_MAX);
    if (!result.first_failure) return std::nullopt;
  }
  const auto key = take_number(line, 15);
  const auto additional = take_number(line, UINT16_MAX);
  if (!key || !additional || !line.empty()) return std::nullopt;
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

std::string to_text(const SelfTestLog& log) {
  std::string text = fmt::format("{}\n", kFirstLine);
  for (const SelfTestResult& result : log.recent) {
    const std::string address =
        result.first_failure ? fmt::format("{}", *result.first_failure) : std::string(kNoAddress);
    text += fmt::format("{} {} {} {} {} {} {}\n", static_cast<unsigned>(result.code),
                        static_cast<unsigned>(result.outcome), result.segment,
                        result.power_on_hours, address, static_cast<unsigned>(result.sense.key),
                        static_cast<unsigned>(result.sense.additional));
  }
  return text;
}

Result<SelfTestLog> parse_self_test_log(std::string_view text) {
  const auto malformed = [] {
    return fail(ErrorCode::malformed, "is no log of self-tests in the form that lunar writes");
  };
  if (take(text, '\n') != kFirstLine) return malformed();
  SelfTestLog log;
  while (!text.empty()) {
    const auto result = parse_result(take(text, '\n'));
    if (!result || log.recent.size() == spec::kSelfTestResults) return malformed();
    log.recent.push_back(*result);
  }
  return log;
}

}  // namespace lunar::scsi
