#include "engine/idle_policy.h"

#include <gtest/gtest.h>

namespace lunar::engine {
namespace {

constexpr std::uint64_t kMax = 50'000;
constexpr std::uint64_t kLoop = 100;  // an empty loop

class IdlePolicyTest : public testing::Test {
 protected:
  // Idle for `gap_ns`, then work. The core is free: work comes whether the shard spins or sleeps,
  // but a sleeper needs `kWakeUp` more to notice it. Returns the time spent spinning.
  std::uint64_t gap(std::uint64_t gap_ns) {
    const std::uint64_t start = now_;
    while (!policy_.should_sleep(now_)) {
      now_ += kLoop;
      if (now_ - start >= gap_ns) {
        policy_.worked(now_);
        now_ += kLoop;
        return gap_ns;
      }
    }
    const std::uint64_t spun = now_ - start;
    now_ = std::max(now_, start + gap_ns) + kWakeUp;
    policy_.worked(now_);
    now_ += kLoop;
    return spun;
  }
  // The peer shares the core: it works for `work_ns`, and only while the shard sleeps.
  std::uint64_t shared_core(std::uint64_t work_ns) {
    const std::uint64_t start = now_;
    while (!policy_.should_sleep(now_)) now_ += kLoop;
    const std::uint64_t spun = now_ - start;
    now_ += work_ns;
    policy_.worked(now_);
    now_ += kLoop;
    return spun;
  }

  static constexpr std::uint64_t kWakeUp = 20'000;
  IdlePolicy policy_{kMax};
  std::uint64_t now_ = 1;
};

TEST_F(IdlePolicyTest, SpinsForItsBudgetFirst) { EXPECT_EQ(gap(1'000'000), kMax); }

TEST_F(IdlePolicyTest, LongSleepsEndSpinningForGood) {
  std::uint64_t last = UINT64_MAX;
  for (int i = 0; i < 8; ++i) {
    const std::uint64_t spun = gap(1'000'000);
    EXPECT_LE(spun, last);
    last = spun;
  }
  for (int i = 0; i < 100'000; ++i) ASSERT_EQ(gap(1'000'000), 0U);
}

TEST_F(IdlePolicyTest, SpinThatFindsWorkRestoresTheBudget) {
  gap(1'000'000);
  gap(1'000'000);
  ASSERT_EQ(policy_.budget_ns(), kMax / 4);
  EXPECT_EQ(gap(1'000), 1'000U);
  EXPECT_EQ(policy_.budget_ns(), kMax);
}

// After a time of vain spinning: an initiator that needs 30 us to send its next batch.
TEST_F(IdlePolicyTest, OneShortSleepIsEnoughToSpinAgain) {
  while (policy_.budget_ns() != 0) gap(1'000'000);
  EXPECT_EQ(gap(30'000), 0U);
  for (int i = 0; i < 1000; ++i) ASSERT_EQ(gap(30'000), 30'000U);
}

TEST_F(IdlePolicyTest, GapsOfAllShortLengthsAreSpun) {
  for (std::uint64_t length = 1'000; length < kMax; length += 7'000) {
    while (policy_.budget_ns() != 0) gap(1'000'000);
    for (int i = 0; i < 4; ++i) gap(length);
    for (int i = 0; i < 100; ++i) ASSERT_EQ(gap(length), length);
  }
}

TEST_F(IdlePolicyTest, ALongGapNowAndThenCostsNoSleepInShortOnes) {
  for (int i = 0; i < 1000; ++i) {
    gap(500'000);
    for (int j = 0; j < 4; ++j) ASSERT_EQ(gap(20'000), 20'000U);
  }
}

// A disk that answers after 150 us, and an initiator that then sends the next command at once.
TEST_F(IdlePolicyTest, ShortGapsBetweenLongOnesAreSpun) {
  while (policy_.budget_ns() != 0) gap(1'000'000);
  for (int i = 0; i < 4; ++i) {
    gap(150'000);
    gap(15'000);
  }
  for (int i = 0; i < 1000; ++i) {
    gap(150'000);
    ASSERT_EQ(gap(15'000), 15'000U);
  }
}

// All sleeps are short, but spinning would never have found the work.
TEST_F(IdlePolicyTest, OnASharedCoreTrialsBecomeRareAndCostLittle) {
  for (int i = 0; i < 10'000; ++i) shared_core(10'000);
  std::uint64_t spun = 0;
  constexpr std::uint64_t kSleeps = 100'000;
  for (std::uint64_t i = 0; i < kSleeps; ++i) spun += shared_core(10'000);
  EXPECT_LT(spun / kSleeps, 250U);  // nanoseconds a sleep
}

TEST_F(IdlePolicyTest, ChanceFindsOnASharedCoreDoNotBringBackSpinning) {
  for (int i = 0; i < 10'000; ++i) shared_core(10'000);
  std::uint64_t spun = 0;
  constexpr std::uint64_t kSleeps = 100'000;
  for (std::uint64_t i = 0; i < kSleeps; ++i) {
    const bool chance = i % 1000 == 0 && policy_.budget_ns() != 0;
    spun += chance ? gap(kLoop) : shared_core(10'000);
  }
  EXPECT_LT(spun / kSleeps, 500U);
}

TEST_F(IdlePolicyTest, GapsLongerThanTheLongestSpinAreNotSpun) {
  for (int i = 0; i < 10'000; ++i) gap(70'000);
  std::uint64_t spun = 0;
  constexpr std::uint64_t kSleeps = 100'000;
  for (std::uint64_t i = 0; i < kSleeps; ++i) spun += gap(70'000);
  EXPECT_LT(spun / kSleeps, 250U);
}

TEST_F(IdlePolicyTest, WorkInEveryLoopIsNoSpin) {
  gap(1'000'000);
  const std::uint64_t budget = policy_.budget_ns();
  for (int i = 0; i < 100; ++i) policy_.worked(now_ += kLoop);
  EXPECT_EQ(policy_.budget_ns(), budget);
}

TEST(IdlePolicyNever, ZeroNeverSpins) {
  IdlePolicy policy(0);
  for (std::uint64_t now = 0; now < 5000; ++now) EXPECT_TRUE(policy.should_sleep(now));
}

}  // namespace
}  // namespace lunar::engine
