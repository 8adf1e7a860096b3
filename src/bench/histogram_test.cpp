#include "bench/histogram.h"

#include <gtest/gtest.h>

namespace lunar::bench {
namespace {

TEST(Histogram, SmallValuesAreExact) {
  Histogram histogram;
  for (std::uint64_t value = 1; value <= 100; ++value) histogram.record(value);
  EXPECT_EQ(histogram.percentile_ns(50), 50U);
  EXPECT_EQ(histogram.percentile_ns(99), 99U);
  EXPECT_EQ(histogram.percentile_ns(100), 100U);
  EXPECT_EQ(histogram.max_ns(), 100U);
  EXPECT_DOUBLE_EQ(histogram.mean_ns(), 50.5);
}

TEST(Histogram, ErrorStaysBelowOneSixtyFourth) {
  for (std::uint64_t value = 1; value < std::uint64_t{1} << 62; value = value * 3 / 2 + 1) {
    Histogram histogram;
    histogram.record(value);
    histogram.record(value * 2);  // so that the maximum does not cap the answer
    const std::uint64_t told = histogram.percentile_ns(50);
    EXPECT_GE(told, value);
    EXPECT_LE(told - value, value / 64);
  }
}

TEST(Histogram, TakesEveryValue) {
  Histogram histogram;
  histogram.record(0);
  histogram.record(UINT64_MAX);
  EXPECT_EQ(histogram.percentile_ns(50), 0U);
  EXPECT_EQ(histogram.percentile_ns(100), UINT64_MAX);
}

TEST(Histogram, EmptyTellsZero) {
  EXPECT_EQ(Histogram().percentile_ns(99), 0U);
  EXPECT_EQ(Histogram().mean_ns(), 0);
}

}  // namespace
}  // namespace lunar::bench
