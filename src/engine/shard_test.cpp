#include "engine/shard.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "engine/sim/world.h"

namespace lunar::engine {
namespace {

// Logs its name when run, then does what the test asks.
struct Step : Runnable {
  Step(std::vector<std::string>& steps, std::string text, std::function<void()> then = {})
      : log(&steps), name(std::move(text)), action(std::move(then)) {
    run = [](Runnable& self) noexcept {
      auto& step = static_cast<Step&>(self);
      step.log->push_back(step.name);
      if (step.action) step.action();
    };
  }
  std::vector<std::string>* log;
  std::string name;
  std::function<void()> action;
};

class ShardTest : public testing::Test {
 protected:
  using Log = std::vector<std::string>;
  sim::World world_{1, 2};
  Shard& shard_ = world_.shard(0);
  Shard& other_ = world_.shard(1);
  Log log_;
};

TEST_F(ShardTest, EnqueueNeverRunsInline) {
  Step second(log_, "second");
  Step first(log_, "first", [&] {
    shard_.enqueue(second);
    log_.push_back("first ends");
  });
  shard_.enqueue(first);
  EXPECT_TRUE(log_.empty());
  world_.step();
  EXPECT_EQ(log_, (Log{"first", "first ends", "second"}));
}

TEST_F(ShardTest, EndlessWorkLeavesRoomForOthers) {
  int runs = 0;
  Step greedy(log_, "", [&] {
    ++runs;
    shard_.enqueue(greedy);
  });
  shard_.enqueue(greedy);
  shard_.run_once();
  EXPECT_GT(runs, 0);
  EXPECT_LT(runs, 100);
  greedy.unlink();
}

TEST_F(ShardTest, DestroyedRunnableDoesNotRun) {
  auto gone = std::make_unique<Step>(log_, "gone");
  shard_.enqueue(*gone);
  gone.reset();
  world_.step();
  EXPECT_TRUE(log_.empty());
}

TEST_F(ShardTest, BatchEndComesAfterEverythingElseAndOnce) {
  Step end(log_, "end");
  Step second(log_, "second", [&] { shard_.at_batch_end(end); });
  Step first(log_, "first", [&] {
    shard_.at_batch_end(end);
    shard_.enqueue(second);
  });
  shard_.enqueue(first);
  world_.step();
  EXPECT_EQ(log_, (Log{"first", "second", "end"}));
}

TEST_F(ShardTest, BatchEndIsWork) {
  Step late(log_, "late");
  Step end(log_, "end", [&] { shard_.enqueue(late); });
  shard_.at_batch_end(end);
  EXPECT_TRUE(world_.run_until([&] { return log_.size() == 2; }));
  EXPECT_EQ(log_, (Log{"end", "late"}));
}

struct LoggingTimer : Timer {
  LoggingTimer(std::vector<std::uint64_t>& times, Shard& shard) : log(&times), home(&shard) {
    run = [](Runnable& self) noexcept {
      auto& timer = static_cast<LoggingTimer&>(self);
      timer.log->push_back(timer.home->now_ns());
    };
  }
  std::vector<std::uint64_t>* log;
  Shard* home;
};

TEST_F(ShardTest, TimersRunAtTheirTimes) {
  std::vector<std::uint64_t> times;
  LoggingTimer a(times, shard_), b(times, shard_), c(times, shard_);
  const std::uint64_t start = shard_.now_ns();
  shard_.arm(a, start + 300);
  shard_.arm(b, start + 100);
  shard_.arm(c, start + 200);
  c.cancel();
  EXPECT_TRUE(world_.run_until([&] { return times.size() == 2; }));
  EXPECT_EQ(times, (std::vector{start + 100, start + 300}));
}

TEST_F(ShardTest, ExpiredTimerMayStillBeCancelledByAnother) {
  std::vector<std::uint64_t> times;
  LoggingTimer victim(times, shard_);
  struct Killer : Timer {
    Timer* target = nullptr;
  } killer;
  killer.target = &victim;
  killer.run = [](Runnable& self) noexcept { static_cast<Killer&>(self).target->cancel(); };
  shard_.arm(killer, shard_.now_ns() + 10);
  shard_.arm(victim, shard_.now_ns() + 10);
  world_.run_for(1000);
  EXPECT_TRUE(times.empty());
}

Task<void> nap(Shard& shard, std::uint64_t* woke) {
  co_await sleep_for(shard, 5 * kSecond);
  *woke = shard.now_ns();
  co_await sleep_until(shard, 0);  // past: at once
}

TEST_F(ShardTest, CoroutineSleeps) {
  const std::uint64_t start = shard_.now_ns();
  std::uint64_t woke = 0;
  world_.run([&] { return nap(shard_, &woke); });
  EXPECT_EQ(woke, start + 5 * kSecond);
}

Task<void> visit(Shard& there, int* answer) {
  Shard* const home = Shard::current();
  const auto question = [home, &there] {
    EXPECT_EQ(Shard::current(), &there);
    EXPECT_NE(&there, home);
    return std::make_unique<int>(42);
  };
  const std::unique_ptr<int> value = co_await call_on(there, question);
  EXPECT_EQ(Shard::current(), home);
  *answer += *value;
  const auto silent = [answer] { ++*answer; };
  co_await call_on(there, silent);
  co_await call_on(*home, silent);  // itself: through the run list
  EXPECT_EQ(Shard::current(), home);
}

TEST_F(ShardTest, CallOnRunsThereAndAnswersHere) {
  int answer = 0;
  world_.run([&] { return visit(other_, &answer); });
  EXPECT_EQ(answer, 44);
  world_.run([&] { return visit(shard_, &answer); }, 1);
  EXPECT_EQ(answer, 88);
}

TEST_F(ShardTest, MessagesBeyondTheMailboxKeepTheirOrder) {
  constexpr std::size_t kCount = 3 * kMailboxSlots + 7;
  std::vector<std::string> expected;
  std::vector<std::unique_ptr<Step>> messages;
  for (std::size_t i = 0; i < kCount; ++i) {
    expected.push_back(std::to_string(i));
    messages.push_back(std::make_unique<Step>(log_, expected.back()));
    shard_.post(other_, *messages.back());
    if (i == 2 * kMailboxSlots) world_.step();  // let some out in between
  }
  EXPECT_TRUE(world_.run_until([&] { return log_.size() == kCount; }));
  EXPECT_EQ(log_, expected);
}

TEST_F(ShardTest, ForeignMessagesRunInOrderAndMayBePostedAgain) {
  Step first(log_, "a");
  Step second(log_, "b");
  post_to(shard_, first);
  post_to(shard_, second);
  EXPECT_TRUE(log_.empty()) << "never inline";
  world_.step();
  EXPECT_EQ(log_, (Log{"a", "b"}));
  EXPECT_FALSE(first.is_linked() || second.is_linked());
  post_to(shard_, second);
  world_.step();
  EXPECT_EQ(log_, (Log{"a", "b", "b"}));
}

TEST_F(ShardTest, NothingBlocksInASimulatedWorld) {
  run_blocking(shard_, [&] { log_.push_back("done"); });
  EXPECT_EQ(log_, (Log{"done"}));
}

TEST_F(ShardTest, ForeignFunctionsRunInOrder) {
  shard_.post_foreign([&] { log_.push_back("a"); });
  shard_.post_foreign([&] {
    log_.push_back("b");
    shard_.post_foreign([&] { log_.push_back("c"); });
  });
  EXPECT_TRUE(log_.empty());
  world_.step();
  world_.step();
  EXPECT_EQ(log_, (Log{"a", "b", "c"}));
}

struct LoggingPoller final : Poller {
  std::function<bool()> on_poll = [] { return false; };
  std::function<void()> on_park = [] {};
  int polls = 0;
  bool poll() override {
    ++polls;
    return on_poll();
  }
  void park() override { on_park(); }
};

TEST_F(ShardTest, PollersMayRemoveThemselvesAndEachOther) {
  LoggingPoller a, b, c, late;
  a.on_poll = [&] {
    shard_.remove_poller(a);
    shard_.remove_poller(b);
    shard_.add_poller(late);
    return true;
  };
  for (LoggingPoller* poller : {&a, &b, &c}) shard_.add_poller(*poller);
  EXPECT_TRUE(shard_.run_once());
  EXPECT_EQ(a.polls, 1);
  EXPECT_EQ(b.polls, 0) << "removed before its turn";
  EXPECT_EQ(c.polls, 1);
  EXPECT_EQ(late.polls, 0) << "from the next loop on";
  EXPECT_FALSE(shard_.run_once());
  EXPECT_EQ(c.polls, 2);
  EXPECT_EQ(late.polls, 1);
}

TEST_F(ShardTest, AnswersOnePollerBeforeItAsksTheNext) {
  struct Source final : Poller {
    Source(Shard& owner, Log& steps, const std::string& text)
        : log(steps),
          polled(text + " polled"),
          answer(steps, text + " answers"),
          work(steps, text + " works", [&owner, this] { owner.at_batch_end(answer); }),
          shard(owner) {}
    bool poll() override {
      log.push_back(polled);
      shard.enqueue(work);
      return true;
    }
    void park() override {}
    Log& log;
    std::string polled;
    Step answer;
    Step work;
    Shard& shard;
  };
  Source first(shard_, log_, "first");
  Source second(shard_, log_, "second");
  shard_.add_poller(first);
  shard_.add_poller(second);
  EXPECT_TRUE(shard_.run_once());
  EXPECT_EQ(log_, (Log{"first polled", "first works", "first answers", "second polled",
                       "second works", "second answers"}));
}

TEST_F(ShardTest, PollerMayBeDestroyedByAnotherBeforeItsTurn) {
  auto poller = std::make_unique<LoggingPoller>();
  poller->on_poll = [] { return true; };
  LoggingPoller killer;
  killer.on_poll = [&] {
    poller.reset();
    return false;
  };
  shard_.add_poller(killer);
  shard_.add_poller(*poller);
  EXPECT_FALSE(shard_.run_once());
  EXPECT_EQ(poller, nullptr);
}

TEST_F(ShardTest, ParksEachPollerBeforeItSleeps) {
  LoggingPoller a, b;
  a.on_park = [&] {
    log_.push_back("a");
    shard_.remove_poller(a);
  };
  b.on_park = [&] { log_.push_back("b"); };
  shard_.add_poller(a);
  shard_.add_poller(b);
  shard_.sleep();
  EXPECT_EQ(log_, (Log{"a", "b"}));
  EXPECT_EQ(shard_.sleeps(), 1U);
  shard_.sleep();
  EXPECT_EQ(log_, (Log{"a", "b", "b"}));
}

TEST_F(ShardTest, DoesNotSleepOverWorkThatParkingMade) {
  Step made(log_, "made");
  LoggingPoller poller;
  poller.on_park = [&] {
    if (!made.is_linked()) shard_.enqueue(made);
  };
  shard_.add_poller(poller);
  shard_.sleep();
  EXPECT_EQ(shard_.sleeps(), 0U);
  shard_.run_once();
  EXPECT_EQ(log_, (Log{"made"}));
}

TEST_F(ShardTest, SleepsUntilTheNextTimer) {
  std::vector<std::uint64_t> times;
  LoggingTimer timer(times, shard_);
  const std::uint64_t deadline = shard_.now_ns() + kSecond;
  shard_.arm(timer, deadline);
  shard_.sleep();
  EXPECT_EQ(world_.clock().now_ns(), deadline);
}

}  // namespace
}  // namespace lunar::engine
