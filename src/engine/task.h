// Task<T>: a coroutine for sequences (login, task management, shutdown), not for the I/O path.
//
// Eager: it runs when called, up to its first suspension. Its frame comes from the slab. Await it
// at most once. Destroying a Task before its end would leak the frame and asserts: if nobody awaits
// it, give it to a Gate (Gate::spawn).
//
// g++ 12 destroys twice an aggregate or capturing-lambda temporary inside a co_await expression:
// name it first, then move it. Lambdas that are coroutines must not capture: pass arguments.
#pragma once

#include <cassert>
#include <coroutine>
#include <cstdlib>
#include <optional>
#include <utility>

#include "engine/slab.h"

namespace lunar::engine {

template <class T>
class Task;

namespace detail {

struct PromiseBase {
  std::coroutine_handle<> continuation;
  bool detached = false;

  static void* operator new(std::size_t bytes) { return slab::allocate(bytes); }
  static void operator delete(void* frame, std::size_t bytes) noexcept {
    slab::deallocate(frame, bytes);
  }

  std::suspend_never initial_suspend() noexcept { return {}; }

  struct Final {
    bool await_ready() noexcept { return false; }
    template <class Promise>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> self) noexcept {
      PromiseBase& promise = self.promise();
      const std::coroutine_handle<> next =
          promise.continuation ? promise.continuation : std::noop_coroutine();
      if (promise.detached) self.destroy();
      return next;
    }
    void await_resume() noexcept {}
  };
  Final final_suspend() noexcept { return {}; }
  void unhandled_exception() noexcept { std::abort(); }  // errors are values
};

template <class T>
struct Promise : PromiseBase {
  std::optional<T> value;
  Task<T> get_return_object();
  void return_value(T result) { value.emplace(std::move(result)); }
};

template <>
struct Promise<void> : PromiseBase {
  Task<void> get_return_object();
  void return_void() {}
};

}  // namespace detail

template <class T = void>
class [[nodiscard]] Task {
 public:
  using promise_type = detail::Promise<T>;
  using Handle = std::coroutine_handle<promise_type>;

  Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, {})) {}
  Task& operator=(Task&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~Task() {
    if (!handle_) return;
    assert(handle_.done() && "a running Task was dropped: await it or give it to a Gate");
    handle_.destroy();
  }

  [[nodiscard]] bool done() const { return handle_.done(); }

  bool await_ready() const noexcept { return handle_.done(); }
  void await_suspend(std::coroutine_handle<> waiter) noexcept {
    handle_.promise().continuation = waiter;
  }
  T await_resume() {
    if constexpr (!std::is_void_v<T>) return std::move(*handle_.promise().value);
  }

  // Lets the coroutine run to its end, and frees its frame then.
  void detach() {
    if (handle_.done()) {
      handle_.destroy();
    } else {
      handle_.promise().detached = true;
    }
    handle_ = {};
  }

 private:
  friend promise_type;
  explicit Task(Handle handle) : handle_(handle) {}
  Handle handle_;
};

namespace detail {
template <class T>
Task<T> Promise<T>::get_return_object() {
  return Task<T>(Task<T>::Handle::from_promise(*this));
}
inline Task<void> Promise<void>::get_return_object() {
  return Task<void>(Task<void>::Handle::from_promise(*this));
}
}  // namespace detail

// Wakes one waiter on set(). Reusable after reset(). Not copyable: if a call returns a reference,
// g++ 12 awaits a copy, which nobody would set.
class Event {
 public:
  Event() = default;
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;

  void set() {
    set_ = true;
    if (waiter_) std::exchange(waiter_, {}).resume();
  }
  void reset() { set_ = false; }
  [[nodiscard]] bool is_set() const { return set_; }

  bool await_ready() const noexcept { return set_; }
  void await_suspend(std::coroutine_handle<> waiter) noexcept {
    assert(!waiter_);
    waiter_ = waiter;
  }
  void await_resume() const noexcept {}

 private:
  bool set_ = false;
  std::coroutine_handle<> waiter_;
};

}  // namespace lunar::engine
