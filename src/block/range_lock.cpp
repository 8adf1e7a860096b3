#include "block/range_lock.h"

#include <cassert>
#include <cstdint>

#include "block/front.h"

namespace lunar::block {

RangeLocks::RangeLocks(std::span<engine::Shard* const> shards)
    : shards_(shards.begin(), shards.end()), fronts_(shards.size()) {}

RangeLocks::~RangeLocks() { assert(queue_.empty() && "destroyed with a range held"); }

engine::Task<void> RangeLocks::join(Front& front) {
  fronts_[front.shard().index()] = &front;  // from here on ranges are frozen there
  Hold behind_all({Lba(0), BlockCount(UINT64_MAX)}, Exclusion::all);
  co_await on(kHome, behind_all, &RangeLocks::acquire);
  co_await on(kHome, behind_all, &RangeLocks::release);
}

void RangeLocks::leave(Front& front) { fronts_[front.shard().index()] = nullptr; }

engine::Task<void> RangeLocks::lock(Hold& hold) {
  assert(hold.range_.count.value != 0);
  co_await on(kHome, hold, &RangeLocks::acquire);
  co_await on_each(hold, &RangeLocks::freeze);
}

engine::Task<void> RangeLocks::unlock(Hold& hold) {
  co_await on_each(hold, &RangeLocks::thaw);
  co_await on(kHome, hold, &RangeLocks::release);
}

engine::Task<void> RangeLocks::on(std::size_t shard_index, Hold& hold, Step step) {
  engine::Shard& shard = *shards_[shard_index];
  if (engine::Shard::current() == &shard) {
    co_await (this->*step)(shard_index, hold);
    co_return;
  }
  auto make = [this, shard_index, &hold, step] { return (this->*step)(shard_index, hold); };
  auto there = engine::await_on(shard, make);
  co_await there;
}

// All shards at once: the messages of tasks are on their way before the first is awaited.
engine::Task<void> RangeLocks::on_each(Hold& hold, Step step) {
  if (shards_.size() == 1) {
    co_await on(kHome, hold, step);
    co_return;
  }
  std::vector<engine::Task<void>> steps;
  steps.reserve(shards_.size());
  for (std::size_t i = 0; i < shards_.size(); ++i) steps.push_back(on(i, hold, step));
  for (engine::Task<void>& task : steps) co_await task;
}

// An older one, holding or waiting, wants some of the same blocks.
bool RangeLocks::must_wait(const Hold& hold) {
  for (const Hold& older : queue_) {
    if (&older == &hold) break;
    if (older.range_.overlaps(hold.range_)) return true;
  }
  return false;
}

engine::Task<void> RangeLocks::acquire(std::size_t, Hold& hold) {
  queue_.push_back(hold);
  hold.granted_ = !must_wait(hold);
  if (!hold.granted_) co_await hold.grant_.event;
}

engine::Task<void> RangeLocks::release(std::size_t home, Hold& hold) {
  hold.unlink();
  for (Hold& next : queue_) {
    if (next.granted_ || must_wait(next)) continue;
    next.granted_ = true;
    // From the loop: it may come back here before it suspends.
    next.grant_.run = [](engine::Runnable& self) noexcept {
      static_cast<Hold::Grant&>(self).event.set();
    };
    shards_[home]->enqueue(next.grant_);
  }
  co_return;
}

engine::Task<void> RangeLocks::freeze(std::size_t shard_index, Hold& hold) {
  if (Front* front = fronts_[shard_index]) co_await front->freeze(hold.range_, hold.exclusion_);
}

engine::Task<void> RangeLocks::thaw(std::size_t shard_index, Hold& hold) {
  Front* front = fronts_[shard_index];
  // One that has come meanwhile has not frozen it. No other hold has the same range now.
  if (front != nullptr && front->has_frozen(hold.range_, hold.exclusion_))
    front->thaw(hold.range_, hold.exclusion_);
  co_return;
}

}  // namespace lunar::block
