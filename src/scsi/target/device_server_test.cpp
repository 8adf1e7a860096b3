#include <gtest/gtest.h>

#include "scsi/core/task_set.h"
#include "scsi/testing/bench.h"

namespace lunar::scsi {
namespace {

using namespace testing;
using spec::AdditionalSense;
using spec::Opcode;

constexpr std::uint64_t kAccessControls = 0xc102'0000'0000'0000;

TEST(LogicalUnits, NumbersWithoutOneAreRefused) {
  Bench bench;
  for (const std::uint64_t lun : {std::uint64_t{1}, std::uint64_t{300}, kAccessControls,
                                  std::uint64_t{0x8000'0000'0000'0000}}) {
    EXPECT_TRUE(bench.initiator()
                    .run(block_cdb(Opcode::read_10, 0, 1), {}, lun)
                    .is_illegal(AdditionalSense::lu_not_supported));
    EXPECT_TRUE(bench.initiator()
                    .run(std::vector<std::uint8_t>(16, 0xff), {}, lun)
                    .is_illegal(AdditionalSense::lu_not_supported));
  }
}

TEST(LogicalUnits, OneMayHaveSeveralNumbers) {
  Bench bench;
  ASSERT_TRUE(bench.add(Lun(5000), bench.unit()));
  EXPECT_FALSE(bench.add(Lun(5000), bench.unit()));
  EXPECT_FALSE(bench.add(Lun(16384), bench.unit()));
  bench.initiator().clear_attention(0);
  bench.initiator().clear_attention(5000);
  EXPECT_TRUE(
      bench.initiator().run(block_cdb(Opcode::write_10, 0, 1), filled(512, 3), 5000).is_good());
  EXPECT_EQ(bench.initiator().run(block_cdb(Opcode::read_10, 0, 1)).data[0], 3);
}

TEST(UnitAttention, IsToldOnceToEachNexus) {
  Bench bench;
  Initiator other(bench, 0, "iqn.2026-11.test:two");
  for (Initiator* initiator : {&bench.initiator(), &other}) {
    EXPECT_TRUE(initiator->run(block_cdb(Opcode::read_10, 0, 1))
                    .is_attention(AdditionalSense::power_on_reset_or_bus_device_reset_occurred));
    EXPECT_TRUE(initiator->run(block_cdb(Opcode::read_10, 0, 1)).is_good());
  }
}

TEST(UnitAttention, QueueKeepsOrderAndForgetsNothingSilently) {
  UnitAttentions attentions;
  attentions.raise(AdditionalSense::mode_parameters_changed);
  attentions.raise(AdditionalSense::capacity_data_has_changed);
  attentions.raise(AdditionalSense::mode_parameters_changed);
  EXPECT_EQ(attentions.take().additional, AdditionalSense::mode_parameters_changed);
  EXPECT_EQ(attentions.take().additional, AdditionalSense::capacity_data_has_changed);
  EXPECT_FALSE(attentions.pending());
  for (std::uint8_t i = 0; i <= kMaxUnitAttentions; ++i)
    attentions.raise(spec::make_additional_sense(0x3f, i));
  EXPECT_EQ(attentions.take().specific, spec::SenseKeySpecific(spec::UnitAttentionOverflow{true}));
  attentions.raise(AdditionalSense::power_on_reset_or_bus_device_reset_occurred);
  EXPECT_EQ(attentions.take().additional,
            AdditionalSense::power_on_reset_or_bus_device_reset_occurred);
  EXPECT_FALSE(attentions.pending()) << "a reset makes the others moot";
}

TEST(UnitAttention, AGreaterResetIncludesTheLesser) {
  using enum AdditionalSense;
  UnitAttentions attentions;
  attentions.raise(mode_parameters_changed);
  attentions.raise(i_t_nexus_loss_occurred);
  attentions.raise(bus_device_reset_function_occurred);
  attentions.raise(i_t_nexus_loss_occurred);
  EXPECT_EQ(attentions.count(), 2U);
  EXPECT_TRUE(attentions.is_reset_pending());
  attentions.raise(scsi_bus_reset_occurred);
  EXPECT_EQ(attentions.first().additional, scsi_bus_reset_occurred);
  EXPECT_EQ(attentions.take().additional, scsi_bus_reset_occurred);
  EXPECT_FALSE(attentions.is_reset_pending());
  EXPECT_EQ(attentions.take().additional, mode_parameters_changed) << "still worth telling";
  EXPECT_FALSE(attentions.pending());
}

TEST(UnitAttention, AResetIsToldAlsoWhenTheQueueIsFull) {
  UnitAttentions attentions;
  for (std::uint8_t i = 0; i < kMaxUnitAttentions; ++i)
    attentions.raise(spec::make_additional_sense(0x3f, i));
  attentions.raise(AdditionalSense::bus_device_reset_function_occurred);
  const spec::Sense told = attentions.take();
  EXPECT_EQ(told.additional, AdditionalSense::bus_device_reset_function_occurred);
  EXPECT_EQ(told.specific, spec::SenseKeySpecific(spec::UnitAttentionOverflow{true}));
  EXPECT_EQ(attentions.count(), kMaxUnitAttentions - 1);
}

TEST(TaskSet, HasABound) {
  Bench bench;
  Initiator other(bench, 0, "iqn.2026-11.test:two");
  bench.initiator().clear_attention();
  other.clear_attention();
  const auto read = block_cdb(Opcode::read_10, 0, 1);
  const auto write = block_cdb(Opcode::write_10, 0, 1);
  std::vector<std::unique_ptr<TestCommand>> commands;
  for (std::uint32_t i = 0; i < kMaxTaskSetCommands; ++i)
    commands.push_back(bench.initiator().prepare(write, {}));
  EXPECT_EQ(bench.initiator().run(read).status, spec::Status::task_set_full);
  EXPECT_TRUE(other.run(read).is_good()) << "a task set of its own";
  bench.initiator().server().abort(*commands.back());
  (void)bench.initiator().finish(*commands.back());
  EXPECT_TRUE(bench.initiator().run(read).is_good());
  for (const auto& command : commands) bench.initiator().server().abort(*command);
  for (const auto& command : commands) (void)bench.initiator().finish(*command);
}

TEST(TaskSet, IsToldToHaveBeenFullWhereStatusesAreInterlocked) {
  Bench bench;
  Initiator& initiator = bench.initiator();
  initiator.clear_attention();
  const Bytes list = std::as_bytes(std::span("\0\0\0\0\x0a\x0a\x22\x10\x30\0\0\0\0\0\0\x01", 16));
  ASSERT_TRUE(initiator.run({0x15, 0x10, 0, 0, 16, 0}, {list.begin(), list.end()}).is_good());
  const auto write = block_cdb(Opcode::write_10, 0, 1);
  std::vector<std::unique_ptr<TestCommand>> commands;
  for (std::uint32_t i = 0; i < kMaxTaskSetCommands; ++i)
    commands.push_back(initiator.prepare(write, {}));
  EXPECT_EQ(initiator.run(write).status, spec::Status::task_set_full);
  EXPECT_EQ(initiator.run(write).status, spec::Status::task_set_full);
  for (const auto& command : commands) initiator.server().abort(*command);
  for (const auto& command : commands) (void)initiator.finish(*command);
  const auto attention = AdditionalSense::previous_task_set_full_status;
  EXPECT_TRUE(initiator.run({0, 0, 0, 0, 0, 0}).is_attention(attention));
  EXPECT_EQ(initiator.requested_sense().additional, attention);
  EXPECT_TRUE(initiator.run({0, 0, 0, 0, 0, 0}).is_good());
}

TEST(TaskAttributes, NacaIsRefused) {
  Bench bench;
  bench.initiator().clear_attention();
  auto cdb = block_cdb(Opcode::read_10, 0, 1);
  cdb[9] = spec::kControlNaca;
  EXPECT_TRUE(bench.initiator().run(cdb).is_invalid_field(9));
}

TEST(TaskAttributes, AnAbortedOrderedCommandHoldsNobody) {
  Bench bench;
  bench.initiator().clear_attention();
  bench.device().hold = true;
  const auto older = bench.initiator().start(block_cdb(Opcode::read_10, 1, 1));
  const auto ordered =
      bench.initiator().start(block_cdb(Opcode::read_10, 2, 1), {}, 0, TaskAttribute::ordered);
  const auto newer = bench.initiator().start(block_cdb(Opcode::read_10, 3, 1));
  const auto head = bench.initiator().prepare(block_cdb(Opcode::write_10, 4, 1), filled(512, 1), 0,
                                              TaskAttribute::head_of_queue);
  ASSERT_EQ(bench.device().calls.size(), 1U);
  bench.initiator().server().abort(*ordered);
  EXPECT_TRUE(bench.initiator().finish(*ordered).aborted);
  EXPECT_EQ(bench.device().calls.size(), 1U) << "a HEAD OF QUEUE command is in the task set";
  bench.initiator().server().abort(*head);
  EXPECT_TRUE(bench.initiator().finish(*head).aborted);
  EXPECT_EQ(bench.device().calls.size(), 2U);
  bench.device().release();
  for (TestCommand* command : {older.get(), newer.get()})
    EXPECT_TRUE(bench.initiator().finish(*command).is_good());
}

TEST(TaskAttributes, OrderedWaitsForTheOlderAndHoldsTheNewer) {
  Bench bench;
  bench.initiator().clear_attention();
  bench.device().hold = true;
  const auto older = bench.initiator().start(block_cdb(Opcode::read_10, 1, 1));
  const auto ordered =
      bench.initiator().start(block_cdb(Opcode::read_10, 2, 1), {}, 0, TaskAttribute::ordered);
  const auto newer = bench.initiator().start(block_cdb(Opcode::read_10, 3, 1));
  ASSERT_EQ(bench.device().calls.size(), 1U);
  bench.device().release();
  for (TestCommand* command : {older.get(), ordered.get(), newer.get()}) {
    EXPECT_TRUE(bench.initiator().finish(*command).is_good());
  }
  ASSERT_EQ(bench.device().calls.size(), 3U);
  EXPECT_EQ(bench.device().calls[1].lba, 2U);
  EXPECT_EQ(bench.device().calls[2].lba, 3U);
}

TEST(TaskAttributes, HeadOfQueueWaitsForNobody) {
  Bench bench;
  bench.initiator().clear_attention();
  bench.device().hold = true;
  const auto older = bench.initiator().start(block_cdb(Opcode::read_10, 1, 1));
  const auto ordered =
      bench.initiator().start(block_cdb(Opcode::read_10, 2, 1), {}, 0, TaskAttribute::ordered);
  const auto head = bench.initiator().start(block_cdb(Opcode::read_10, 3, 1), {}, 0,
                                            TaskAttribute::head_of_queue);
  ASSERT_EQ(bench.device().calls.size(), 2U);
  EXPECT_EQ(bench.device().calls[1].lba, 3U);
  bench.device().release();
  for (TestCommand* command : {older.get(), ordered.get(), head.get()})
    (void)bench.initiator().finish(*command);
}

TEST(TaskAttributes, OtherNexusesAreNotHeld) {
  Bench bench;
  Initiator other(bench, 0, "iqn.2026-11.test:two");
  bench.initiator().clear_attention();
  other.clear_attention();
  bench.device().hold = true;
  const auto ordered =
      bench.initiator().start(block_cdb(Opcode::read_10, 2, 1), {}, 0, TaskAttribute::ordered);
  const auto simple = other.start(block_cdb(Opcode::read_10, 3, 1));
  EXPECT_EQ(bench.device().calls.size(), 2U);
  bench.device().release();
  (void)other.finish(*simple);
  (void)bench.initiator().finish(*ordered);
}

TEST(TaskAttributes, AcaIsRefused) {
  Bench bench;
  bench.initiator().clear_attention();
  const auto command =
      bench.initiator().prepare(block_cdb(Opcode::read_10, 0, 1), {}, 0, TaskAttribute::aca);
  EXPECT_TRUE(
      bench.initiator().finish(*command).is_illegal(AdditionalSense::invalid_message_error));
}

TEST(Abort, PreparedCommandEndsWithoutEffect) {
  Bench bench;
  bench.initiator().clear_attention();
  const auto command = bench.initiator().prepare(block_cdb(Opcode::write_10, 0, 1), filled(512, 1));
  bench.initiator().server().abort(*command);
  EXPECT_FALSE(command->outcome) << "never inline";
  bench.initiator().execute(*command);  // the data arrived in the same loop
  EXPECT_TRUE(bench.initiator().finish(*command).aborted);
  EXPECT_TRUE(bench.device().calls.empty());
  bench.initiator().server().abort(*command);
}

TEST(Abort, ReachesTheMedium) {
  Bench bench;
  bench.initiator().clear_attention();
  bench.device().hold = true;
  const auto command = bench.initiator().start(block_cdb(Opcode::write_10, 0, 1), filled(512, 1));
  ASSERT_EQ(bench.device().held.size(), 1U);
  bench.initiator().server().abort(*command);
  const Outcome outcome = bench.initiator().finish(*command);
  EXPECT_TRUE(outcome.aborted);
  EXPECT_EQ(outcome.status, spec::Status::task_aborted);
}

TEST(Abort, TakesACommandOutOfTheBufferQueue) {
  Bench bench;
  bench.initiator().clear_attention();
  std::vector<engine::Buffer> all;
  while (auto buffer = bench.world().shard().buffers().try_allocate(engine::kMinBufferBytes))
    all.push_back(std::move(buffer));
  const auto command = bench.initiator().start(block_cdb(Opcode::read_10, 0, 1));
  bench.initiator().server().abort(*command);
  EXPECT_TRUE(bench.initiator().finish(*command).aborted);
  EXPECT_FALSE(bench.world().shard().buffers().has_waiters());
}

TEST(Abort, HeldCommandLetsTheOthersGo) {
  Bench bench;
  bench.initiator().clear_attention();
  const auto ordered = bench.initiator().prepare(block_cdb(Opcode::write_10, 0, 1), filled(512, 1),
                                                 0, TaskAttribute::ordered);
  const auto waiting = bench.initiator().start(block_cdb(Opcode::read_10, 0, 1));
  EXPECT_TRUE(bench.device().calls.empty());
  bench.initiator().server().abort(*ordered);
  EXPECT_TRUE(bench.initiator().finish(*waiting).is_good());
  EXPECT_TRUE(ordered->outcome->aborted);
}

engine::Task<void> run_function(engine::Task<TaskManagementOutcome> function,
                                TaskManagementOutcome& outcome, bool& done) {
  outcome = co_await function;
  done = true;
}

TEST(TaskManagement, AbortTaskSetEndsTheCommandsOfOneNexus) {
  Bench bench;
  Initiator other(bench, 0, "iqn.2026-11.test:two");
  bench.initiator().clear_attention();
  other.clear_attention();
  bench.device().hold = true;
  const auto mine = bench.initiator().start(block_cdb(Opcode::read_10, 1, 1));
  const auto prepared = bench.initiator().prepare(block_cdb(Opcode::write_10, 0, 1), {});
  const auto others = other.start(block_cdb(Opcode::read_10, 2, 1));
  TaskManagementOutcome outcome = TaskManagementOutcome::rejected;
  bool done = false;
  run_function(bench.initiator().server().abort_task_set(bench.initiator().nexus(), lun_field(0)),
               outcome, done)
      .detach();
  EXPECT_FALSE(done);
  ASSERT_TRUE(bench.world().run_until([&] { return done; }));
  EXPECT_EQ(outcome, TaskManagementOutcome::function_complete);
  ASSERT_TRUE(mine->outcome && prepared->outcome) << "the function answers last";
  EXPECT_TRUE(mine->outcome->aborted);
  EXPECT_TRUE(prepared->outcome->aborted);
  EXPECT_FALSE(others->outcome);
  bench.device().release();
  EXPECT_TRUE(other.finish(*others).is_good());
}

TEST(TaskManagement, LogicalUnitResetReachesEveryShard) {
  Bench bench(64, {}, 3);
  Initiator same(bench, 0, "iqn.2026-11.test:two");
  Initiator far(bench, 2, "iqn.2026-11.test:three");
  for (Initiator* initiator : {&bench.initiator(), &same, &far}) initiator->clear_attention();
  const auto mine = bench.initiator().prepare(block_cdb(Opcode::write_10, 0, 1), {});
  const auto near = same.prepare(block_cdb(Opcode::write_10, 0, 1), {});
  const auto remote = far.prepare(block_cdb(Opcode::write_10, 0, 1), {});
  TaskManagementOutcome outcome = TaskManagementOutcome::rejected;
  bool done = false;
  engine::Shard::bind(&bench.world().shard(0));
  run_function(
      bench.initiator().server().logical_unit_reset(bench.initiator().nexus(), lun_field(0)),
      outcome, done)
      .detach();
  ASSERT_TRUE(bench.world().run_until([&] { return done; }));
  EXPECT_EQ(outcome, TaskManagementOutcome::function_complete);
  for (TestCommand* command : {mine.get(), near.get(), remote.get()}) {
    ASSERT_TRUE(command->outcome);
    EXPECT_TRUE(command->outcome->aborted);
  }
  for (Initiator* initiator : {&bench.initiator(), &same, &far}) {
    EXPECT_TRUE(initiator->run({0, 0, 0, 0, 0, 0})
                    .is_attention(AdditionalSense::bus_device_reset_function_occurred));
    EXPECT_TRUE(initiator->run({0, 0, 0, 0, 0, 0}).is_good());
  }
}

TEST(TaskManagement, TargetResetAndWrongNumbers) {
  Bench bench;
  bench.initiator().clear_attention();
  TaskManagementOutcome outcome = TaskManagementOutcome::rejected;
  bool done = false;
  run_function(
      bench.initiator().server().logical_unit_reset(bench.initiator().nexus(), lun_field(8)),
      outcome, done)
      .detach();
  ASSERT_TRUE(bench.world().run_until([&] { return done; }));
  EXPECT_EQ(outcome, TaskManagementOutcome::incorrect_lun);
  done = false;
  run_function(bench.initiator().server().target_reset(bench.initiator().nexus()), outcome, done)
      .detach();
  ASSERT_TRUE(bench.world().run_until([&] { return done; }));
  EXPECT_EQ(outcome, TaskManagementOutcome::function_complete);
}

}  // namespace
}  // namespace lunar::scsi
