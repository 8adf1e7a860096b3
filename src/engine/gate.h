// Gate: keeps an owner alive until its work has ended. Work enters while the gate is open; close()
// waits until all work has left. One shard only.
#pragma once

#include <cassert>
#include <cstddef>
#include <utility>

#include "engine/task.h"

namespace lunar::engine {

class Gate {
 public:
  Gate() = default;
  Gate(const Gate&) = delete;
  Gate& operator=(const Gate&) = delete;
  ~Gate() { assert(count_ == 0 && "destroyed with work inside"); }

  // Keeps the gate occupied while it exists.
  class Holder {
   public:
    Holder() = default;
    explicit Holder(Gate& gate) : gate_(&gate) { gate.enter(); }
    Holder(Holder&& other) noexcept : gate_(std::exchange(other.gate_, nullptr)) {}
    Holder& operator=(Holder&& other) noexcept {
      std::swap(gate_, other.gate_);
      return *this;
    }
    ~Holder() {
      if (gate_ != nullptr) gate_->leave();
    }

   private:
    Gate* gate_ = nullptr;
  };

  [[nodiscard]] bool is_closed() const { return closed_; }
  [[nodiscard]] std::size_t count() const { return count_; }
  void enter() {
    assert(!closed_);
    ++count_;
  }
  void leave() {
    assert(count_ != 0);
    if (--count_ == 0 && closed_) empty_.set();
  }

  // Starts `task` detached, inside the gate until it ends.
  void spawn(Task<void> task) { hold(Holder(*this), std::move(task)).detach(); }

  // Forbids further entries, and completes when all work has left. Call once.
  Task<void> close() {
    closed_ = true;
    if (count_ != 0) co_await empty_;
  }

 private:
  static Task<void> hold(Holder holder, Task<void> task) {
    co_await task;
    (void)holder;
  }

  std::size_t count_ = 0;
  bool closed_ = false;
  Event empty_;
};

}  // namespace lunar::engine
