// Mutual exclusion for coroutines of one shard, in order of arrival. Never blocks a thread.
#pragma once

#include <cassert>
#include <coroutine>
#include <utility>

#include "lunar/list.h"
#include "lunar/runnable.h"

namespace lunar::engine {

class Mutex {
 public:
  Mutex() = default;
  Mutex(const Mutex&) = delete;
  Mutex& operator=(const Mutex&) = delete;
  ~Mutex() { assert(!locked_ && "destroyed while locked"); }

  // Releases the mutex when destroyed, on its shard. The next in line owns the mutex from then on
  // and resumes from the shard's loop, so thousands of waiters need no deeper stack than one.
  class Holder {
   public:
    explicit Holder(Mutex& mutex) : mutex_(&mutex) {}
    Holder(Holder&& other) noexcept : mutex_(std::exchange(other.mutex_, nullptr)) {}
    Holder& operator=(Holder&&) = delete;
    ~Holder() {
      if (mutex_ != nullptr) mutex_->release();
    }

   private:
    Mutex* mutex_;
  };

  // const Mutex::Holder holder = co_await mutex.lock();
  class Lock : Runnable {
   public:
    explicit Lock(Mutex& mutex) : mutex_(mutex) {}
    bool await_ready() noexcept { return !std::exchange(mutex_.locked_, true); }
    void await_suspend(std::coroutine_handle<> waiter) noexcept {
      waiter_ = waiter;
      run = [](Runnable& self) noexcept { static_cast<Lock&>(self).waiter_.resume(); };
      mutex_.waiters_.push_back(*this);
    }
    Holder await_resume() noexcept { return Holder(mutex_); }

   private:
    Mutex& mutex_;
    std::coroutine_handle<> waiter_;
  };
  [[nodiscard]] Lock lock() { return Lock(*this); }
  [[nodiscard]] bool is_locked() const { return locked_; }

 private:
  void release();

  bool locked_ = false;
  List<Runnable> waiters_;
};

}  // namespace lunar::engine
