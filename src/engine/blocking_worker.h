// A thread for what may block: a shard that waited for the kernel would stop all of its I/O.
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

#include "engine/shard.h"
#include "lunar/result.h"

namespace lunar::engine {

// Threading: run() is for shards; the shards and the work outlive what they have asked for. One
// call at a time, in the order of arrival.
class BlockingWorker {
 public:
  BlockingWorker() = default;
  BlockingWorker(const BlockingWorker&) = delete;
  BlockingWorker& operator=(const BlockingWorker&) = delete;
  ~BlockingWorker();  // no work is under way

  // Starts the thread. Without it the first call does; where no thread is to be had by then, work
  // is done on the calling shard, which is slow but right. no_resource.
  Result<void> start();

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
  // Calls `function` on the thread and gives its result on the calling shard.
  template <class F>
  [[nodiscard]] Work<F> run(F function) {
    return Work<F>(*this, std::move(function));
  }

 private:
  void post(std::function<void()> work);
  void serve();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> queue_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace lunar::engine
