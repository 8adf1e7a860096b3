#include "engine/blocking_worker.h"

#include "base/start_thread.h"

namespace lunar::engine {

BlockingWorker::~BlockingWorker() {
  {
    const std::scoped_lock lock(mutex_);
    assert(queue_.empty() && "destroyed with work to do");
    stopping_ = true;
  }
  changed_.notify_one();
  if (thread_.joinable()) thread_.join();
}

Result<void> BlockingWorker::start() {
  const std::scoped_lock lock(mutex_);
  if (thread_.joinable()) return {};
  LUNAR_TRY_ASSIGN(thread_, start_thread("blocking-work", [this] { serve(); }));
  return {};
}

void BlockingWorker::post(std::function<void()> work) {
  if (!start()) return work();
  {
    const std::scoped_lock lock(mutex_);
    queue_.push_back(std::move(work));
  }
  changed_.notify_one();
}

void BlockingWorker::serve() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
    if (queue_.empty()) return;
    const std::function<void()> work = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    work();
    lock.lock();
  }
}

}  // namespace lunar::engine
