#include "engine/task.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "engine/gate.h"

namespace lunar::engine {
namespace {

using Log = std::vector<std::string>;

Task<int> seven() { co_return 7; }

Task<void> wait_then_log(Event& event, Log& log, std::string text) {
  log.push_back("start " + text);
  co_await event;
  log.push_back("end " + text);
}

Task<std::unique_ptr<int>> wait_then_give(Event& event, int value) {
  co_await event;
  co_return std::make_unique<int>(value);
}

Task<void> sum(Event& event, int* out) {
  const int now = co_await seven();
  const std::unique_ptr<int> later = co_await wait_then_give(event, 35);
  *out = now + *later;
}

TEST(Task, RunsWhenCalledUpToItsFirstSuspension) {
  Event event;
  Log log;
  Task<void> task = wait_then_log(event, log, "a");
  EXPECT_EQ(log, (Log{"start a"}));
  EXPECT_FALSE(task.done());
  event.set();
  EXPECT_TRUE(task.done());
  EXPECT_EQ(log, (Log{"start a", "end a"}));
}

TEST(Task, GivesItsValueAtOnceOrLater) {
  Event event;
  int out = 0;
  Task<void> task = sum(event, &out);
  EXPECT_EQ(out, 0);
  event.set();
  EXPECT_EQ(out, 42);
  EXPECT_TRUE(task.done());
}

TEST(Task, DetachedOneEndsByItself) {
  Event event;
  Log log;
  wait_then_log(event, log, "a").detach();
  event.set();
  EXPECT_EQ(log.back(), "end a");
  wait_then_log(event, log, "b").detach();  // done already
  EXPECT_EQ(log.back(), "end b");
}

Task<void> nested(int depth, Event& event) {
  if (depth == 0) {
    co_await event;
  } else {
    co_await nested(depth - 1, event);
  }
}

TEST(Task, ResumesAChainOfAwaiters) {
  Event event;
  Task<void> task = nested(200, event);
  EXPECT_FALSE(task.done());
  event.set();
  EXPECT_TRUE(task.done());
}

Task<void> loop(Event& event, int* count) {
  while (*count < 3) {
    co_await event;
    event.reset();
    ++*count;
  }
}

TEST(Event, IsReusableAfterReset) {
  Event event;
  int count = 0;
  Task<void> task = loop(event, &count);
  EXPECT_EQ(count, 0);
  event.set();
  EXPECT_EQ(count, 1);
  EXPECT_FALSE(event.is_set());
  event.set();
  event.set();
  EXPECT_TRUE(task.done());
}

TEST(Gate, ClosesAtOnceWhenEmpty) {
  Gate gate;
  Task<void> closing = gate.close();
  EXPECT_TRUE(closing.done());
  EXPECT_TRUE(gate.is_closed());
}

TEST(Gate, ClosesWhenTheLastHasLeft) {
  Gate gate;
  Event first, second;
  Log log;
  gate.spawn(wait_then_log(first, log, "first"));
  gate.spawn(wait_then_log(second, log, "second"));
  Gate::Holder holder(gate);
  EXPECT_EQ(gate.count(), 3U);
  Task<void> closing = gate.close();
  first.set();
  EXPECT_EQ(gate.count(), 2U);
  second.set();
  EXPECT_FALSE(closing.done());
  holder = Gate::Holder();
  EXPECT_TRUE(closing.done());
}

TEST(Gate, TakesATaskThatHasEnded) {
  Gate gate;
  Event set;
  set.set();
  Log log;
  gate.spawn(wait_then_log(set, log, "a"));
  EXPECT_EQ(gate.count(), 0U);
}

TEST(Gate, HolderLeavesOnceHoweverOftenItMoves) {
  Gate gate;
  Gate::Holder a(gate);
  Gate::Holder b(std::move(a));
  Gate::Holder c;
  c = std::move(b);
  EXPECT_EQ(gate.count(), 1U);
}

struct Owner {
  Gate gate;
};
Task<void> close_and_destroy(std::unique_ptr<Owner> owner, bool* gone) {
  co_await owner->gate.close();
  owner.reset();
  *gone = true;
}

TEST(Gate, MayBeDestroyedByTheOneThatWaitedForIt) {
  auto owner = std::make_unique<Owner>();
  Owner& alive = *owner;
  Event work;
  Log log;
  alive.gate.spawn(wait_then_log(work, log, "a"));
  bool gone = false;
  Task<void> closing = close_and_destroy(std::move(owner), &gone);
  EXPECT_FALSE(gone);
  work.set();
  EXPECT_TRUE(gone);
  EXPECT_TRUE(closing.done());
}

}  // namespace
}  // namespace lunar::engine
