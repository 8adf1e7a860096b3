#include "engine/idle_policy.h"

#include <gtest/gtest.h>

namespace lunar::engine {
namespace {

constexpr std::uint64_t kMax = 50'000;

class IdlePolicyTest : public testing::Test {
 protected:
  // The loop finds nothing until the policy says sleep; returns how long that took.
  std::uint64_t spin() {
    const std::uint64_t start = now_;
    while (!policy_.should_sleep(now_)) now_ += 100;
    return now_ - start;
  }
  // Sleeps, is woken by work at once.
  std::uint64_t spin_sleep_work() {
    const std::uint64_t spun = spin();
    now_ += 1'000'000;
    policy_.worked(now_);
    now_ += 100;
    return spun;
  }

  IdlePolicy policy_{kMax};
  std::uint64_t now_ = 1;
};

TEST_F(IdlePolicyTest, SpinsForItsBudgetFirst) { EXPECT_EQ(spin(), kMax); }

TEST_F(IdlePolicyTest, DecaysToNoSpinWhenSpinningFindsNothing) {
  std::uint64_t last = UINT64_MAX;
  for (int i = 0; i < 8; ++i) {
    const std::uint64_t spun = spin_sleep_work();
    EXPECT_LE(spun, last);
    last = spun;
  }
  EXPECT_EQ(policy_.budget_ns(), 0U);
  EXPECT_EQ(spin(), 0U);
}

TEST_F(IdlePolicyTest, SpinThatFindsWorkRestoresTheBudget) {
  spin_sleep_work();
  spin_sleep_work();
  ASSERT_EQ(policy_.budget_ns(), kMax / 4);
  EXPECT_FALSE(policy_.should_sleep(now_));
  policy_.worked(now_ + 1000);
  EXPECT_EQ(policy_.budget_ns(), kMax);
}

TEST_F(IdlePolicyTest, ProbesNowAndThenAndRecovers) {
  while (policy_.budget_ns() != 0) spin_sleep_work();
  int sleeps = 0;
  while (policy_.budget_ns() == 0 && sleeps < 100) {
    spin_sleep_work();
    ++sleeps;
  }
  EXPECT_LT(sleeps, 100);
  ASSERT_FALSE(policy_.should_sleep(now_)) << "a probe spins";
  policy_.worked(now_ + 500);
  EXPECT_EQ(policy_.budget_ns(), kMax);
}

TEST_F(IdlePolicyTest, ProbesBecomeRareAndCostLittle) {
  std::uint64_t spun = 0;
  constexpr int kSleeps = 100'000;
  for (int i = 0; i < kSleeps; ++i) spun += spin_sleep_work();
  EXPECT_LT(spun / kSleeps, 50U);  // nanoseconds a sleep
}

TEST_F(IdlePolicyTest, WorkInEveryLoopIsNoSpin) {
  spin_sleep_work();
  const std::uint64_t budget = policy_.budget_ns();
  for (int i = 0; i < 100; ++i) policy_.worked(now_ += 100);
  EXPECT_EQ(policy_.budget_ns(), budget);
}

TEST(IdlePolicyNever, ZeroNeverSpins) {
  IdlePolicy policy(0);
  for (std::uint64_t now = 0; now < 5000; ++now) EXPECT_TRUE(policy.should_sleep(now));
}

}  // namespace
}  // namespace lunar::engine
