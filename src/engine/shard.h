// A shard: one thread, one loop, and all mutable state that belongs to them.
//
// Threading: methods are called on the shard's own thread, where Shard::current() is this shard,
// unless stated otherwise. To reach another shard use post() or call_on(). Other threads use
// post_foreign().
#pragma once

#include <atomic>
#include <cassert>
#include <coroutine>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <type_traits>
#include <vector>

#include "base/cache_line.h"
#include "engine/buffer_pool.h"
#include "engine/clock.h"
#include "engine/driver.h"
#include "engine/gate.h"
#include "engine/idle_policy.h"
#include "engine/mailbox.h"
#include "engine/prng.h"
#include "engine/task.h"
#include "engine/timer.h"
#include "lunar/list.h"
#include "lunar/runnable.h"
#include "lunar/shard.h"

namespace lunar::engine {

class BlockingWorker;
class FileIo;
class Network;

// Work that is polled in every loop while it is busy: a hot connection.
class Poller : public ListHook {
 public:
  // Returns whether there was work. May remove itself or others with Shard::remove_poller.
  virtual bool poll() = 0;
  // The shard is about to block: arrange a wake-up, and usually call remove_poller().
  virtual void park() = 0;

 protected:
  ~Poller() = default;
};

// What a shard runs on. The shard does not own it.
struct ShardEnvironment {
  Clock& clock;
  Driver& driver;
  Network& network;
  std::uint64_t seed = 0;
  std::size_t pool_bytes = kDefaultPoolBytes;
  std::uint64_t max_spin_ns = 200 * kMicrosecond;  // 0: never spin
  BlockingWorker* blocking_worker = nullptr;       // null: nothing blocks, as in a simulated world
};

class alignas(kCacheLine) Shard {
 public:
  Shard(unsigned index, const ShardEnvironment& environment);
  Shard(const Shard&) = delete;
  Shard& operator=(const Shard&) = delete;
  ~Shard();

  // The shard of this thread; null elsewhere.
  static Shard* current() { return current_; }

  [[nodiscard]] unsigned index() const { return index_; }
  // The time at the start of this loop. Cheap.
  [[nodiscard]] std::uint64_t now_ns() const { return now_ns_; }
  [[nodiscard]] Clock& clock() { return clock_; }
  [[nodiscard]] Driver& driver() { return driver_; }
  [[nodiscard]] Network& network() { return network_; }
  [[nodiscard]] Prng& prng() { return prng_; }
  [[nodiscard]] BufferPool& buffers() { return buffers_; }

  // ---- Work of this shard.
  void enqueue(Runnable& runnable) { run_list_.push_back(runnable); }
  // Runs `runnable` when all work from the current source (one poller, or all completions) is done,
  // before the next source. A connection sends its queued answers there, all in one.
  void at_batch_end(Runnable& runnable) {
    if (!runnable.is_linked()) batch_end_.push_back(runnable);
  }
  void add_poller(Poller& poller) { pollers_.push_back(poller); }
  void remove_poller(Poller& poller) { poller.unlink(); }
  void arm(Timer& timer, std::uint64_t deadline_ns) { timers_.arm(timer, deadline_ns); }

  // ---- Other shards. Runs `message` on shard `to`. The owner keeps it alive until it has run.
  void post(Shard& to, Runnable& message);
  // ---- Other threads. See lunar/shard.h, which is this for authors of devices.
  void post_foreign(Runnable& message);
  // The same for a function, in memory of its own: not for the I/O path.
  void post_foreign(std::function<void()> function);
  void run_blocking(std::move_only_function<void()> work);

  // ---- The loop.
  // Connects shards that exchange messages. Call before any of them runs.
  static void connect(std::span<Shard* const> shards);
  // Runs the loop on this thread until request_stop() is called.
  void run();
  // Ends run() after the current loop. From any thread. Owners have closed everything before.
  void request_stop();
  // One pass of the loop; returns whether there was work. For run() and for simulations, which call
  // bind() first.
  bool run_once();
  // Makes this the calling thread's current shard (null: none).
  static void bind(Shard* shard) { current_ = shard; }
  // Blocks until the next event or timer, as run() does when there is nothing to do.
  void sleep();
  // Tells every poller that the shard is about to block; sleep() does it by itself.
  void park_pollers();
  [[nodiscard]] std::optional<std::uint64_t> next_deadline_ns() const {
    return timers_.next_deadline_ns();
  }

  // How often the loop has slept; for metrics and tests. From any thread.
  [[nodiscard]] std::uint64_t sleeps() const { return sleeps_.load(std::memory_order_relaxed); }

 private:
  bool drain_mailboxes();
  bool drain_foreign();
  bool run_pollers();
  void finish_batch();
  bool run_list(List<Runnable>& list);
  bool run_timers();
  void retry_overflow();

  static constinit thread_local Shard* current_;

  const unsigned index_;
  Clock& clock_;
  Driver& driver_;
  Network& network_;
  Prng prng_;
  std::uint64_t now_ns_;
  List<Runnable> run_list_;
  List<Runnable> batch_end_;
  List<Poller> pollers_;
  TimerQueue timers_;
  IdlePolicy idle_;
  BufferPool buffers_;

  std::vector<std::unique_ptr<Mailbox>> inbox_;  // by sender
  std::vector<Mailbox*> outbox_;                 // by receiver: a mailbox in its inbox_
  std::vector<Shard*> peers_;
  std::vector<std::vector<Runnable*>> overflow_;  // by receiver: messages while its mailbox is full
  bool has_overflow_ = false;

  alignas(kCacheLine) std::atomic<bool> sleeping_{false};
  std::atomic<bool> stop_requested_{false};
  std::atomic<std::uint64_t> sleeps_{0};
  // What other threads have posted, linked by `next`, the latest first; the end links to itself.
  std::atomic<Runnable*> foreign_{nullptr};
  BlockingWorker* const blocking_worker_;
};

// co_await call_on(shard, function): runs `function` on `shard` and gives its result on the calling
// shard, where the caller stays. No allocation: the message lives in the awaiting frame.
template <class F>
class CallOn : Runnable {
 public:
  using Value = std::invoke_result_t<F&>;

  CallOn(Shard& target, F function) : target_(target), function_(std::move(function)) {}
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> waiter) noexcept {
    waiter_ = waiter;
    home_ = Shard::current();
    assert(home_ != nullptr);
    run = [](Runnable& self) noexcept { static_cast<CallOn&>(self).execute(); };
    home_->post(target_, *this);
  }
  Value await_resume() {
    if constexpr (!std::is_void_v<Value>) return std::move(*value_);
  }

 private:
  struct Nothing {};
  void execute() noexcept {
    if constexpr (std::is_void_v<Value>) {
      function_();
    } else {
      value_.emplace(function_());
    }
    run = [](Runnable& self) noexcept { static_cast<CallOn&>(self).waiter_.resume(); };
    target_.post(*home_, *this);
  }

  Shard& target_;
  F function_;
  Shard* home_ = nullptr;
  std::coroutine_handle<> waiter_;
  std::optional<std::conditional_t<std::is_void_v<Value>, Nothing, Value>> value_;
};
template <class F>
CallOn<F> call_on(Shard& target, F function) {
  return CallOn<F>(target, std::move(function));
}

// co_await await_on(shard, make): runs the coroutine `make()` on `shard` to its end and gives its
// result on the calling shard.
template <class F>
class AwaitOn : Runnable {
  template <class T>
  struct Unwrap;
  template <class T>
  struct Unwrap<Task<T>> {
    using Type = T;
  };

 public:
  using Value = typename Unwrap<std::invoke_result_t<F&>>::Type;

  AwaitOn(Shard& target, F make) : target_(target), make_(std::move(make)) {}
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> waiter) noexcept {
    waiter_ = waiter;
    home_ = Shard::current();
    run = [](Runnable& self) noexcept { drive(&static_cast<AwaitOn&>(self)).detach(); };
    home_->post(target_, *this);
  }
  Value await_resume() {
    if constexpr (!std::is_void_v<Value>) return std::move(*value_);
  }

 private:
  struct Nothing {};
  static Task<void> drive(AwaitOn* self) {
    if constexpr (std::is_void_v<Value>) {
      co_await self->make_();
    } else {
      self->value_.emplace(co_await self->make_());
    }
    self->run = [](Runnable& back) noexcept { static_cast<AwaitOn&>(back).waiter_.resume(); };
    self->target_.post(*self->home_, *self);  // `self` belongs to the other shard from here on
  }

  Shard& target_;
  F make_;
  Shard* home_ = nullptr;
  std::coroutine_handle<> waiter_;
  std::optional<std::conditional_t<std::is_void_v<Value>, Nothing, Value>> value_;
};
template <class F>
AwaitOn<F> await_on(Shard& target, F make) {
  return AwaitOn<F>(target, std::move(make));
}

// co_await sleep_until(shard, deadline_ns).
class SleepUntil : Timer {
 public:
  SleepUntil(Shard& shard, std::uint64_t deadline_ns) : shard_(shard), at_ns_(deadline_ns) {}
  bool await_ready() const noexcept { return at_ns_ <= shard_.now_ns(); }
  void await_suspend(std::coroutine_handle<> waiter) noexcept {
    waiter_ = waiter;
    run = [](Runnable& self) noexcept { static_cast<SleepUntil&>(self).waiter_.resume(); };
    shard_.arm(*this, at_ns_);
  }
  void await_resume() const noexcept {}

 private:
  Shard& shard_;
  std::uint64_t at_ns_;
  std::coroutine_handle<> waiter_;
};
inline SleepUntil sleep_until(Shard& shard, std::uint64_t deadline_ns) {
  return {shard, deadline_ns};
}
inline SleepUntil sleep_for(Shard& shard, std::uint64_t nanoseconds) {
  return {shard, shard.now_ns() + nanoseconds};
}

}  // namespace lunar::engine
