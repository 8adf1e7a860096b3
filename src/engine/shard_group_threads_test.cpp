// Real threads and rings. These tests count sleeps and never measure time.
#include "engine/shard_group.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <utility>
#include <vector>

namespace lunar::engine {
namespace {

std::unique_ptr<ShardGroup> start(std::uint64_t max_spin_ns = 50 * kMicrosecond) {
  ShardGroupOptions options;
  // Two shards, even if only one core is allowed.
  const std::vector<int> cores = allowed_cores();
  options.cores = {cores.front(), cores.back()};
  options.pool_bytes = 16 * kMiB;
  options.max_spin_ns = max_spin_ns;
  auto group = ShardGroup::start(options);
  EXPECT_TRUE(group) << group.error().message;
  return std::move(*group);
}

TEST(ParseCores, TakesACountOrAList) {
  const std::vector<int> allowed = allowed_cores();
  ASSERT_FALSE(allowed.empty());
  const std::string first = std::to_string(allowed.front());
  EXPECT_EQ(parse_cores("1").value(), (std::vector{allowed.front()}));
  EXPECT_EQ(parse_cores(std::to_string(allowed.size())).value(), allowed);
  EXPECT_EQ(parse_cores(first + "-" + first).value(), (std::vector{allowed.front()}));
  if (allowed.size() > 1) {
    const std::string second = std::to_string(allowed[1]);
    EXPECT_EQ(parse_cores(second + "," + first).value(), (std::vector{allowed[1], allowed[0]}));
    EXPECT_EQ(parse_cores(first + "," + second + "-" + second).value(),
              (std::vector{allowed[0], allowed[1]}));
  }
}

TEST(ParseCores, RefusesTheRestAndNamesIt) {
  for (const std::string text : {"", "0", "-1", "x", "1x", " 1", "100000", "0,", ",0", "0,0", "0-",
                                 "1-0", "0-x", "0-1-2", "1023-1023", "0,99999999999"}) {
    const auto cores = parse_cores(text);
    ASSERT_FALSE(cores) << text;
    EXPECT_EQ(cores.error().code, ErrorCode::invalid_argument);
    EXPECT_NE(cores.error().message.find("'" + text + "'"), std::string::npos);
  }
}

Task<void> ping_pong(Shard& there, int rounds, std::uint64_t* counter_of_there) {
  Shard* const home = Shard::current();
  const auto bump = [counter_of_there] { return ++*counter_of_there; };
  std::uint64_t last = 0;
  for (int i = 0; i < rounds; ++i) {
    const std::uint64_t now = co_await call_on(there, bump);
    EXPECT_EQ(Shard::current(), home);
    EXPECT_GT(now, last);
    last = now;
  }
}

// Each counter belongs to one shard and is not atomic: the thread sanitizer checks the mailboxes.
TEST(ShardGroup, CarriesMessagesBothWays) {
  constexpr int kRounds = 100'000;
  const auto group = start();
  std::uint64_t counters[2] = {};
  std::thread other(
      [&] { group->run_on(1, [&] { return ping_pong(group->shard(0), kRounds, &counters[0]); }); });
  group->run_on(0, [&] { return ping_pong(group->shard(1), kRounds, &counters[1]); });
  other.join();
  EXPECT_EQ(counters[0], kRounds);
  EXPECT_EQ(counters[1], kRounds);
}

// No spinning: every message meets a sleeping shard, so a lost wake-up would hang.
TEST(ShardGroup, WakesASleeperForEveryMessage) {
  constexpr int kRounds = 10'000;
  const auto group = start(0);
  std::uint64_t counter = 0;
  group->run_on(0, [&] { return ping_pong(group->shard(1), kRounds, &counter); });
  EXPECT_EQ(counter, kRounds);
  EXPECT_GT(group->shard(1).sleeps(), 0U);
}

Task<void> flood(Shard& there, std::size_t count, std::vector<std::size_t>* seen) {
  struct Message : Runnable {
    std::size_t number = 0;
    std::vector<std::size_t>* log = nullptr;
  };
  std::vector<Message> messages(count);
  for (std::size_t i = 0; i < count; ++i) {
    messages[i].number = i;
    messages[i].log = seen;
    messages[i].run = [](Runnable& self) noexcept {
      auto& message = static_cast<Message&>(self);
      message.log->push_back(message.number);
    };
    Shard::current()->post(there, messages[i]);
  }
  const auto nothing = [] {};
  co_await call_on(there, nothing);  // behind all of them
}

TEST(ShardGroup, KeepsOrderWhenTheMailboxOverflows) {
  constexpr std::size_t kCount = 20 * kMailboxSlots;
  const auto group = start();
  std::vector<std::size_t> seen;
  group->run_on(0, [&] { return flood(group->shard(1), kCount, &seen); });
  ASSERT_EQ(seen.size(), kCount);
  for (std::size_t i = 0; i < kCount; ++i) ASSERT_EQ(seen[i], i);
}

TEST(ShardGroup, TakesWorkFromManyForeignThreads) {
  const auto group = start();
  std::uint64_t sum = 0;  // of shard 0
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < 1000; ++n) group->shard(0).post_foreign([&] { ++sum; });
    });
  }
  for (auto& thread : threads) thread.join();
  std::uint64_t seen = 0;
  group->run_on(0, [&]() -> Task<void> {
    return [](const std::uint64_t* from, std::uint64_t* to) -> Task<void> {
      *to = *from;
      co_return;
    }(&sum, &seen);
  });
  EXPECT_EQ(seen, 4000U);
}

struct Counter : Runnable {
  explicit Counter(std::atomic<int>& all)
      : Runnable([](Runnable& self) noexcept { ++static_cast<Counter&>(self).sum; }), sum(all) {}
  std::atomic<int>& sum;
};

TEST(ShardGroup, WakesForEachMessageOfAForeignThread) {
  constexpr int kThreads = 4;
  constexpr int kEach = 1000;
  const auto group = start(0);  // it sleeps whenever it can
  std::atomic<int> sum{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < kEach; ++n) {
        Counter message(sum);
        std::atomic<bool> there{false};
        post_to(group->shard(0), message);
        group->shard(0).post_foreign([&] { there = true; });
        while (!there) std::this_thread::yield();
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(sum, kThreads * kEach);
}

Task<void> nothing() { co_return; }

// A shard that does not block in its sleep would count thousands of sleeps.
TEST(ShardGroup, IdleShardBlocks) {
  const auto group = start(0);
  constexpr std::uint64_t kCalls = 200;
  for (std::uint64_t i = 0; i < kCalls; ++i) group->run_on(0, nothing);
  EXPECT_LE(group->shard(0).sleeps(), 3 * kCalls + 3);
  EXPECT_LE(group->shard(1).sleeps(), 3U) << "nobody called it";
}

Task<void> timed(Shard& shard, std::uint64_t nanoseconds, std::uint64_t* sleeps) {
  const std::uint64_t before = shard.sleeps();
  const std::uint64_t start = shard.now_ns();
  co_await sleep_for(shard, nanoseconds);
  EXPECT_GE(shard.now_ns(), start + nanoseconds);
  *sleeps = shard.sleeps() - before;
}

TEST(ShardGroup, WaitsForATimerInOneSleep) {
  const auto group = start(0);
  std::uint64_t sleeps = 0;
  group->run_on(0, [&] { return timed(group->shard(0), 50 * kMillisecond, &sleeps); });
  EXPECT_GE(sleeps, 1U);
  EXPECT_LE(sleeps, 4U);
}

TEST(ShardGroup, StopsWhetherBusyOrAsleepOrJustStarted) {
  for (int i = 0; i < 50; ++i) start(i % 2 == 0 ? 0 : kSecond);
}

// The other shard keeps posting while the first one stops.
TEST(ShardGroup, StopsUnderMessages) {
  struct Bounce : Runnable {
    Shard* target = nullptr;
  };
  for (int i = 0; i < 20; ++i) {
    Bounce ball;
    const auto group = start(i % 2 == 0 ? 0 : 50 * kMicrosecond);
    ball.target = &group->shard(0);
    ball.run = [](Runnable& self) noexcept {
      auto& bounce = static_cast<Bounce&>(self);
      Shard& here = *Shard::current();
      here.post(*std::exchange(bounce.target, &here), bounce);
    };
    group->shard(1).post_foreign([&] { ball.run(ball); });
    group->run_on(0, nothing);
  }
}

TEST(ShardGroup, CoreThatIsNotThereIsAnError) {
  ShardGroupOptions options;
  options.cores = {allowed_cores().front(), 1023};
  options.pool_bytes = 8 * kMiB;
  const auto group = ShardGroup::start(options);
  ASSERT_FALSE(group);
  EXPECT_EQ(group.error().code, ErrorCode::invalid_argument);
  EXPECT_NE(group.error().message.find("1023"), std::string::npos);
}

TEST(ShardGroup, WithoutCoresIsOneUnpinnedShard) {
  ShardGroupOptions options;
  options.pool_bytes = 8 * kMiB;
  const auto group = ShardGroup::start(options);
  ASSERT_TRUE(group);
  EXPECT_EQ((*group)->size(), 1U);
  (*group)->run_on(0, nothing);
}

}  // namespace
}  // namespace lunar::engine
