// How many requests are under way, in two generations, so that one can wait for those that are
// under way now while others keep coming. One shard.
#pragma once

#include <array>
#include <cassert>
#include <cstddef>
#include <cstdint>

#include "engine/mutex.h"
#include "engine/task.h"

namespace lunar::block {

class InFlight {
 public:
  // What enter() gives, to be given back to leave().
  using Generation = std::uint8_t;

  InFlight() = default;
  InFlight(const InFlight&) = delete;
  InFlight& operator=(const InFlight&) = delete;
  ~InFlight() { assert(count() == 0 && "destroyed with requests inside"); }

  [[nodiscard]] std::size_t count() const { return counts_[0] + counts_[1] + counts_[kStanding]; }

  Generation enter() {
    assert(!closed_);
    ++counts_[current_];
    return current_;
  }
  // For what close() must wait for, but drain() must not.
  void enter_standing() {
    assert(!closed_);
    ++counts_[kStanding];
  }
  void leave_standing() { leave(kStanding); }
  // It counts as one that enters now.
  Generation start_standing() {
    --counts_[kStanding];
    ++counts_[current_];
    return current_;
  }
  void leave(Generation generation) {
    assert(counts_[generation] != 0);
    if (--counts_[generation] == 0 && awaited_) [[unlikely]] {
      left(generation);
    }
  }

  // Completes when all that have entered before this call have left.
  engine::Task<void> drain() {
    enter_standing();
    {
      const engine::Mutex::Holder holder = co_await draining_.lock();
      // The other generation is empty: whoever drained it last has waited for that.
      const Generation old = current_;
      current_ ^= 1;
      if (counts_[old] != 0) {
        drained_.reset();
        waits_for_ = old;
        awaited_ = true;
        co_await drained_;
      }
    }
    leave_standing();
  }

  // No more entries; completes when the last has left. Once.
  engine::Task<void> close() {
    closed_ = true;
    awaited_ = true;
    if (count() != 0) co_await empty_;
  }

 private:
  static constexpr Generation kStanding = 2;
  static constexpr Generation kNone = 3;

  void left(Generation generation) {
    if (generation == waits_for_) {
      waits_for_ = kNone;
      awaited_ = closed_;
      drained_.set();  // last: drain() counts, and when it leaves the owner may end
      return;
    }
    if (closed_ && count() == 0) empty_.set();
  }

  std::array<std::size_t, 3> counts_{};
  Generation current_ = 0;
  Generation waits_for_ = kNone;  // the generation that drain() waits for
  bool awaited_ = false;          // somebody waits in drain() or close()
  bool closed_ = false;
  engine::Mutex draining_;
  engine::Event drained_;
  engine::Event empty_;
};

}  // namespace lunar::block
