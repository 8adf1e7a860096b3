#include "engine/timer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <vector>

#include "engine/prng.h"

namespace lunar::engine {
namespace {

TEST(TimerQueue, GivesTimersInOrderOfDeadlineOnceExpired) {
  TimerQueue queue;
  Timer a, b, c;
  EXPECT_FALSE(queue.next_deadline_ns());
  queue.arm(a, 30);
  queue.arm(b, 10);
  queue.arm(c, 20);
  EXPECT_EQ(queue.next_deadline_ns(), 10U);
  EXPECT_EQ(queue.pop_expired(9), nullptr);
  EXPECT_EQ(queue.pop_expired(20), &b);
  EXPECT_EQ(queue.pop_expired(20), &c);
  EXPECT_EQ(queue.pop_expired(20), nullptr);
  EXPECT_FALSE(b.is_armed());
  EXPECT_TRUE(a.is_armed());
}

TEST(TimerQueue, ArmingAgainMoves) {
  TimerQueue queue;
  Timer a, b;
  queue.arm(a, 10);
  queue.arm(b, 20);
  queue.arm(a, 30);
  EXPECT_EQ(queue.next_deadline_ns(), 20U);
  EXPECT_EQ(queue.pop_expired(100), &b);
  EXPECT_EQ(queue.pop_expired(100), &a);
  EXPECT_EQ(queue.pop_expired(100), nullptr);
}

TEST(TimerQueue, DestroyedTimerIsDisarmed) {
  TimerQueue queue;
  auto a = std::make_unique<Timer>();
  queue.arm(*a, 10);
  a.reset();
  EXPECT_FALSE(queue.next_deadline_ns());
}

TEST(TimerQueue, TimerMayOutliveIt) {
  Timer a;
  {
    TimerQueue queue;
    queue.arm(a, 10);
  }
  EXPECT_FALSE(a.is_armed());
  a.cancel();
}

// Compares with a std::multimap, over random arming, re-arming, cancelling and expiry.
TEST(TimerQueue, BehavesAsAMultimap) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    Prng prng(seed);
    std::vector<std::unique_ptr<Timer>> timers;
    for (int i = 0; i < 60; ++i) timers.push_back(std::make_unique<Timer>());
    TimerQueue queue;
    std::multimap<std::uint64_t, Timer*> model;
    const auto forget = [&](Timer& timer) {
      std::erase_if(model, [&](const auto& entry) { return entry.second == &timer; });
    };
    std::uint64_t now = 0;
    for (int step = 0; step < 2000; ++step) {
      Timer& timer = *timers[prng.below(timers.size())];
      switch (prng.below(4)) {
        case 0:
        case 1: {
          const std::uint64_t deadline = now + prng.below(100);
          queue.arm(timer, deadline);
          forget(timer);
          model.emplace(deadline, &timer);
          break;
        }
        case 2:
          timer.cancel();
          forget(timer);
          break;
        default:
          now += prng.below(10);
          while (Timer* expired = queue.pop_expired(now)) {
            ASSERT_FALSE(model.empty());
            ASSERT_EQ(expired->deadline_ns(), model.begin()->first);
            ASSERT_LE(expired->deadline_ns(), now);
            ASSERT_FALSE(expired->is_armed());
            forget(*expired);
          }
          ASSERT_TRUE(model.empty() || model.begin()->first > now);
      }
      ASSERT_EQ(timer.is_armed(), std::ranges::any_of(model, [&](const auto& entry) {
                  return entry.second == &timer;
                }));
      ASSERT_EQ(queue.next_deadline_ns(), model.empty() ? std::optional<std::uint64_t>()
                                                        : std::optional(model.begin()->first));
    }
  }
}

}  // namespace
}  // namespace lunar::engine
