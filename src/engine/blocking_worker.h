// Threads for calls that may block. A shard that blocks would stop all of its I/O.
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

// Threading: run() is called on a shard, post() on any thread. Calls begin in order of arrival and
// run in parallel. A thread is started if none is free, up to kMaxBlockingThreads, so a call that
// hangs delays no other. The shards and the captures of a call must outlive it.
class BlockingWorker {
 public:
  BlockingWorker() = default;
  BlockingWorker(const BlockingWorker&) = delete;
  BlockingWorker& operator=(const BlockingWorker&) = delete;
  ~BlockingWorker();  // no call may be pending

  // Starts the first thread, so that there is always one. no_resource: none could be started.
  Result<void> start();
  // If no thread can be started, runs `work` on the calling thread, which is slow but correct.
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
  // Runs `function` on a thread. Awaiting gives its result on the calling shard.
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
