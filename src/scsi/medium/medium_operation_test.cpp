#include "scsi/state/medium_operation.h"

#include <gtest/gtest.h>

#include "scsi/testing/bench.h"
#include "state/testing/memory_store.h"

namespace lunar::scsi {
namespace {

using namespace testing;
using spec::AdditionalSense;
using spec::Opcode;
using spec::SenseKey;
using state::testing::MemoryStore;
using Cdb = std::vector<std::uint8_t>;

constexpr std::uint64_t kBlocks = 64;
constexpr std::uint8_t kImmed = 0x80;
constexpr std::uint8_t kAuse = 0x20;

Cdb sanitize(std::uint8_t action, std::uint8_t flags = 0, std::uint8_t list_bytes = 0) {
  return {0x48, static_cast<std::uint8_t>(action | flags), 0, 0, 0, 0, 0, 0, list_bytes, 0};
}
std::vector<std::byte> bytes(std::initializer_list<unsigned> values) {
  std::vector<std::byte> out;
  for (const unsigned value : values) out.push_back(static_cast<std::byte>(value));
  return out;
}
Cdb read_block(std::uint64_t lba) { return block_cdb(Opcode::read_10, lba, 1); }
Cdb write_block(std::uint64_t lba) { return block_cdb(Opcode::write_10, lba, 1); }

// Stored as by an earlier run of the unit.
void keep(MemoryStore& store, const MediumOperationPlan& plan) {
  const Uuid unit = FakeDevice(kBlocks, 512).uuid();
  EXPECT_TRUE(store.commit_blocking({{state::Object::exclusive(unit.to_string()),
                                      std::string(kMediumOperationKey), to_record(plan)}}));
}

void expect_blocks(Bench& bench, const std::vector<std::uint8_t>& start) {
  for (const std::uint64_t lba : {std::uint64_t{0}, kBlocks / 2, kBlocks - 1}) {
    const Outcome read = bench.initiator().run(read_block(lba));
    ASSERT_TRUE(read.is_good());
    for (std::size_t i = 0; i < read.data.size(); ++i) {
      ASSERT_EQ(read.data[i], start[i % start.size()]) << "block " << lba << " byte " << i;
    }
  }
}

TEST(Sanitize, OverwriteWritesThePatternFromTheStartOfEachBlock) {
  Bench bench(kBlocks);
  bench.initiator().clear_attention();
  ASSERT_TRUE(bench.initiator().run(write_block(7), filled(512, 9)).is_good());
  const auto list = bytes({0x01, 0, 0, 3, 0xa1, 0xb2, 0xc3});
  ASSERT_TRUE(bench.initiator().run(sanitize(1, 0, 7), list).is_good());
  expect_blocks(bench, {0xa1, 0xb2, 0xc3});
  EXPECT_EQ(bench.initiator().requested_sense().additional,
            AdditionalSense::no_additional_sense_information);
}

TEST(Sanitize, InvertedPassesEndWithThePatternItself) {
  Bench bench(kBlocks);
  bench.initiator().clear_attention();
  bench.device().calls.clear();
  ASSERT_TRUE(bench.initiator().run(sanitize(1, 0, 5), bytes({0x80 | 2, 0, 0, 1, 0x0f})).is_good());
  expect_blocks(bench, {0x0f});
  const auto writes = std::ranges::count(bench.device().calls, block::Op::write,
                                         [](const auto& call) { return call.op; });
  EXPECT_EQ(writes, 2);
}

TEST(Sanitize, BlockEraseLeavesZeroes) {
  Bench bench(kBlocks);
  bench.initiator().clear_attention();
  ASSERT_TRUE(bench.initiator().run(write_block(0), filled(512, 9)).is_good());
  ASSERT_TRUE(bench.initiator().run(sanitize(2)).is_good());
  expect_blocks(bench, {0});
}

TEST(Sanitize, OnlyAFewCommandsRunMeanwhileOnAnyShardAndProgressIsTold) {
  Bench bench(kBlocks, {}, 2);
  Initiator far(bench, 1, "iqn.2026-11.test:two");
  bench.initiator().clear_attention();
  far.clear_attention();
  bench.device().hold = true;
  ASSERT_TRUE(bench.initiator().run(sanitize(1, kImmed, 5), bytes({1, 0, 0, 1, 0xee})).is_good());
  for (const Cdb& cdb : {read_block(0), Cdb(6), sanitize(2), Cdb{0x04, 0, 0, 0, 0, 0}}) {
    const Outcome outcome = far.run(cdb);
    EXPECT_TRUE(outcome.is(SenseKey::not_ready, AdditionalSense::sanitize_in_progress))
        << unsigned{cdb[0]};
    EXPECT_TRUE(std::holds_alternative<spec::ProgressIndication>(outcome.sense.specific));
  }
  EXPECT_EQ(far.requested_sense().additional, AdditionalSense::sanitize_in_progress);
  EXPECT_TRUE(far.run({0x12, 0, 0, 0, 36, 0}).is_good()) << "INQUIRY";
  EXPECT_TRUE(far.run({0xa3, 0x0c, 0, 0, 0, 0, 0, 0, 64, 0, 0, 0}).is_good()) << "RSOC";
  engine::Shard::bind(&bench.world().shard(0));
  bench.device().release();
  EXPECT_TRUE(bench.world().run_until([&] { return far.run(read_block(0)).is_good(); }));
  EXPECT_EQ(far.run(read_block(3)).data[0], 0xee);
}

TEST(Sanitize, WaitsForTheCommandsThatCameBefore) {
  Bench bench(kBlocks);
  bench.initiator().clear_attention();
  bench.device().hold = true;
  const auto older = bench.initiator().start(write_block(5), filled(512, 1));
  ASSERT_TRUE(bench.initiator().run(sanitize(1, kImmed, 5), bytes({1, 0, 0, 1, 0xee})).is_good());
  engine::Shard::bind(&bench.world().shard(0));
  bench.device().release();
  EXPECT_TRUE(bench.initiator().finish(*older).is_good());
  EXPECT_TRUE(
      bench.world().run_until([&] { return bench.initiator().run(read_block(5)).is_good(); }));
  expect_blocks(bench, {0xee});
}

TEST(Sanitize, AFailureStaysUntilItIsEndedAsItsModeAllows) {
  Bench bench(kBlocks);
  bench.initiator().clear_attention();
  const auto list = bytes({1, 0, 0, 1, 0xee});
  const auto fail_with = [&](std::uint8_t flags) {
    bench.device().answers[block::Op::write] = block::Status::write_error;
    const Outcome outcome = bench.initiator().run(sanitize(1, flags, 5), list);
    bench.device().answers.clear();
    return outcome;
  };
  EXPECT_TRUE(fail_with(0).is(SenseKey::medium_error, AdditionalSense::sanitize_command_failed));
  EXPECT_TRUE(bench.initiator()
                  .run(read_block(0))
                  .is(SenseKey::medium_error, AdditionalSense::sanitize_command_failed));
  EXPECT_TRUE(bench.initiator().run(sanitize(0x1f)).is_invalid_field(1)) << "restricted";
  EXPECT_TRUE(bench.initiator().run(sanitize(1, kAuse, 5), list).is_invalid_field(1));
  ASSERT_TRUE(bench.initiator().run(sanitize(1, 0, 5), list).is_good());
  expect_blocks(bench, {0xee});

  EXPECT_TRUE(
      fail_with(kAuse).is(SenseKey::medium_error, AdditionalSense::sanitize_command_failed));
  ASSERT_TRUE(bench.initiator().run(sanitize(0x1f)).is_good());
  EXPECT_TRUE(bench.initiator().run(read_block(0)).is_good());
}

TEST(Sanitize, RefusesBadParameterLists) {
  Bench bench(kBlocks);
  bench.initiator().clear_attention();
  EXPECT_TRUE(bench.initiator().run(sanitize(1, 0, 4), bytes({1, 0, 0, 0})).is_invalid_field(7));
  EXPECT_TRUE(bench.initiator().run(sanitize(2, 0, 4), bytes({1, 0, 0, 0})).is_invalid_field(7));
  EXPECT_TRUE(bench.initiator().run(sanitize(3)).is_invalid_field(1)) << "no cryptography here";
  const std::vector<std::vector<std::byte>> wrong = {
      bytes({0, 0, 0, 1, 5}), bytes({0x21, 0, 0, 1, 5}), bytes({1, 0, 0, 2, 5}),
      bytes({1, 0, 0, 0, 5})};
  for (const auto& list : wrong) {
    EXPECT_TRUE(bench.initiator()
                    .run(sanitize(1, 0, 5), list)
                    .is_illegal(AdditionalSense::invalid_field_in_parameter_list));
  }
  EXPECT_TRUE(bench.initiator()
                  .run(sanitize(1, 0, 6), bytes({1, 0, 0, 2, 5}))
                  .is_illegal(AdditionalSense::parameter_list_length_error));
}

TEST(FormatUnit, LeavesZeroesOrThePattern) {
  Bench bench(kBlocks);
  bench.initiator().clear_attention();
  ASSERT_TRUE(bench.initiator().run(write_block(0), filled(512, 9)).is_good());
  ASSERT_TRUE(bench.initiator().run({0x04, 0, 0, 0, 0, 0}).is_good());
  expect_blocks(bench, {0});
  const auto pattern = bytes({0, 0x88, 0, 0, 0, 1, 0, 2, 0x12, 0x34});
  ASSERT_TRUE(bench.initiator().run({0x04, 0x10, 0, 0, 0, 0}, pattern).is_good());
  expect_blocks(bench, {0x12, 0x34});
  const auto long_list = bytes({0, 0x82, 0, 0, 0, 0, 0, 0});
  ASSERT_TRUE(bench.initiator().run({0x04, 0x30, 0, 0, 0, 0}, long_list).is_good());
  EXPECT_TRUE(
      bench.world().run_until([&] { return bench.initiator().run(read_block(0)).is_good(); }));
  expect_blocks(bench, {0});
}

TEST(FormatUnit, AFailureLeavesTheFormatCorruptUntilTheNext) {
  Bench bench(kBlocks);
  bench.initiator().clear_attention();
  const auto pattern = bytes({0, 0x88, 0, 0, 0, 1, 0, 1, 0x12});
  bench.device().answers[block::Op::write] = block::Status::write_error;
  EXPECT_TRUE(bench.initiator()
                  .run({0x04, 0x10, 0, 0, 0, 0}, pattern)
                  .is(SenseKey::medium_error, AdditionalSense::format_command_failed));
  bench.device().answers.clear();
  EXPECT_TRUE(bench.initiator()
                  .run(read_block(0))
                  .is(SenseKey::medium_error, AdditionalSense::medium_format_corrupted));
  ASSERT_TRUE(bench.initiator().run({0x04, 0, 0, 0, 0, 0}).is_good());
  EXPECT_TRUE(bench.initiator().run(read_block(0)).is_good());
}

TEST(FormatUnit, RefusesWhatItCannotObey) {
  Bench bench(kBlocks);
  bench.initiator().clear_attention();
  EXPECT_TRUE(bench.initiator().run({0x04, 0x08, 0, 0, 0, 0}).is_invalid_field(1)) << "CMPLST";
  EXPECT_TRUE(bench.initiator().run({0x04, 0x50, 0, 0, 0, 0}).is_invalid_field(1)) << "FMTPINFO";
  const std::vector<std::vector<std::byte>> wrong = {bytes({1, 0, 0, 0}),
                                                     bytes({0, 0x40, 0, 0}),
                                                     bytes({0, 0, 0, 8}),
                                                     bytes({0, 0x88, 0, 0, 0, 1, 0, 0}),
                                                     bytes({0, 0x88, 0, 0, 0, 2, 0, 1, 1}),
                                                     bytes({0, 0x88, 0, 0, 0x20, 1, 0, 1, 1})};
  for (const auto& list : wrong) {
    EXPECT_TRUE(bench.initiator()
                    .run({0x04, 0x10, 0, 0, 0, 0}, list)
                    .is_illegal(AdditionalSense::invalid_field_in_parameter_list));
  }
  EXPECT_TRUE(bench.initiator()
                  .run({0x04, 0x10, 0, 0, 0, 0}, bytes({0, 0}))
                  .is_illegal(AdditionalSense::parameter_list_length_error));
}

// SBC-4 §5.24.1: it is processed as HEAD OF QUEUE, so that neither command waits for the other.
TEST(Sanitize, DoesNotWaitForCommandsThatWaitForIt) {
  for (const TaskAttribute attribute :
       {TaskAttribute::simple, TaskAttribute::ordered, TaskAttribute::head_of_queue}) {
    Bench bench(kBlocks);
    Initiator& initiator = bench.initiator();
    initiator.clear_attention();
    const auto sanitizing =
        initiator.start(sanitize(1, 0, 5), bytes({1, 0, 0, 1, 0x55}), 0, attribute);
    const auto reading = initiator.start(read_block(3), {}, 0, TaskAttribute::ordered);
    EXPECT_TRUE(initiator.finish(*sanitizing).is_good());
    const Outcome read = initiator.finish(*reading);
    EXPECT_TRUE(read.is_good() ||
                read.is(SenseKey::not_ready, AdditionalSense::sanitize_in_progress));
  }
}

// The next start would repeat it and destroy what has been written since.
TEST(MediumOperation, IsNotGoodUnlessTheStoreForgetsIt) {
  for (const bool formats : {true, false}) {
    MemoryStore store;
    Bench bench(kBlocks, {.store = &store});
    Initiator& initiator = bench.initiator();
    initiator.clear_attention();
    const Cdb cdb = formats ? Cdb{0x04, 0, 0, 0, 0, 0} : sanitize(2);
    store.forgets = false;
    EXPECT_TRUE(initiator.run(cdb).is(SenseKey::medium_error,
                                      formats ? AdditionalSense::format_command_failed
                                              : AdditionalSense::sanitize_command_failed));
    EXPECT_EQ(store.texts.size(), 1U);
    EXPECT_TRUE(initiator.run(write_block(0), filled(512, 1))
                    .is(SenseKey::medium_error, formats ? AdditionalSense::medium_format_corrupted
                                                        : AdditionalSense::sanitize_command_failed))
        << "nothing that a next start would destroy";
    store.forgets = true;
    ASSERT_TRUE(initiator.run(cdb).is_good());
    EXPECT_TRUE(store.texts.empty());
    EXPECT_TRUE(initiator.run(write_block(0), filled(512, 1)).is_good());
  }
}

TEST(Sanitize, GoesOnAfterARestartWhenEveryShardIsOpen) {
  MemoryStore store;
  MediumOperationPlan plan;
  plan.kind = MediumOperation::sanitize;
  keep(store, plan);
  Bench bench(kBlocks, {}, 2);
  FakeDevice device(kBlocks, 512);
  device.the_capabilities = Bench::full();
  block::Disk disk(device, bench.unit().shards());
  LogicalUnit unit(disk, {.store = &store});
  ASSERT_TRUE(unit.restore(unit_features()));
  const auto open = [](LogicalUnit& opened, engine::Shard& shard) -> engine::Task<void> {
    EXPECT_TRUE(co_await opened.open(shard));
  };
  const auto stop = [](LogicalUnit& opened, engine::Shard& shard) -> engine::Task<void> {
    co_await opened.stop(shard);
  };
  engine::sim::World& world = bench.world();
  world.run([&] { return open(unit, world.shard(0)); });
  world.run_for(engine::kSecond);
  EXPECT_TRUE(device.calls.empty());
  EXPECT_EQ(unit.on(0).state().condition.operation, MediumOperation::sanitize);
  world.run([&] { return open(unit, world.shard(1)); }, 1);
  EXPECT_EQ(unit.on(1).state().condition.operation, MediumOperation::sanitize);
  world.run_for(engine::kSecond);
  for (const unsigned shard : {0U, 1U})
    EXPECT_EQ(unit.on(shard).state().condition.operation, MediumOperation::none);
  EXPECT_TRUE(store.texts.empty());
  for (const std::size_t shard : {0U, 1U})
    world.run([&] { return stop(unit, world.shard(shard)); }, shard);
}

TEST(Sanitize, GoesOnAfterARestart) {
  MemoryStore store;
  Bench bench(kBlocks, {.store = &store});
  bench.initiator().clear_attention();
  bench.device().hold = true;
  ASSERT_TRUE(bench.initiator().run(sanitize(1, kImmed, 5), bytes({1, 0, 0, 1, 0xee})).is_good());
  // What a target finds that starts after a power loss at this point.
  FakeDevice device(kBlocks, 512);
  block::Disk disk(device, bench.unit().shards());
  LogicalUnit again(disk, {.store = &store});
  ASSERT_TRUE(again.restore(unit_features()));
  engine::Shard::bind(&bench.world().shard(0));
  bench.device().release();
  EXPECT_TRUE(
      bench.world().run_until([&] { return bench.initiator().run(read_block(0)).is_good(); }));
  const auto open = [](LogicalUnit& unit, engine::Shard& shard) -> engine::Task<void> {
    EXPECT_TRUE(co_await unit.open(shard));
  };
  const auto stop = [](LogicalUnit& unit, engine::Shard& shard) -> engine::Task<void> {
    co_await unit.stop(shard);
  };
  engine::Shard& shard = bench.world().shard();
  bench.world().run([&] { return open(again, shard); });
  EXPECT_EQ(again.on(0).state().condition.operation, MediumOperation::sanitize);
  EXPECT_TRUE(bench.world().run_until(
      [&] { return again.on(0).state().condition.operation == MediumOperation::none; }));
  EXPECT_EQ(std::to_integer<unsigned>(device.medium[512 * 9]), 0xeeU);
  bench.world().run([&] { return stop(again, shard); });
}

// Until the medium can be written to, it behaves like a failed SANITIZE (SBC-4 §4.11.3).
TEST(Sanitize, WaitsAfterARestartUntilTheMediumCanBeWrittenTo) {
  MemoryStore store;
  MediumOperationPlan plan;
  plan.kind = MediumOperation::sanitize;
  plan.pattern = bytes({0xee});
  keep(store, plan);
  Bench bench(kBlocks, {.read_only = true, .store = &store}, 2);
  Initiator& initiator = bench.initiator();
  initiator.clear_attention();
  bench.world().run_for(engine::kSecond);
  const auto failed = AdditionalSense::sanitize_command_failed;
  EXPECT_TRUE(initiator.run(read_block(0)).is(SenseKey::medium_error, failed));
  EXPECT_EQ(initiator.requested_sense().additional, failed);
  EXPECT_TRUE(bench.device().calls.empty()) << "nothing reaches the medium";
  EXPECT_EQ(store.texts.size(), 1U) << "it is still to be done";

  bench.device().hold = true;
  bench.world().run([&] { return bench.unit().lift_read_only(); });
  (void)initiator.requested_sense();  // MODE PARAMETERS CHANGED
  EXPECT_TRUE(
      initiator.run(read_block(0)).is(SenseKey::not_ready, AdditionalSense::sanitize_in_progress));
  engine::Shard::bind(&bench.world().shard(0));
  bench.device().release();
  EXPECT_TRUE(bench.world().run_until([&] { return initiator.run(read_block(0)).is_good(); }));
  EXPECT_EQ(std::to_integer<unsigned>(bench.device().medium[512 * 9]), 0xeeU);
  EXPECT_TRUE(store.texts.empty());
}

TEST(FormatUnit, WaitsAfterARestartUntilTheMediumCanBeWrittenTo) {
  MemoryStore store;
  keep(store, MediumOperationPlan());
  Bench bench(kBlocks, {.read_only = true, .store = &store});
  bench.initiator().clear_attention();
  bench.world().run_for(engine::kSecond);
  EXPECT_TRUE(bench.initiator()
                  .run(read_block(0))
                  .is(SenseKey::medium_error, AdditionalSense::medium_format_corrupted));
  EXPECT_TRUE(bench.device().calls.empty());
  bench.world().run([&] { return bench.unit().lift_read_only(); });
  EXPECT_TRUE(
      bench.world().run_until([&] { return bench.initiator().run(read_block(0)).is_good(); }));
  EXPECT_TRUE(store.texts.empty());
}

TEST(MediumOperation, RecordIsReadBack) {
  MediumOperationPlan plan;
  plan.kind = MediumOperation::sanitize;
  plan.pattern = bytes({0x00, 0xff, 0x5a});
  plan.passes = 31;
  plan.invert = plan.unrestricted_exit = true;
  const auto same = medium_operation_of(to_record(plan));
  ASSERT_TRUE(same);
  EXPECT_EQ(same->kind, plan.kind);
  EXPECT_EQ(same->pattern, plan.pattern);
  EXPECT_EQ(same->passes, plan.passes);
  EXPECT_TRUE(same->invert && same->unrestricted_exit);
  EXPECT_FALSE(medium_operation_of(state::Record()));
  const auto with = [](const char* kind, std::uint64_t passes, const char* pattern) {
    state::Record record;
    record.add("operation")
        .set("kind", kind)
        .set_number("passes", passes)
        .set_number("invert", 0)
        .set_number("unrestricted_exit", 0)
        .set("pattern", pattern);
    return record;
  };
  EXPECT_TRUE(medium_operation_of(with("format", 1, "")));
  EXPECT_FALSE(medium_operation_of(with("erase", 1, "")));
  EXPECT_FALSE(medium_operation_of(with("format", 0, "")));
  EXPECT_FALSE(medium_operation_of(with("format", 32, "")));
  EXPECT_FALSE(medium_operation_of(with("format", 1, "5")));
  EXPECT_FALSE(medium_operation_of(with("format", 1, "zz")));
  state::Record later = to_record(plan);
  later.version = 2;
  EXPECT_EQ(medium_operation_of(later).error().code, ErrorCode::unsupported);
}

}  // namespace
}  // namespace lunar::scsi
