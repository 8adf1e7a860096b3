// Exclusive ranges of a device, over all of its shards: what makes read-compare-write one step.
//
//   RangeLocks::Hold hold({lba, count}, Exclusion::writes);
//   co_await locks.lock(hold);
//   … front.submit_as_holder(request) …
//   co_await locks.unlock(hold);
//
// The device's home shard grants overlapping ranges in the order of their arrival. Then every
// shard's Front freezes the range: new requests that overlap it queue there, and those under way
// are waited for. Plain requests pay for this with a look at one flag of their own shard, and with
// one shard no message is sent.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "block/frozen_ranges.h"
#include "block/range.h"
#include "engine/shard.h"
#include "engine/task.h"
#include "lunar/list.h"

namespace lunar::block {

class Front;

// One a device. lock() and unlock() are for any of its shards; the rest says for which.
class RangeLocks {
 public:
  // Alive from lock() to the end of unlock(). A range is never empty, and lies within the device.
  class Hold : public ListHook {
   public:
    Hold(const Range& range, Exclusion exclusion) : range_(range), exclusion_(exclusion) {}

   private:
    friend class RangeLocks;
    const Range range_;
    const Exclusion exclusion_;
    // The home shard's, as is the place in its queue.
    struct Grant : engine::Runnable {
      engine::Event event;
    } grant_;
    bool granted_ = false;
  };

  // The first shard is the home. They outlive this.
  explicit RangeLocks(std::span<engine::Shard* const> shards);
  RangeLocks(const RangeLocks&) = delete;
  RangeLocks& operator=(const RangeLocks&) = delete;
  ~RangeLocks();

  // On the shard of the Front. Completes when every range that is held is frozen there, too: then
  // it may have its first request. Waits for those who had one before.
  engine::Task<void> join(Front& front);
  // After its last request.
  void leave(Front& front);

  // Completes when nobody else touches the range, nor will before unlock(). A caller must not hold
  // another range, nor be a request that the waist has already: others wait for those.
  engine::Task<void> lock(Hold& hold);
  // Also after an error or an abort.
  engine::Task<void> unlock(Hold& hold);

 private:
  static constexpr std::size_t kHome = 0;
  using Step = engine::Task<void> (RangeLocks::*)(std::size_t shard_index, Hold& hold);

  engine::Task<void> on(std::size_t shard_index, Hold& hold, Step step);
  engine::Task<void> on_each(Hold& hold, Step step);
  [[nodiscard]] bool must_wait(const Hold& hold);
  engine::Task<void> acquire(std::size_t home, Hold& hold);
  engine::Task<void> release(std::size_t home, Hold& hold);
  engine::Task<void> freeze(std::size_t shard_index, Hold& hold);
  engine::Task<void> thaw(std::size_t shard_index, Hold& hold);

  std::vector<engine::Shard*> shards_;
  std::vector<Front*> fronts_;  // by shard; each is its shard's
  List<Hold> queue_;            // the home shard's: holders and those who wait, oldest first
};

}  // namespace lunar::block
