#include "scsi/medium/run_medium_operation.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>

#include "base/log.h"
#include "block/front.h"
#include "engine/shard.h"
#include "scsi/blocks/flush.h"
#include "scsi/core/command_description.h"
#include "scsi/core/completion.h"
#include "scsi/core/logical_unit.h"
#include "scsi/core/memory.h"
#include "scsi/core/on_each_part.h"
#include "scsi/core/own_request.h"
#include "scsi/core/protection_area.h"
#include "scsi/core/task_set.h"
#include "scsi/state/self_test_log.h"

namespace lunar::scsi {
namespace {

using Progress = std::shared_ptr<MediumOperationProgress>;
using spec::AdditionalSense;
using spec::Sense;

// Sizes of a step: writing a pattern, or zeroing by the medium itself.
constexpr std::uint64_t kWriteBytes = kMiB;
constexpr std::uint64_t kZeroBytes = 64 * kMiB;
// Polling interval of waits. A millisecond is nothing beside these operations.
constexpr std::uint64_t kLookEvery = engine::kMillisecond;

// ---- Waiting for other commands before the operation begins

bool has_medium_commands(LogicalUnitShard& part) {
  for (ItlNexus& itl : part.nexuses()) {
    for (const Command& command : itl.task_set) {
      // Ignore a command that waits for its turn: it may wait for this very operation.
      const bool ahead =
          command.state == CommandState::prepared || command.state == CommandState::running;
      if (ahead && is_on_medium(command)) return true;
    }
  }
  return false;
}

engine::Task<void> wait_until_quiet(LogicalUnit& unit, LogicalUnitShard& home) {
  bool busy = false;
  auto look = [&busy](LogicalUnitShard& part) { busy = busy || has_medium_commands(part); };
  while (!home.is_stopping()) {
    busy = false;
    co_await for_each_part(unit, look);
    if (!busy) co_return;
    co_await engine::sleep_for(home.shard(), kLookEvery);
  }
}

// ---- The work

void fill(MutableBytes buffer, const std::vector<std::byte>& pattern, std::size_t block_size,
          bool inverted) {
  const std::byte mask{inverted ? std::uint8_t{0xff} : std::uint8_t{0}};
  for (std::size_t block = 0; block < buffer.size(); block += block_size) {
    for (std::size_t i = 0; i < block_size; ++i) {
      buffer[block + i] = pattern[i % pattern.size()] ^ mask;
    }
  }
}

// Passes over the medium in steps of `step` blocks, with requests set up by `prepare`.
struct Pass {
  LogicalUnitShard& home;
  MediumOperationProgress& progress;
  std::uint64_t capacity_blocks;
  std::uint64_t blocks_before;  // done in earlier passes
  std::uint64_t blocks_in_all;
};

engine::Task<block::Status> pass_over(const Pass& pass, OwnRequest& request, block::Op op,
                                      block::RequestFlags flags, std::uint64_t step_blocks,
                                      std::byte* data) {
  const unsigned shift = pass.home.unit().block_shift();
  for (std::uint64_t at = 0; at < pass.capacity_blocks;) {
    if (pass.home.is_stopping()) co_return block::Status::aborted;
    const std::uint64_t count = std::min(step_blocks, pass.capacity_blocks - at);
    request.prepare(op, Lba(at), BlockCount(count), flags);
    if (data != nullptr) request.set_buffer(data, count << shift);
    const block::Status status = co_await request.submit_to(pass.home.front());
    if (status != block::Status::ok) co_return status;
    at += count;
    const double done =
        static_cast<double>(pass.blocks_before + at) / static_cast<double>(pass.blocks_in_all);
    pass.progress.done.store(static_cast<std::uint16_t>(done * 65535), std::memory_order_relaxed);
  }
  co_return block::Status::ok;
}

// First clears the protection information of all blocks (SBC-4 §5.4.1, FMTPINFO), then changes the
// medium's format. The order matters if the power fails.
engine::Task<block::Status> reset_protection(LogicalUnitShard& home,
                                             const MediumOperationPlan& plan) {
  ProtectionArea* const area = home.protection_area();
  if (area == nullptr) co_return block::Status::ok;
  const block::Range all{Lba(0), BlockCount(home.state().capacity_blocks)};
  const block::Status cleared = co_await area->clear({&home}, all);
  if (cleared != block::Status::ok || !plan.protection) co_return cleared;
  co_return co_await area->store_format({&home}, home.unit().protection_format(*plan.protection));
}

engine::Task<block::Status> perform(LogicalUnitShard& home, const MediumOperationPlan& plan,
                                    MediumOperationProgress& progress) {
  const std::uint64_t capacity = home.state().capacity_blocks;
  const unsigned shift = home.unit().block_shift();
  OwnRequest request({&home});
  block::Status status = block::Status::ok;
  if (plan.pattern.empty()) {
    const Pass pass{home, progress, capacity, 0, capacity};
    status = co_await pass_over(pass, request, block::Op::write_zeroes, block::kMayUnmap,
                                kZeroBytes >> shift, nullptr);
  } else {
    const std::uint64_t step = std::min(kWriteBytes >> shift, capacity);
    auto taking = take_buffer({&home}, step << shift);
    const std::optional<engine::Buffer> buffer = co_await taking;
    if (!buffer) co_return block::Status::aborted;
    for (unsigned i = 0; i < plan.passes && status == block::Status::ok; ++i) {
      // SBC-4 §5.24.2: the last pass must write the pattern as given.
      const bool inverted = plan.invert && (plan.passes - 1 - i) % 2 != 0;
      fill(buffer->bytes().first(step << shift), plan.pattern, home.unit().block_size(), inverted);
      const Pass pass{home, progress, capacity, capacity * i, capacity * plan.passes};
      status = co_await pass_over(pass, request, block::Op::write, 0, step, buffer->data());
    }
  }
  if (status != block::Status::ok) co_return status;
  status = co_await reset_protection(home, plan);
  if (status != block::Status::ok) co_return status;
  co_return co_await flush_medium({&home});
}

// ---- Begin and end

struct Begin final : UnitChange {
  Begin(LogicalUnit& logical_unit, const MediumOperationPlan& the_plan, Progress the_progress)
      : unit(logical_unit), plan(the_plan), progress(std::move(the_progress)) {}

  engine::Task<bool> decide(UnitState& next) override {
    UnitCondition& condition = next.condition;
    const bool is_tested = condition.self_test != nullptr && condition.self_test->in_foreground();
    if (condition.operation != MediumOperation::none || is_tested) {
      refusal = not_ready_sense(condition);
      co_return false;
    }
    // SBC-4 §5.24.1: once restricted completion has been chosen, it cannot be relaxed.
    if (condition.sanitize_failure == SanitizeFailure::restricted && plan.unrestricted_exit) {
      refusal = Sense::invalid_field_in_cdb(1, std::uint8_t{5});
      co_return false;
    }
    const Result<void> saved = co_await unit.save(kMediumOperationKey, to_record(plan));
    if (!saved) {
      refusal = Sense::of(spec::SenseKey::hardware_error, AdditionalSense::internal_target_failure);
      co_return false;
    }
    unit.interrupted_operation().reset();  // the store has the new operation now
    end_self_test(next, spec::SelfTestOutcome::aborted_otherwise);  // SPC-5 §5.15.4.3
    condition.operation = plan.kind;
    condition.progress = progress;
    co_return true;
  }

  LogicalUnit& unit;
  const MediumOperationPlan& plan;
  const Progress progress;
  std::optional<Sense> refusal;
};

struct End final : UnitChange {
  End(const MediumOperationPlan& the_plan, bool succeeded) : plan(the_plan), done(succeeded) {}

  engine::Task<bool> decide(UnitState& next) override {
    UnitCondition& condition = next.condition;
    condition.operation = MediumOperation::none;
    condition.progress = nullptr;
    if (done) {
      const spec::ProtectionType before = next.protection;
      if (plan.protection) next.protection = *plan.protection;
      reformatted = next.protection != before;
      condition.format_corrupt = false;
      condition.sanitize_failure = SanitizeFailure::none;
    } else {
      fail_medium_operation(plan, condition);
    }
    co_return true;
  }
  void apply(LogicalUnitShard& part) override {
    // READ CAPACITY data have changed.
    if (reformatted) part.raise(AdditionalSense::capacity_data_has_changed);
  }

  const MediumOperationPlan& plan;
  const bool done;
  bool reformatted = false;
};

engine::Task<void> run(LogicalUnitShard& home, MediumOperationPlan plan, Progress progress) {
  LogicalUnit& unit = home.unit();
  co_await wait_until_quiet(unit, home);
  const block::Status status = co_await perform(home, plan, *progress);
  // If a stop interrupts the operation, its record stays in the store, and the next start continues
  // it. A record that cannot be removed would do the same and destroy data written since. So this
  // counts as a failed operation, after which nothing can be written.
  bool done = status == block::Status::ok;
  if (done) {
    const Result<void> forgotten = co_await forget_medium_operation(unit);
    done = forgotten.has_value();
  }
  progress->failed = !done;
  End end(plan, done);
  co_await unit.change(end);
  progress->ended = true;
}

// On the home shard.
void start(LogicalUnit& unit, const MediumOperationPlan& plan, const Progress& progress) {
  LogicalUnitShard* home = unit.find(unit.home().index());
  if (home == nullptr || home->is_stopping()) {
    progress->failed = true;
    progress->ended = true;
    return;
  }
  home->spawn(run(*home, plan, progress));
}

}  // namespace

engine::Task<Progress> run_medium_operation(Command& command, MediumOperationPlan plan) {
  LogicalUnit& unit = command.unit->unit();
  auto progress = std::make_shared<MediumOperationProgress>();
  Begin begin(unit, plan, progress);
  const bool begun = co_await unit.change(begin);
  if (!begun) {
    set_check_condition(command, *begin.refusal);
    co_return nullptr;
  }
  auto start_there = [&unit, &plan, &progress] { start(unit, plan, progress); };
  auto there = engine::call_on(unit.home(), start_there);
  co_await there;
  co_return progress;
}

engine::Task<void> await_medium_operation(Command& command, Progress progress) {
  const bool formats = command.description->opcode == spec::Opcode::format_unit;
  while (!progress->ended) {
    if (command.aborted) co_return;
    if (command.withdrawn != nullptr) {
      set_check_condition(command, *command.withdrawn);
      co_return;
    }
    co_await engine::sleep_for(*command.shard, kLookEvery);
  }
  if (!progress->failed) co_return;
  set_check_condition(command, Sense::of(spec::SenseKey::medium_error,
                                         formats ? AdditionalSense::format_command_failed
                                                 : AdditionalSense::sanitize_command_failed));
}

engine::Task<Result<void>> forget_medium_operation(LogicalUnit& unit) {
  Result<void> saved = co_await unit.save(kMediumOperationKey, std::nullopt);
  if (saved) unit.interrupted_operation().reset();
  co_return saved;
}

namespace {

struct Resume final : UnitChange {
  explicit Resume(LogicalUnit& logical_unit) : unit(logical_unit) {}

  engine::Task<bool> decide(UnitState& next) override {
    const auto& plan = unit.interrupted_operation();
    if (!plan || next.write_protected || next.condition.operation != MediumOperation::none)
      co_return false;
    begin_medium_operation(*plan, next.condition);
    co_return true;
  }

  LogicalUnit& unit;
};

// On the home shard.
void go_on_with_interrupted(LogicalUnit& unit) {
  const MediumOperationPlan plan = *std::exchange(unit.interrupted_operation(), std::nullopt);
  start(unit, plan, unit.on(unit.home().index()).state().condition.progress);
}

}  // namespace

Result<void> restore_medium_operation(LogicalUnit& unit, UnitState& state,
                                      const state::Record& kept) {
  auto plan = medium_operation_of(kept);
  if (!plan) {
    return wrap(plan.error(),
                fmt::format("state of device {}: {}", unit.device().name(), kMediumOperationKey));
  }
  if (state.write_protected) {
    log::warning(
        "device {}: it is write-protected, and an operation on its whole medium ({}) did not end; "
        "its blocks stay inaccessible until it is served writable, which lets the operation go on",
        unit.device().name(), to_string(plan->kind));
    fail_medium_operation(*plan, state.condition);
  } else {
    begin_medium_operation(*plan, state.condition);
  }
  unit.interrupted_operation() = std::move(*plan);
  return {};
}

void continue_medium_operation(LogicalUnit& unit) {
  const bool waits = unit.on(unit.home().index()).state().write_protected;
  if (unit.interrupted_operation() && !waits) go_on_with_interrupted(unit);
}

engine::Task<void> resume_medium_operation(LogicalUnit& unit) {
  Resume resume(unit);
  const bool resumed = co_await unit.change(resume);
  if (!resumed) co_return;
  auto go_on = [&unit] { go_on_with_interrupted(unit); };
  auto there = engine::call_on(unit.home(), go_on);
  co_await there;
}

}  // namespace lunar::scsi
