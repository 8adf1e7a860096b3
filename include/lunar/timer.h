// A deadline of one shard. Shard work arms it: engine::arm() in lunar/shard.h.
#pragma once

#include <cstddef>
#include <cstdint>

#include "lunar/runnable.h"

namespace lunar::engine {

class TimerQueue;

// Runs once at its deadline, on its shard. Destroying or cancelling it disarms it. Everything of it
// is that shard's.
class Timer : public Runnable {
 public:
  Timer() = default;
  explicit Timer(Run function) : Runnable(function) {}
  ~Timer() { cancel(); }

  [[nodiscard]] bool is_armed() const { return queue_ != nullptr; }
  [[nodiscard]] std::uint64_t deadline_ns() const { return deadline_ns_; }
  // Also takes it off the run list when it has expired but not run yet.
  void cancel();

 private:
  friend class TimerQueue;
  TimerQueue* queue_ = nullptr;
  std::size_t slot_ = 0;
  std::uint64_t deadline_ns_ = 0;
};

}  // namespace lunar::engine
