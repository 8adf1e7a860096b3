#include "base/log_limiter.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace lunar::log {
namespace {

using std::chrono::seconds;

class LimiterTest : public testing::Test {
 protected:
  bool admit(std::string_view subject, std::string_view cause = "bad PDU") {
    return limiter_.admit(Level::info, subject, cause, now_);
  }
  // Returns how many of `lines` lines were written.
  std::uint64_t flood(std::uint64_t lines, std::string_view subject = "peer") {
    std::uint64_t written = 0;
    for (std::uint64_t i = 0; i < lines; ++i) written += admit(subject) ? 1 : 0;
    return written;
  }
  std::uint64_t left_out_at_the_end() {
    now_ += kLimitPeriod;
    std::uint64_t sum = 0;
    for (const auto& each : limiter_.end_periods(now_)) sum += each.lines;
    return sum;
  }

  Limiter limiter_;
  Limiter::Time now_{seconds(1000)};
};

TEST_F(LimiterTest, FirstLinesAreWrittenAndTheRestIsCounted) {
  EXPECT_EQ(flood(kFirstLines), kFirstLines);
  EXPECT_FALSE(limiter_.next_end());
  EXPECT_EQ(flood(1), 0);
  EXPECT_EQ(limiter_.next_end(), now_ + kLimitPeriod);
  EXPECT_TRUE(limiter_.end_periods(now_).empty()) << "the period has not ended";
  now_ += kLimitPeriod;
  const auto told = limiter_.end_periods(now_);
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].subject, "peer");
  EXPECT_EQ(told[0].cause, "bad PDU");
  EXPECT_EQ(told[0].lines, 1U);
  EXPECT_FALSE(limiter_.next_end());
}

TEST_F(LimiterTest, SubjectsAndCausesHaveLinesOfTheirOwn) {
  EXPECT_EQ(flood(1000), kFirstLines);
  EXPECT_TRUE(admit("another"));
  EXPECT_TRUE(admit("peer", "login refused"));
}

TEST_F(LimiterTest, AFloodIsOneLineAPeriodFromTheSecondOn) {
  flood(1000);
  EXPECT_EQ(left_out_at_the_end(), 1000 - kFirstLines);
  for (int period = 0; period < 3; ++period) {
    EXPECT_EQ(flood(1000), 0);
    EXPECT_EQ(left_out_at_the_end(), 1000U);
  }
}

TEST_F(LimiterTest, WhatHasBecomeSeldomIsWrittenAgain) {
  flood(1000);
  left_out_at_the_end();
  EXPECT_EQ(flood(3), 0);
  EXPECT_EQ(left_out_at_the_end(), 3U);
  EXPECT_EQ(flood(3), 3U);
}

TEST_F(LimiterTest, AQuietPeriodForgives) {
  flood(kFirstLines);
  now_ += kLimitPeriod;
  EXPECT_EQ(flood(kFirstLines), kFirstLines);
  flood(1000);
  left_out_at_the_end();
  now_ += kLimitPeriod;
  EXPECT_EQ(flood(kFirstLines), kFirstLines);
}

// An IPv6 network has more addresses than we have memory.
TEST_F(LimiterTest, ManySubjectsShareWhatIsLeft) {
  for (std::size_t i = 0; i < kMaxLimited; ++i) EXPECT_TRUE(admit(fmt::format("peer {}", i)));
  std::uint64_t written = 0;
  for (std::size_t i = 0; i < 1000; ++i) written += admit(fmt::format("further {}", i)) ? 1 : 0;
  EXPECT_EQ(written, kFirstLines);
  EXPECT_TRUE(admit("peer 0")) << "who is known is not touched";
  now_ += kLimitPeriod;
  const auto told = limiter_.end_periods(now_);
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].subject, kOtherSubjects);
  EXPECT_EQ(flood(1, "new"), 1U) << "the quiet ones have left";
}

}  // namespace
}  // namespace lunar::log
