// Threads for what may block: a shard that waited for the kernel would stop all of its I/O.
//
//   auto work = blocking_worker.run([&] { return device.extent_at(lba, count); });
//   const auto extent = co_await work;
#pragma once

#include <cassert>
#include <condition_variable>
#include <coroutine>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include "engine/shard.h"
#include "lunar/result.h"

namespace lunar::engine {

// Threading: run() is for shards, post() for anybody; the shards and the work outlive what they
// have asked for. Works begin in the order of their arrival and run beside each other, on threads
// that are started when none is free, up to kMaxBlockingThreads: one that hangs holds up no other.
class BlockingWorker {
 public:
  BlockingWorker() = default;
  BlockingWorker(const BlockingWorker&) = delete;
  BlockingWorker& operator=(const BlockingWorker&) = delete;
  ~BlockingWorker();  // no work is under way

  // Starts the first thread, so that there is always one. no_resource.
  Result<void> start();
  // Where no thread is to be had, work is done on the caller's, which is slow but right.
  void post(std::move_only_function<void()> work);

  template <class F>
  class Work {
   public:
    using Value = std::invoke_result_t<F&>;

    Work(BlockingWorker& worker, F function) : worker_(worker), function_(std::move(function)) {}
    [[nodiscard]] bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> waiter) {
      Shard* home = Shard::current();
      assert(home != nullptr);
      worker_.post([this, home, waiter] {
        value_.emplace(function_());
        home->post_foreign([waiter] { waiter.resume(); });
      });
    }
    Value await_resume() { return std::move(*value_); }

   private:
    BlockingWorker& worker_;
    F function_;
    std::optional<Value> value_;
  };
  // Calls `function` on a thread and gives its result on the calling shard.
  template <class F>
  [[nodiscard]] Work<F> run(F function) {
    return Work<F>(*this, std::move(function));
  }

 private:
  Result<void> add_thread();
  void serve();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::move_only_function<void()>> queue_;
  std::size_t busy_ = 0;  // threads with work
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace lunar::engine
