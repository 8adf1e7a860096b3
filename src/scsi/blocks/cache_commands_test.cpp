#include <gtest/gtest.h>

#include "scsi/testing/bench.h"

namespace lunar::scsi {
namespace {

using namespace testing;
using spec::AdditionalSense;
using spec::Opcode;

block::Capabilities cached() {
  block::Capabilities capabilities = Bench::full();
  capabilities.volatile_cache = true;
  return capabilities;
}

TEST(SynchronizeCache, WithImmedAnswersBeforeTheMediumHasFlushed) {
  Bench bench(1024, {}, 1, 512, cached());
  bench.initiator().clear_attention();
  bench.device().hold = true;
  for (const Opcode opcode : {Opcode::synchronize_cache_10, Opcode::synchronize_cache_16}) {
    EXPECT_TRUE(bench.initiator().run(block_cdb(opcode, 0, 0, 0x02)).is_good());
  }
  ASSERT_EQ(bench.device().held.size(), 1U);
  EXPECT_EQ(bench.device().held.front()->op, block::Op::flush);
  bench.device().calls.clear();
  bench.device().release();
  bench.world().run_until([] { return false; });
  ASSERT_EQ(bench.device().calls.size(), 1U)
      << "what was written before the second one may have missed the first flush";
  EXPECT_EQ(bench.device().calls.front().op, block::Op::flush);
}

TEST(SynchronizeCache, AFailureInTheBackgroundIsADeferredErrorOfTheNext) {
  Bench bench(1024, {}, 1, 512, cached());
  bench.initiator().clear_attention();
  bench.device().answers[block::Op::flush] = block::Status::write_error;
  EXPECT_TRUE(bench.initiator().run(block_cdb(Opcode::synchronize_cache_10, 0, 0, 0x02)).is_good());
  bench.world().run_until([] { return false; });
  bench.device().answers.clear();
  const Outcome told = bench.initiator().run(block_cdb(Opcode::synchronize_cache_10, 0, 0));
  EXPECT_TRUE(told.is(spec::SenseKey::medium_error, AdditionalSense::write_error));
  EXPECT_TRUE(told.sense.deferred);
  EXPECT_TRUE(bench.initiator().run(block_cdb(Opcode::synchronize_cache_10, 0, 0)).is_good());
}

TEST(SynchronizeCache, WithoutImmedWaitsForTheMedium) {
  Bench bench(1024, {}, 1, 512, cached());
  bench.initiator().clear_attention();
  bench.device().hold = true;
  const auto command = bench.initiator().start(block_cdb(Opcode::synchronize_cache_10, 0, 0));
  bench.world().run_until([] { return false; });
  EXPECT_FALSE(command->outcome);
  bench.device().release();
  EXPECT_TRUE(bench.initiator().finish(*command).is_good());
}

TEST(PreFetch, MeetsItsConditionWhereTheMediumIsMemory) {
  for (const bool memory : {false, true}) {
    block::Capabilities capabilities = Bench::full();
    capabilities.lend = memory;
    Bench bench(1024, {}, 1, 512, capabilities);
    bench.initiator().clear_attention();
    const spec::Status expected = memory ? spec::Status::condition_met : spec::Status::good;
    for (const Opcode opcode : {Opcode::pre_fetch_10, Opcode::pre_fetch_16}) {
      EXPECT_EQ(bench.initiator().run(block_cdb(opcode, 0, 1024)).status, expected);
      EXPECT_EQ(bench.initiator().run(block_cdb(opcode, 0, 0, 0x02)).status, expected) << "IMMED";
      EXPECT_TRUE(bench.initiator()
                      .run(block_cdb(opcode, 1, 1024))
                      .is_illegal(AdditionalSense::lba_out_of_range));
    }
  }
}

TEST(ReadDefectData, HasEmptyLists) {
  Bench bench;
  bench.initiator().clear_attention();
  EXPECT_EQ(bench.initiator().run({0x37, 0, 0x1d, 0, 0, 0, 0, 0, 64, 0}).data,
            (std::vector<std::uint8_t>{0, 0x1d, 0, 0}));
  EXPECT_EQ(bench.initiator().run({0xb7, 0x0b, 0, 0, 0, 0, 0, 0, 0, 64, 0, 0}).data,
            (std::vector<std::uint8_t>{0, 0x0b, 0, 0, 0, 0, 0, 0}));
  EXPECT_EQ(bench.initiator().run({0xb7, 0x0b, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0}).data.size(), 3U);
  EXPECT_TRUE(bench.initiator().run({0x37, 0, 0x1e, 0, 0, 0, 0, 0, 64, 0}).is_invalid_field(2));
  EXPECT_TRUE(
      bench.initiator().run({0xb7, 0x0f, 0, 0, 0, 0, 0, 0, 0, 64, 0, 0}).is_invalid_field(1));
}

}  // namespace
}  // namespace lunar::scsi
