#include <gtest/gtest.h>

#include "scsi/testing/bench.h"

namespace lunar::scsi {
namespace {

using namespace testing;
using spec::AdditionalSense;
using spec::Opcode;
using spec::SenseKey;
using Cdb = std::vector<std::uint8_t>;

Cdb start_stop(std::uint8_t power, std::uint8_t modifier = 0) {
  return {0x1b, 0, 0, modifier, power, 0};
}
constexpr std::uint8_t kStart = 0x01;
constexpr std::uint8_t kStop = 0x00;
constexpr std::uint8_t kEject = 0x02;
constexpr std::uint8_t kLoad = 0x03;
Cdb prevent(bool wanted) { return {0x1e, 0, 0, 0, static_cast<std::uint8_t>(wanted ? 1 : 0), 0}; }
Cdb test_unit_ready() { return Cdb(6); }
Cdb read_one() { return block_cdb(Opcode::read_10, 0, 1); }

TEST(StartStopUnit, StoppedIsNotReadyOnEveryShardUntilStarted) {
  Bench bench(2048, {}, 2);
  Initiator far(bench, 1, "iqn.2026-11.test:two");
  bench.initiator().clear_attention();
  far.clear_attention();
  ASSERT_TRUE(far.run(start_stop(kStop)).is_good());
  for (Initiator* initiator : {&bench.initiator(), &far}) {
    EXPECT_TRUE(initiator->run(read_one())
                    .is(SenseKey::not_ready, AdditionalSense::initializing_command_required));
    EXPECT_TRUE(initiator->run(test_unit_ready())
                    .is(SenseKey::not_ready, AdditionalSense::initializing_command_required));
    EXPECT_EQ(initiator->requested_sense().additional,
              AdditionalSense::initializing_command_required);
    EXPECT_TRUE(initiator->run({0x12, 0, 0, 0, 36, 0}).is_good()) << "INQUIRY";
  }
  ASSERT_TRUE(bench.initiator().run(start_stop(kStart)).is_good());
  EXPECT_TRUE(far.run(read_one()).is_good());
}

TEST(StartStopUnit, StoppingFlushesUnlessToldNotTo) {
  block::Capabilities capabilities = Bench::full();
  capabilities.volatile_cache = true;
  Bench bench(2048, {}, 1, 512, capabilities);
  bench.initiator().clear_attention();
  ASSERT_TRUE(bench.initiator().run(start_stop(0x04)).is_good());
  EXPECT_TRUE(bench.device().calls.empty());
  ASSERT_TRUE(bench.initiator().run(start_stop(kStart)).is_good());
  ASSERT_TRUE(bench.initiator().run(start_stop(kStop)).is_good());
  ASSERT_EQ(bench.device().calls.size(), 1U);
  EXPECT_EQ(bench.device().calls[0].op, block::Op::flush);
}

TEST(StartStopUnit, LowPowerIsToldAndEndsWithTheNextAccess) {
  Bench bench;
  bench.initiator().clear_attention();
  const std::pair<Cdb, AdditionalSense> conditions[] = {
      {start_stop(0x20, 0), AdditionalSense::idle_condition_by_command},
      {start_stop(0x20, 1), AdditionalSense::idle_b_condition_by_command},
      {start_stop(0x20, 2), AdditionalSense::idle_c_condition_by_command},
      {start_stop(0x30, 0), AdditionalSense::standby_condition_by_command},
      {start_stop(0x30, 1), AdditionalSense::standby_y_condition_by_command}};
  for (const auto& [cdb, told] : conditions) {
    ASSERT_TRUE(bench.initiator().run(cdb).is_good());
    EXPECT_TRUE(bench.initiator().run(test_unit_ready()).is_good());
    EXPECT_EQ(bench.initiator().requested_sense().additional, told);
    EXPECT_TRUE(bench.initiator().run(read_one()).is_good());
    EXPECT_TRUE(bench.world().run_until([&] {
      return bench.initiator().requested_sense().additional ==
             AdditionalSense::no_additional_sense_information;
    }));
  }
}

TEST(StartStopUnit, RefusesWhatItHasNot) {
  Bench bench;
  bench.initiator().clear_attention();
  EXPECT_TRUE(bench.initiator().run(start_stop(kEject)).is_invalid_field(4)) << "not removable";
  EXPECT_TRUE(bench.initiator().run(start_stop(0xa0)).is_invalid_field(4)) << "no timer";
  EXPECT_TRUE(bench.initiator().run(start_stop(0x50)).is_invalid_field(4)) << "SLEEP is obsolete";
  EXPECT_TRUE(bench.initiator().run(start_stop(0x20, 3)).is_invalid_field(3));
  EXPECT_TRUE(bench.initiator().run(start_stop(0x10, 1)).is_invalid_field(3));
  EXPECT_TRUE(bench.initiator()
                  .run(prevent(true))
                  .is_illegal(AdditionalSense::invalid_command_operation_code));
}

TEST(Removable, EjectedHasNoMediumAndLoadedTellsOfTheChange) {
  Bench bench(2048, {.removable = true}, 2);
  Initiator far(bench, 1, "iqn.2026-11.test:two");
  bench.initiator().clear_attention();
  far.clear_attention();
  ASSERT_TRUE(bench.initiator().run(start_stop(kEject)).is_good());
  EXPECT_TRUE(far.run(read_one()).is(SenseKey::not_ready, AdditionalSense::medium_not_present));
  ASSERT_TRUE(far.run(start_stop(kLoad)).is_good());
  EXPECT_TRUE(far.run(read_one()).is_good()) << "who loads it is not told";
  EXPECT_TRUE(
      bench.initiator().run(read_one()).is_attention(AdditionalSense::not_ready_to_ready_change));
  EXPECT_TRUE(bench.initiator().run(read_one()).is_good());
}

TEST(Removable, AnyNexusPreventsRemovalUntilItAllowsOrGoes) {
  Bench bench(2048, {.removable = true}, 2);
  bench.initiator().clear_attention();
  {
    Initiator far(bench, 1, "iqn.2026-11.test:two");
    far.clear_attention();
    ASSERT_TRUE(far.run(prevent(true)).is_good());
    EXPECT_TRUE(bench.initiator()
                    .run(start_stop(kEject))
                    .is_illegal(AdditionalSense::medium_removal_prevented));
    EXPECT_TRUE(bench.initiator().run(read_one()).is_good());
    ASSERT_TRUE(far.run(prevent(false)).is_good());
    ASSERT_TRUE(bench.initiator().run(start_stop(kEject)).is_good());
    ASSERT_TRUE(bench.initiator().run(start_stop(kLoad)).is_good());
    bench.initiator().clear_attention();
    far.clear_attention();
    ASSERT_TRUE(far.run(prevent(true)).is_good());
    EXPECT_TRUE(far.run({0x1e, 0, 0, 0, 2, 0}).is_invalid_field(4));
  }
  ASSERT_TRUE(bench.initiator().run(start_stop(kEject)).is_good()) << "the nexus is lost";
}

TEST(Removable, AResetEndsThePrevention) {
  Bench bench(2048, {.removable = true});
  bench.initiator().clear_attention();
  ASSERT_TRUE(bench.initiator().run(prevent(true)).is_good());
  const auto reset = [](Initiator& initiator) -> engine::Task<void> {
    co_await initiator.server().logical_unit_reset(initiator.nexus(), lun_field(0));
  };
  bench.world().run([&] { return reset(bench.initiator()); });
  bench.initiator().clear_attention();
  EXPECT_TRUE(bench.initiator().run(start_stop(kEject)).is_good());
}

}  // namespace
}  // namespace lunar::scsi
