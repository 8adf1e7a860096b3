// The initiator against the floor, over loopback. Each detects errors of the other.
#include "bench/bench.h"

#include <gtest/gtest.h>

namespace lunar::bench {
namespace {

struct Shape {
  FloorForm form;
  std::uint64_t block_bytes;
  std::uint32_t queue_depth;
  std::uint32_t connections;
  bool burst = false;
};

class BenchAgainstFloor : public testing::TestWithParam<Shape> {};

TEST_P(BenchAgainstFloor, ReadsBackWhatItWrote) {
  Options options;
  options.floor = GetParam().form;
  options.block_bytes = GetParam().block_bytes;
  options.queue_depth = GetParam().queue_depth;
  options.connections = GetParam().connections;
  options.burst = GetParam().burst;
  options.work = Work::write;
  options.verify = true;
  // Every slot is used repeatedly. The run ends by its count, not by its time.
  options.count = std::uint64_t{2} * options.queue_depth * options.connections + 1;
  options.time_s = 60;
  options.range_bytes = 8 * kMiB;
  const auto bench = Bench::open(options);
  ASSERT_TRUE(bench) << bench.error().message;
  const auto report = (*bench)->run();
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->writes, options.count);
  EXPECT_EQ(report->reads, 0U);
  EXPECT_GT(report->verified, 0U);
  EXPECT_EQ(report->mismatches, 0U);
  EXPECT_EQ(report->latency.count(), report->writes);
}

INSTANTIATE_TEST_SUITE_P(Shapes, BenchAgainstFloor,
                         testing::Values(Shape{FloorForm::readiness, 4096, 1, 1},
                                         Shape{FloorForm::readiness, 4096, 128, 3},
                                         Shape{FloorForm::readiness, 4096, 128, 2, true},
                                         Shape{FloorForm::readiness, 256 * kKiB, 8, 1},
                                         Shape{FloorForm::sleeping, 4096, 8, 2},
                                         Shape{FloorForm::uring, 4096, 1, 1},
                                         Shape{FloorForm::uring, 512, 600, 2},
                                         Shape{FloorForm::uring, 1 * kMiB, 8, 2}));

TEST(Bench, KeepsToARate) {
  Options options;
  options.floor = FloorForm::readiness;
  options.rate = 1000;
  options.time_s = 0.1;
  const auto bench = Bench::open(options);
  ASSERT_TRUE(bench) << bench.error().message;
  const auto report = (*bench)->run();
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_LE(static_cast<double>(report->reads), 1000 * report->seconds + 1);
}

TEST(Bench, CountsAllOfTheirLatencies) {
  Options options;
  options.floor = FloorForm::readiness;
  options.work = Work::mix;
  options.count = 1000;
  options.time_s = 60;
  options.warmup_s = 0.01;  // does not count
  const auto bench = Bench::open(options);
  ASSERT_TRUE(bench) << bench.error().message;
  const auto report = (*bench)->run();
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->reads + report->writes, options.count);
  EXPECT_EQ(report->latency.count(), options.count);
  EXPECT_GT(report->reads, report->writes);
}

TEST(Bench, MixesAreReadBackWhereTheyWrote) {
  Options options;
  options.floor = FloorForm::readiness;
  options.work = Work::mix;
  options.read_percent = 40;
  options.verify = true;
  options.count = 1000;
  options.time_s = 60;
  const auto bench = Bench::open(options);
  ASSERT_TRUE(bench) << bench.error().message;
  const auto report = (*bench)->run();
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->reads + report->writes, options.count);
  EXPECT_LT(report->reads, report->writes);
  EXPECT_GT(report->verified, 0U);
  EXPECT_LE(report->verified, report->writes);  // each block once
  EXPECT_EQ(report->mismatches, 0U);
}

TEST(Bench, ARangeEndsWithTheDisk) {
  Options options;
  options.floor = FloorForm::readiness;
  options.count = 1;
  const auto open = [&](std::uint64_t range_bytes) {
    options.range_bytes = range_bytes;
    return Bench::open(options);
  };
  EXPECT_TRUE(open(256 * kMiB));
  const auto refused = open(256 * kMiB + 512);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::invalid_argument);
}

TEST(Bench, RefusesACoreThatIsNotThere) {
  Options options;
  options.floor = FloorForm::readiness;
  options.floor_cpu = 100'000;
  const auto bench = Bench::open(options);
  ASSERT_FALSE(bench);
  EXPECT_EQ(bench.error().code, ErrorCode::invalid_argument);
}

TEST(Bench, TellsWhoDoesNotAnswer) {
  Options options;
  options.url = {
      .host = "127.0.0.1", .port = "1", .target = "iqn.2026-11.io.lunar:a", .lun = Lun(0)};
  const auto bench = Bench::open(options);
  ASSERT_FALSE(bench);
  EXPECT_NE(bench.error().message.find("127.0.0.1:1"), std::string::npos);
}

}  // namespace
}  // namespace lunar::bench
