#include "engine/buffer_pool.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <vector>

#include "engine/sim/world.h"

namespace lunar::engine {
namespace {

class BufferPoolTest : public testing::Test {
 protected:
  static constexpr std::size_t kBytes = 2 * kMaxBufferBytes;
  sim::World world_{1, 1, kBytes};
  BufferPool& pool_ = world_.shard().buffers();

  struct Waiter : BufferWaiter {
    Waiter(std::size_t count, std::vector<int>& order, int number) : log(&order), id(number) {
      bytes = count;
      run = [](Runnable& self) noexcept {
        auto& waiter = static_cast<Waiter&>(self);
        waiter.log->push_back(waiter.id);
      };
    }
    std::vector<int>* log;
    int id;
  };
};

TEST_F(BufferPoolTest, GivesAtLeastTheBytesPageAligned) {
  for (const std::size_t bytes :
       {std::size_t{0}, std::size_t{1}, std::size_t{4096}, std::size_t{4097}, std::size_t{12288},
        kMaxBufferBytes - 1, kMaxBufferBytes}) {
    const Buffer buffer = pool_.try_allocate(bytes);
    ASSERT_TRUE(buffer);
    EXPECT_GE(buffer.size(), std::max(bytes, kMinBufferBytes));
    EXPECT_LT(buffer.size(), std::max(2 * bytes, kMinBufferBytes + 1));
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(buffer.data()) % 4096, 0U);
    std::memset(buffer.data(), 1, buffer.size());
  }
  EXPECT_EQ(pool_.free_bytes(), kBytes);
}

TEST_F(BufferPoolTest, NeighboursMergeAgain) {
  std::vector<Buffer> small;
  while (Buffer buffer = pool_.try_allocate(1)) small.push_back(std::move(buffer));
  EXPECT_EQ(small.size(), kBytes / kMinBufferBytes);
  EXPECT_EQ(pool_.free_bytes(), 0U);
  // Frees every other buffer first, so that nothing merges until the second half is freed.
  for (std::size_t i = 0; i < small.size(); i += 2) small[i].reset();
  EXPECT_FALSE(pool_.try_allocate(2 * kMinBufferBytes));
  for (std::size_t i = 1; i < small.size(); i += 2) small[i].reset();
  const Buffer first = pool_.try_allocate(kMaxBufferBytes);
  const Buffer second = pool_.try_allocate(kMaxBufferBytes);
  EXPECT_TRUE(first);
  EXPECT_TRUE(second);
  EXPECT_FALSE(pool_.try_allocate(1));
}

TEST_F(BufferPoolTest, BufferMovesAndReturnsOnce) {
  Buffer a = pool_.try_allocate(4096);
  Buffer b(std::move(a));
  EXPECT_FALSE(a);  // NOLINT: moved from is empty, by contract
  Buffer c;
  c = std::move(b);
  EXPECT_EQ(pool_.free_bytes(), kBytes - 4096);
  c.reset();
  c.reset();
  EXPECT_EQ(pool_.free_bytes(), kBytes);
}

TEST_F(BufferPoolTest, ExhaustionQueuesInOrderOfArrival) {
  Buffer first = pool_.try_allocate(kMaxBufferBytes);
  Buffer second = pool_.try_allocate(kMaxBufferBytes);
  std::vector<int> order;
  Waiter large(kMaxBufferBytes, order, 1);
  Waiter small(4096, order, 2);
  Waiter third(4096, order, 3);
  pool_.wait(large);
  pool_.wait(small);
  pool_.wait(third);
  EXPECT_TRUE(pool_.has_waiters());
  first.reset();
  EXPECT_TRUE(order.empty()) << "served inline";
  EXPECT_TRUE(large.buffer);
  EXPECT_FALSE(small.buffer);
  EXPECT_FALSE(pool_.try_allocate(4096)) << "went past the queue";
  second.reset();
  world_.run_until([&] { return order.size() == 3; });
  EXPECT_EQ(order, (std::vector{1, 2, 3}));
  EXPECT_FALSE(pool_.has_waiters());
}

TEST_F(BufferPoolTest, WaiterIsServedAtOnceWhenThereIsRoom) {
  std::vector<int> order;
  Waiter waiter(4096, order, 1);
  pool_.wait(waiter);
  EXPECT_TRUE(waiter.buffer);
  EXPECT_TRUE(order.empty());
  world_.step();
  EXPECT_EQ(order, (std::vector{1}));
}

TEST_F(BufferPoolTest, CancelledWaiterTakesNothing) {
  Buffer first = pool_.try_allocate(kMaxBufferBytes);
  Buffer second = pool_.try_allocate(kMaxBufferBytes);
  std::vector<int> order;
  {
    Waiter waiting(4096, order, 1);
    pool_.wait(waiting);
  }
  EXPECT_FALSE(pool_.has_waiters());
  {
    Waiter served(4096, order, 2);
    pool_.wait(served);
    first.reset();
    EXPECT_TRUE(served.buffer);
  }
  second.reset();
  EXPECT_EQ(pool_.free_bytes(), kBytes);
  world_.step();
  EXPECT_TRUE(order.empty());
}

// Only the waiter at the head may be too large.
TEST_F(BufferPoolTest, CancelledHeadLetsTheOthersThrough) {
  const Buffer first = pool_.try_allocate(kMaxBufferBytes);
  const Buffer second = pool_.try_allocate(4096);
  std::vector<int> order;
  auto large = std::make_unique<Waiter>(kMaxBufferBytes, order, 1);
  Waiter small(4096, order, 2);
  pool_.wait(*large);
  pool_.wait(small);
  EXPECT_FALSE(small.buffer);
  large.reset();
  EXPECT_TRUE(small.buffer);
  EXPECT_TRUE(pool_.try_allocate(4096));
}

TEST_F(BufferPoolTest, CancelForgetsWhatWasServedToo) {
  const Buffer first = pool_.try_allocate(kMaxBufferBytes);
  std::vector<int> order;
  Waiter served(kMaxBufferBytes, order, 1);
  Waiter next(4096, order, 2);
  pool_.wait(served);
  pool_.wait(next);
  EXPECT_TRUE(served.buffer);
  EXPECT_FALSE(next.buffer);
  served.cancel();
  EXPECT_FALSE(served.buffer);
  EXPECT_TRUE(next.buffer);
  served.cancel();
  world_.step();
  EXPECT_EQ(order, std::vector<int>{2});
}

Task<void> allocate_twice(BufferPool& pool, std::size_t bytes, std::vector<std::size_t>* got) {
  Buffer first = co_await AllocateBuffer(pool, bytes);
  got->push_back(first.size());
  first.reset();
  const Buffer second = co_await AllocateBuffer(pool, 2 * bytes);
  got->push_back(second.size());
}

TEST_F(BufferPoolTest, CoroutineWaitsForItsBuffer) {
  Buffer all = pool_.try_allocate(kMaxBufferBytes);
  const Buffer rest = pool_.try_allocate(kMaxBufferBytes);
  std::vector<std::size_t> got;
  Task<void> task = allocate_twice(pool_, 8192, &got);
  EXPECT_TRUE(got.empty());
  all.reset();
  world_.run_until([&] { return task.done(); });
  EXPECT_EQ(got, (std::vector<std::size_t>{8192, 16384}));
}

// Random sizes and lifetimes: buffers never overlap or leave the region, and all of it comes back.
TEST_F(BufferPoolTest, BuffersNeverOverlap) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Prng prng(seed);
    std::map<std::byte*, Buffer> live;
    for (int step = 0; step < 3000; ++step) {
      if (prng.below(5) < 3) {
        const std::size_t bytes = prng.below(kMinBufferBytes << prng.below(12)) + 1;
        Buffer buffer = pool_.try_allocate(bytes);
        if (!buffer) continue;
        ASSERT_GE(buffer.data(), pool_.region());
        ASSERT_LE(buffer.data() + buffer.size(), pool_.region() + pool_.region_bytes());
        const auto next = live.lower_bound(buffer.data());
        ASSERT_TRUE(next == live.end() || buffer.data() + buffer.size() <= next->first);
        if (next != live.begin()) {
          const Buffer& before = std::prev(next)->second;
          ASSERT_LE(before.data() + before.size(), buffer.data());
        }
        std::byte* const at = buffer.data();
        live.emplace(at, std::move(buffer));
      } else if (!live.empty()) {
        live.erase(std::next(live.begin(), static_cast<long>(prng.below(live.size()))));
      }
      std::size_t used = 0;
      for (const auto& [at, buffer] : live) used += buffer.size();
      ASSERT_EQ(pool_.free_bytes(), pool_.region_bytes() - used);
    }
    live.clear();
    ASSERT_EQ(pool_.free_bytes(), kBytes);
  }
  const Buffer whole = pool_.try_allocate(kMaxBufferBytes);
  EXPECT_TRUE(whole) << "all merged again";
}

TEST(BufferPoolSize, IsAtLeastOneLargestBuffer) {
  sim::World world(1, 1, 4096);
  EXPECT_TRUE(world.shard().buffers().try_allocate(kMaxBufferBytes));
}

}  // namespace
}  // namespace lunar::engine
