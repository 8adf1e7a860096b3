// Timers of one shard.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "lunar/timer.h"

namespace lunar::engine {

// A 4-ary heap. arm() and cancel() are O(log n), next_deadline_ns() is O(1).
class TimerQueue {
 public:
  TimerQueue() = default;
  TimerQueue(const TimerQueue&) = delete;
  TimerQueue& operator=(const TimerQueue&) = delete;
  ~TimerQueue();

  // Arms, or re-arms, the timer.
  void arm(Timer& timer, std::uint64_t deadline_ns);
  [[nodiscard]] std::optional<std::uint64_t> next_deadline_ns() const {
    if (heap_.empty()) return std::nullopt;
    return heap_.front()->deadline_ns_;
  }
  // Removes and returns one expired timer. Null: none.
  Timer* pop_expired(std::uint64_t now_ns);

 private:
  friend class Timer;
  void remove(Timer& timer);
  void place(Timer& timer, std::size_t slot);
  void sift_up(std::size_t slot);
  void sift_down(std::size_t slot);

  std::vector<Timer*> heap_;
};

}  // namespace lunar::engine
