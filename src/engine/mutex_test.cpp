#include "engine/mutex.h"

#include <gtest/gtest.h>

#include <vector>

#include "engine/shard.h"
#include "engine/sim/world.h"
#include "engine/task.h"

namespace lunar::engine {
namespace {

Task<void> hold(Mutex& mutex, Event& until, int name, std::vector<int>& order) {
  const Mutex::Holder holder = co_await mutex.lock();
  order.push_back(name);
  co_await until;
}

TEST(Mutex, ServesInOrderOfArrival) {
  sim::World world;
  Mutex mutex;
  std::vector<int> order;
  Event first;
  Event second;
  Event third;
  hold(mutex, first, 1, order).detach();
  hold(mutex, second, 2, order).detach();
  hold(mutex, third, 3, order).detach();
  EXPECT_EQ(order, std::vector<int>({1}));
  second.set();
  EXPECT_EQ(order, std::vector<int>({1}));
  first.set();
  EXPECT_EQ(order, std::vector<int>({1})) << "the next runs from the loop, not from within";
  EXPECT_TRUE(mutex.is_locked()) << "nobody comes between";
  world.run_until([&] { return order.size() == 3; });
  EXPECT_EQ(order, std::vector<int>({1, 2, 3})) << "the second does not wait any more";
  EXPECT_TRUE(mutex.is_locked());
  third.set();
  EXPECT_FALSE(mutex.is_locked());
}

Task<void> count_in_turn(Mutex& mutex, std::size_t& count) {
  const Mutex::Holder holder = co_await mutex.lock();
  ++count;
}

TEST(Mutex, WaitersThatEndAtOnceDoNotNest) {
  constexpr std::size_t kWaiters = 200'000;
  sim::World world;
  Mutex mutex;
  std::vector<int> order;
  std::size_t count = 0;
  Event until;
  hold(mutex, until, 1, order).detach();
  for (std::size_t i = 0; i < kWaiters; ++i) count_in_turn(mutex, count).detach();
  EXPECT_EQ(count, 0U);
  until.set();
  EXPECT_TRUE(world.run_until([&] { return count == kWaiters; }));
  EXPECT_FALSE(mutex.is_locked());
}

}  // namespace
}  // namespace lunar::engine
