#include "scsi/diagnostics/self_tests.h"

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

constexpr std::uint64_t kBlocks = 32768;  // 16 MiB

Cdb send_diagnostic(std::uint8_t code) {
  return {0x1d, static_cast<std::uint8_t>(code << 5), 0, 0, 0, 0};
}
const Cdb kTestUnitReady = {0, 0, 0, 0, 0, 0};

struct SelfTests : ::testing::Test {
  Bench bench{kBlocks, {}, 2};
  Initiator& initiator = bench.initiator();
  Initiator other{bench, 1, "iqn.2026-11.test:two"};

  SelfTests() {
    initiator.clear_attention();
    other.clear_attention();
  }
  // A parameter of the log page, without its header.
  Cdb result(std::uint8_t number) {
    const Outcome page = initiator.run({0x4d, 0, 0x50, 0, 0, 0, number, 2, 0, 0});
    EXPECT_TRUE(page.is_good());
    EXPECT_EQ(page.data.size(), 4U + 20U * (21U - number));
    return {page.data.begin() + 8, page.data.begin() + 24};
  }
  std::uint8_t outcome_of(std::uint8_t number = 1) { return result(number)[0]; }
  bool is_running() {
    return other.requested_sense().additional == AdditionalSense::self_test_in_progress;
  }
  void wait() {
    bench.world().run_until([&] {
      return bench.unit().on(0).state().condition.self_test == nullptr &&
             bench.unit().on(1).state().condition.self_test == nullptr;
    });
  }
  std::uint64_t blocks_read() {
    std::uint64_t blocks = 0;
    for (const auto& call : bench.device().calls) blocks += call.count;
    return blocks;
  }
};

TEST_F(SelfTests, AShortOneInTheBackgroundReadsASample) {
  for (std::uint8_t i = 1; i <= 20; ++i) EXPECT_EQ(result(i), Cdb(16)) << "unused";
  ASSERT_TRUE(other.run(send_diagnostic(1)).is_good()) << "on a shard that is not the home";
  wait();
  const auto& calls = bench.device().calls;
  ASSERT_EQ(calls.size(), 64U);
  EXPECT_EQ(calls.front().lba, 0U);
  EXPECT_EQ(calls.back().lba, kBlocks - 1);
  EXPECT_EQ(result(1),
            (Cdb{0x20, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0}));
  EXPECT_EQ(initiator.requested_sense(), spec::Sense{});
}

TEST_F(SelfTests, AnExtendedOneReadsEverythingBesideTheCommands) {
  ASSERT_TRUE(initiator.run(send_diagnostic(2)).is_good());
  EXPECT_EQ(outcome_of(), 0x4f) << "in progress";
  const spec::Sense sense = other.requested_sense();
  EXPECT_EQ(sense.key, SenseKey::not_ready);
  EXPECT_EQ(sense.additional, AdditionalSense::self_test_in_progress);
  EXPECT_TRUE(std::holds_alternative<spec::ProgressIndication>(sense.specific));
  EXPECT_TRUE(other.run(kTestUnitReady).is_good());
  EXPECT_TRUE(other.run(block_cdb(Opcode::write_10, 0, 1), filled(512, 1)).is_good());
  for (const std::uint8_t code : Cdb{1, 2, 5, 6}) {
    EXPECT_TRUE(other.run(send_diagnostic(code))
                    .is(SenseKey::not_ready, AdditionalSense::self_test_in_progress));
  }
  EXPECT_TRUE(other.run({0x1d, 0x04, 0, 0, 0, 0})
                  .is(SenseKey::not_ready, AdditionalSense::self_test_in_progress));
  wait();
  EXPECT_EQ(outcome_of(), 0x40);
  EXPECT_GE(blocks_read(), kBlocks);
}

TEST_F(SelfTests, ABackgroundOneIsAborted) {
  EXPECT_TRUE(initiator.run(send_diagnostic(4)).is_invalid_field(1)) << "there is none";
  ASSERT_TRUE(initiator.run(send_diagnostic(2)).is_good());
  ASSERT_TRUE(other.run(send_diagnostic(4)).is_good());
  EXPECT_EQ(outcome_of(), 0x41);
  EXPECT_FALSE(is_running());
  EXPECT_TRUE(initiator.run(send_diagnostic(4)).is_invalid_field(1));
  ASSERT_TRUE(initiator.run(send_diagnostic(1)).is_good()) << "and makes room for another";
  wait();
  EXPECT_EQ(outcome_of(1), 0x20);
  EXPECT_EQ(outcome_of(2), 0x41);
  EXPECT_LT(blocks_read(), kBlocks);
}

TEST_F(SelfTests, AStopAFormatAndAResetEndABackgroundOne) {
  ASSERT_TRUE(initiator.run(send_diagnostic(2)).is_good());
  ASSERT_TRUE(other.run({0x1b, 0, 0, 0, 0, 0}).is_good());
  EXPECT_EQ(outcome_of(), 0x42);
  EXPECT_TRUE(initiator.run(send_diagnostic(1))
                  .is(SenseKey::not_ready, AdditionalSense::initializing_command_required));
  ASSERT_TRUE(other.run({0x1b, 0, 0, 0, 1, 0}).is_good());
  ASSERT_TRUE(initiator.run(send_diagnostic(2)).is_good());
  ASSERT_TRUE(other.run({0x04, 0, 0, 0, 0, 0}).is_good());
  EXPECT_EQ(outcome_of(), 0x42);
  ASSERT_TRUE(initiator.run(send_diagnostic(2)).is_good());
  const auto reset = [&]() -> engine::Task<void> {
    (void)co_await initiator.server().logical_unit_reset(initiator.nexus(), lun_field(0));
  };
  bench.world().run(reset);
  initiator.clear_attention();
  other.clear_attention();
  EXPECT_EQ(outcome_of(), 0x42);
  EXPECT_FALSE(is_running());
}

TEST_F(SelfTests, OneInTheForegroundKeepsOthersWaiting) {
  bench.device().hold = true;
  const auto test = initiator.start(send_diagnostic(6));
  bench.world().run_until([&] { return !bench.device().held.empty(); });
  EXPECT_TRUE(
      other.run(kTestUnitReady).is(SenseKey::not_ready, AdditionalSense::self_test_in_progress));
  EXPECT_TRUE(other.run({0x48, 0x02, 0, 0, 0, 0, 0, 0, 0, 0})
                  .is(SenseKey::not_ready, AdditionalSense::self_test_in_progress))
      << "SANITIZE";
  EXPECT_TRUE(other.run({0x12, 0, 0, 0, 96, 0}).is_good());
  EXPECT_TRUE(is_running());
  bench.device().release();
  EXPECT_TRUE(initiator.finish(*test).is_good());
  EXPECT_TRUE(other.run(kTestUnitReady).is_good());
  EXPECT_EQ(outcome_of(), 0xc0);
  EXPECT_GE(blocks_read(), kBlocks);
}

TEST_F(SelfTests, OneInTheForegroundEndsWithItsCommand) {
  bench.device().hold = true;
  const auto test = initiator.start(send_diagnostic(5));
  bench.world().run_until([&] { return !bench.device().held.empty(); });
  engine::Shard::bind(&bench.world().shard(0));
  initiator.server().abort(*test);
  bench.device().release();
  EXPECT_TRUE(initiator.finish(*test).aborted);
  EXPECT_EQ(outcome_of(), 0xa2);
  EXPECT_TRUE(other.run(kTestUnitReady).is_good());
}

TEST_F(SelfTests, TellWhereTheMediumFails) {
  bench.device().answers[block::Op::read] = block::Status::read_error;
  EXPECT_TRUE(initiator.run(send_diagnostic(5))
                  .is(SenseKey::hardware_error, AdditionalSense::lu_failed_self_test));
  EXPECT_EQ(result(1), (Cdb{0xa5, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3, 0x11, 0, 0}));
  ASSERT_TRUE(initiator.run(send_diagnostic(1)).is_good()) << "the log tells, not the status";
  wait();
  EXPECT_EQ(outcome_of(1), 0x25);
  EXPECT_EQ(outcome_of(2), 0xa5);
}

TEST_F(SelfTests, TheTwentyNewestAreKept) {
  for (int i = 0; i < 22; ++i) {
    ASSERT_TRUE(initiator.run(send_diagnostic(i == 2 ? 6 : 5)).is_good());
  }
  EXPECT_EQ(outcome_of(20), 0xc0) << "the third";
  EXPECT_EQ(outcome_of(19), 0xa0);
}

TEST_F(SelfTests, TheTimeOfAnExtendedOneIsTold) {
  const Outcome page = initiator.run({0x1a, 0x08, 0x0a, 0, 255, 0});
  EXPECT_EQ(page.data.at(4 + 11), 1) << "seconds";
  EXPECT_EQ(initiator.run({0x12, 1, 0x86, 0, 64, 0}).data.at(11), 1) << "minutes";
  EXPECT_EQ(extended_self_test_seconds(kTiB), 20972U);
}

// ---- Across a restart

Cdb first_result(Initiator& initiator) {
  const Outcome page = initiator.run({0x4d, 0, 0x50, 0, 0, 0, 1, 2, 0, 0});
  EXPECT_TRUE(page.is_good());
  return {page.data.begin() + 8, page.data.begin() + 24};
}

TEST(SelfTestResults, OutliveTheUnit) {
  MemoryStore store;
  Cdb before;
  {
    Bench bench(kBlocks, {.store = &store});
    bench.initiator().clear_attention();
    bench.device().answers[block::Op::read] = block::Status::read_error;
    EXPECT_EQ(bench.initiator().run(send_diagnostic(5)).status, spec::Status::check_condition);
    before = first_result(bench.initiator());
    EXPECT_EQ(before[0], 0xa5) << "its second segment but one failed";
  }
  Bench bench(kBlocks, {.store = &store});
  bench.initiator().clear_attention();
  EXPECT_EQ(first_result(bench.initiator()), before);
}

TEST(SelfTestResults, TellThatAPowerLossAbortedOne) {
  MemoryStore store;
  Bench bench(kBlocks, {.store = &store});
  bench.initiator().clear_attention();
  bench.device().hold = true;
  ASSERT_TRUE(bench.initiator().run(send_diagnostic(2)).is_good());
  EXPECT_EQ(first_result(bench.initiator())[0], 0x4f);
  Bench after_power_loss(kBlocks, {.store = &store});
  after_power_loss.initiator().clear_attention();
  EXPECT_EQ(first_result(after_power_loss.initiator())[0], 0x42);
  engine::Shard::bind(&bench.world().shard(0));
  bench.device().release();
}

TEST(SelfTestResults, AreNoReasonToFail) {
  MemoryStore store;
  Bench bench(kBlocks, {.store = &store});
  bench.initiator().clear_attention();
  store.fails = true;
  EXPECT_TRUE(bench.initiator().run(send_diagnostic(5)).is_good());
  EXPECT_EQ(first_result(bench.initiator())[0], 0xa0);
  store.fails = false;
  state::Record strange;
  strange.add("result").set("code", "from another planet");
  const state::Object object = state::Object::exclusive(bench.device().uuid().to_string());
  ASSERT_TRUE(store.commit_blocking({{object, std::string(kSelfTestsKey), strange}}));
  Bench again(kBlocks, {.store = &store});
  again.initiator().clear_attention();
  EXPECT_EQ(first_result(again.initiator()), Cdb(16));
}

TEST(SelfTestResults, RecordIsReadBack) {
  SelfTestLog log;
  for (std::size_t i = 0; i < spec::kSelfTestResults; ++i) {
    SelfTestResult result;
    result.code = spec::SelfTestCode::foreground_extended;
    result.outcome = spec::SelfTestOutcome::second_segment_failed;
    result.segment = 2;
    result.power_on_hours = UINT16_MAX;
    if (i % 2 == 0) result.first_failure = UINT64_MAX - i;
    result.sense = spec::Sense::of(SenseKey::medium_error, AdditionalSense::unrecovered_read_error);
    log.recent.push_back(result);
  }
  const state::Record record = to_record(log);
  const auto same = self_test_log_of(record);
  ASSERT_TRUE(same);
  EXPECT_EQ(to_record(*same), record);
  state::Record more = record;
  more.entries.push_back(more.entries.front());
  EXPECT_FALSE(self_test_log_of(more)) << "more than are kept";
  state::Record later = record;
  later.version = 2;
  EXPECT_EQ(self_test_log_of(later).error().code, ErrorCode::unsupported);
  for (const char* missing : {"code", "outcome", "segment", "power_on_hours", "sense_key"}) {
    state::Record wrong;
    state::Entry& entry = wrong.add("result");
    for (const char* field :
         {"code", "outcome", "segment", "power_on_hours", "sense_key", "additional_sense"})
      if (std::string_view(field) != missing) entry.set_number(field, 1);
    EXPECT_FALSE(self_test_log_of(wrong)) << missing;
  }
}

}  // namespace
}  // namespace lunar::scsi
