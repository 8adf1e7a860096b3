#include "engine/blocking_worker.h"

#include <gtest/gtest.h>

#include <atomic>
#include <latch>

#include "engine/shard_group.h"

namespace lunar::engine {
namespace {

struct Seen {
  std::thread::id by;
  Shard* resumed_on = nullptr;
  int sum = 0;
};

Task<void> add_up(BlockingWorker& worker, int count, Seen& seen) {
  for (int i = 1; i <= count; ++i) {
    auto work = worker.run([&seen, i] {
      seen.by = std::this_thread::get_id();
      return seen.sum + i;
    });
    seen.sum = co_await work;
  }
  seen.resumed_on = Shard::current();
}

TEST(BlockingWorker, WorksOnAThreadOfItsOwnAndAnswersOnTheShard) {
  ShardGroupOptions options;
  options.pool_bytes = 8 * kMiB;
  const auto group = ShardGroup::start(options);
  ASSERT_TRUE(group);
  BlockingWorker worker;  // ends before the shards, which it wakes
  Seen seen;
  std::thread::id shard_thread;
  const auto note = [&]() -> Task<void> {
    shard_thread = std::this_thread::get_id();
    return add_up(worker, 100, seen);
  };
  (*group)->run_on(0, note);
  EXPECT_EQ(seen.sum, 5050);
  EXPECT_EQ(seen.resumed_on, &(*group)->shard(0));
  EXPECT_NE(seen.by, shard_thread);
  EXPECT_NE(seen.by, std::this_thread::get_id());
}

TEST(BlockingWorker, OneThatHangsHoldsUpNoOther) {
  BlockingWorker worker;
  std::latch go(1);
  std::latch others(20);
  std::latch all(30);
  for (int i = 0; i < 10; ++i) {
    worker.post([&] {
      go.wait();
      all.count_down();
    });
  }
  for (int i = 0; i < 20; ++i) {
    worker.post([&] {
      others.count_down();
      all.count_down();
    });
  }
  others.wait();  // while ten hang
  go.count_down();
  all.wait();
}

TEST(BlockingWorker, WaitsForAThreadAboveItsBound) {
  constexpr int kWorks = static_cast<int>(kMaxBlockingThreads) + 1;
  BlockingWorker worker;
  std::latch go(1);
  std::latch begun(kMaxBlockingThreads);
  std::latch all(kWorks);
  std::atomic<int> count{0};
  for (int i = 0; i < kWorks; ++i) {
    worker.post([&, i] {
      ++count;
      if (i < static_cast<int>(kMaxBlockingThreads)) begun.count_down();
      go.wait();
      all.count_down();
    });
  }
  begun.wait();
  EXPECT_EQ(count, static_cast<int>(kMaxBlockingThreads));
  go.count_down();
  all.wait();
  EXPECT_EQ(count, kWorks);
}

TEST(BlockingWorker, NeedsNoThreadWithoutWork) { const BlockingWorker idle; }

}  // namespace
}  // namespace lunar::engine
