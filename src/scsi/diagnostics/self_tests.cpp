#include "scsi/diagnostics/self_tests.h"

#include <algorithm>

#include "base/log.h"
#include "engine/shard.h"
#include "scsi/core/completion.h"
#include "scsi/core/logical_unit.h"
#include "scsi/core/status_map.h"
#include "scsi/diagnostics/medium_read.h"
#include "scsi/spec/cdb_structs.h"

namespace lunar::scsi {
namespace {

using spec::AdditionalSense;
using spec::SelfTestCode;
using spec::SelfTestOutcome;
using spec::Sense;

// Segment 1 reads so many blocks, evenly spread: the first and the last are among them.
constexpr std::uint64_t kSamples = 64;
// Segment 2 reads as much at once, and leaves the medium to others for a while in the background:
// some hundred megabytes a second at most.
constexpr std::uint64_t kStepBytes = kMiB;
constexpr std::uint64_t kPause = 10 * engine::kMillisecond;
// What initiators are told: half of that, as the medium takes its time, too.
constexpr std::uint64_t kToldBytesPerSecond = 50 * kMiB;

constexpr std::uint8_t kSampleSegment = 1;
constexpr std::uint8_t kWholeSegment = 2;

// ---- The work

class Examination {
 public:
  // `command`: whose abortion ends it, too; null in the background.
  Examination(LogicalUnitShard& part, SelfTest& test, const Command* command)
      : part_(part),
        test_(test),
        behalf_{&part, command, &test},
        shift_(part.unit().block_shift()) {
    result_.code = test.code;
    result_.outcome = SelfTestOutcome::no_error;
  }

  engine::Task<SelfTestResult> run() {
    memory_ = co_await take_memory(behalf_, kStepBytes);
    const bool fine = co_await read_samples();
    if (fine && spec::is_extended(test_.code)) co_await read_all();
    if (stops() && result_.outcome == SelfTestOutcome::no_error)
      result_.outcome = SelfTestOutcome::aborted_otherwise;
    co_return result_;
  }

 private:
  [[nodiscard]] std::uint64_t capacity() const { return part_.state().capacity_blocks; }
  [[nodiscard]] bool stops() const { return !behalf_.is_wanted(); }
  void tell_progress(double done) {
    test_.done.store(static_cast<std::uint16_t>(done * 65535), std::memory_order_relaxed);
  }

  engine::Task<block::Status> read(std::uint64_t lba, std::uint64_t blocks) {
    return read_medium(behalf_, {Lba(lba), BlockCount(blocks)}, memory_);
  }

  engine::Task<bool> read_samples() {
    const std::uint64_t samples = std::min(kSamples, capacity());
    for (std::uint64_t i = 0; i < samples && !stops(); ++i) {
      // Each time anew: the medium may be resized meanwhile.
      const std::uint64_t last = capacity() - 1;
      const std::uint64_t at = i + 1 == samples ? last : last / (samples - 1) * i;
      const block::Status status = co_await read(at, 1);
      if (status != block::Status::ok) {
        fail(kSampleSegment, at, status);
        co_return false;
      }
      if (!spec::is_extended(test_.code))
        tell_progress(static_cast<double>(i + 1) / static_cast<double>(samples));
    }
    co_return true;
  }

  engine::Task<void> read_all() {
    for (std::uint64_t at = 0; at < capacity() && !stops();) {
      const std::uint64_t blocks = std::min(kStepBytes >> shift_, capacity() - at);
      const block::Status status = co_await read(at, blocks);
      if (status != block::Status::ok) {
        co_await find_failure(at, blocks, status);
        co_return;
      }
      at += blocks;
      tell_progress(static_cast<double>(at) / static_cast<double>(std::max(capacity(), at)));
      if (behalf_.command == nullptr) co_await engine::sleep_for(part_.shard(), kPause);
    }
  }

  // The first block of those that fails by itself, if one does.
  engine::Task<void> find_failure(std::uint64_t lba, std::uint64_t blocks, block::Status status) {
    for (std::uint64_t i = 0; i < blocks && lba + i < capacity(); ++i) {
      const block::Status one = co_await read(lba + i, 1);
      if (one == block::Status::ok) continue;
      fail(kWholeSegment, lba + i, one);
      co_return;
    }
    fail(kWholeSegment, lba, status);
  }

  void fail(std::uint8_t segment, std::uint64_t lba, block::Status status) {
    if (stops()) return;  // what the medium says to the last request counts no more
    result_.outcome = segment == kSampleSegment ? SelfTestOutcome::first_segment_failed
                                                : SelfTestOutcome::second_segment_failed;
    result_.segment = segment;
    result_.first_failure = lba;
    block::Request request;
    request.lba = Lba(lba);
    result_.sense = map_status(status, request).sense;
  }

  LogicalUnitShard& part_;
  SelfTest& test_;
  const Behalf behalf_;
  const unsigned shift_;
  std::shared_ptr<engine::Buffer> memory_;
  SelfTestResult result_;
};

// ---- Its begin and its end

struct Begin final : UnitChange {
  Begin(SelfTestCode the_code, std::uint64_t unit_opened_ns)
      : code(the_code), opened_ns(unit_opened_ns) {}

  engine::Task<bool> decide(UnitState& next) override {
    const UnitCondition& condition = next.condition;
    if (condition.self_test != nullptr) {
      refusal = condition.self_test->in_progress();
      co_return false;
    }
    if ((restrictions_of(condition) & (kNotReady | kMediumOperation | kFormatCorrupt)) != 0) {
      refusal = not_ready_sense(condition);
      co_return false;
    }
    test = std::make_shared<SelfTest>(code, opened_ns);
    next.condition.self_test = test;
    auto log = copy_of_self_tests(next);
    SelfTestResult result;
    result.code = code;
    result.outcome = SelfTestOutcome::in_progress;
    log->recent.insert(log->recent.begin(), result);
    if (log->recent.size() > spec::kSelfTestResults) log->recent.pop_back();
    next.self_tests = std::move(log);
    co_return true;
  }

  const SelfTestCode code;
  const std::uint64_t opened_ns;
  std::shared_ptr<SelfTest> test;
  Sense refusal;
};

struct End final : UnitChange {
  End(std::shared_ptr<SelfTest> the_test, const SelfTestResult& the_result)
      : test(std::move(the_test)), result(the_result) {}

  engine::Task<bool> decide(UnitState& next) override {
    if (next.condition.self_test != test) co_return false;  // something else was quicker
    end_self_test_with(next, result);
    co_return true;
  }

  const std::shared_ptr<SelfTest> test;
  const SelfTestResult result;
};

struct Abort final : UnitChange {
  engine::Task<bool> decide(UnitState& next) override {
    const SelfTest* test = next.condition.self_test.get();
    if (test == nullptr || test->in_foreground()) co_return false;
    end_self_test(next, SelfTestOutcome::aborted_by_send_diagnostic);
    co_return true;
  }
};

// On the home shard.
engine::Task<void> run_in_background(LogicalUnitShard& home, std::shared_ptr<SelfTest> test) {
  Examination examination(home, *test, nullptr);
  const SelfTestResult result = co_await examination.run();
  End end(std::move(test), result);
  co_await home.unit().change(end);
}

engine::Task<void> run_in_foreground(Command& command, std::shared_ptr<SelfTest> test) {
  Examination examination(*command.unit, *test, &command);
  const SelfTestResult result = co_await examination.run();
  End end(test, result);
  co_await command.unit->unit().change(end);
  if (result.outcome == SelfTestOutcome::no_error || command.aborted) co_return;
  if (command.withdrawn != nullptr) {
    set_check_condition(command, *command.withdrawn);
    co_return;
  }
  set_check_condition(
      command, Sense::of(spec::SenseKey::hardware_error, AdditionalSense::lu_failed_self_test));
}

}  // namespace

engine::Task<void> run_self_test(Command& command) {
  LogicalUnit& unit = command.unit->unit();
  const auto code =
      static_cast<SelfTestCode>(cdb_of(command).as<spec::SendDiagnosticCdb>().self_test_code());
  Begin begin(code, command.unit->opened_ns());
  const bool begun = co_await unit.change(begin);
  if (!begun) {
    set_check_condition(command, begin.refusal);
    co_return;
  }
  if (begin.test->in_foreground()) {
    co_await run_in_foreground(command, begin.test);
    co_return;
  }
  auto start = [&unit, test = begin.test] {
    LogicalUnitShard* home = unit.find(unit.home().index());
    if (home != nullptr && !home->is_stopping()) home->spawn(run_in_background(*home, test));
  };
  auto there = engine::call_on(unit.home(), std::move(start));
  co_await there;
}

engine::Task<void> abort_background_self_test(Command& command) {
  Abort abort;
  const bool aborted = co_await command.unit->unit().change(abort);
  // SPC-5, SEND DIAGNOSTIC: valid only while there is one.
  if (!aborted) set_check_condition(command, Sense::invalid_field_in_cdb(1, std::uint8_t{7}));
}

Result<void> restore_self_tests(LogicalUnit& unit, UnitState& state, const state::Record& kept) {
  auto parsed = self_test_log_of(kept);
  if (!parsed) {
    log::warning("device {}: {}: {}", unit.device().name(), kSelfTestsKey, parsed.error().message);
    return {};
  }
  state.self_tests = std::make_shared<const SelfTestLog>(std::move(*parsed));
  return {};
}

std::uint64_t extended_self_test_seconds(std::uint64_t bytes) {
  return bytes / kToldBytesPerSecond + 1;
}

}  // namespace lunar::scsi
