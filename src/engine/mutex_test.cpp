#include "engine/mutex.h"

#include <gtest/gtest.h>

#include <vector>

#include "engine/task.h"

namespace lunar::engine {
namespace {

Task<void> hold(Mutex& mutex, Event& until, int name, std::vector<int>& order) {
  const Mutex::Holder holder = co_await mutex.lock();
  order.push_back(name);
  co_await until;
}

TEST(Mutex, ServesInOrderOfArrival) {
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
  EXPECT_EQ(order, std::vector<int>({1, 2, 3})) << "the second does not wait any more";
  EXPECT_TRUE(mutex.is_locked());
  third.set();
  EXPECT_FALSE(mutex.is_locked());
}

}  // namespace
}  // namespace lunar::engine
