#include "engine/blocking_worker.h"

#include "base/start_thread.h"

namespace lunar::engine {

BlockingWorker::~BlockingWorker() {
  {
    const std::scoped_lock lock(mutex_);
    assert(queue_.empty() && "destroyed with work to do");
    stopping_ = true;
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

Result<void> BlockingWorker::start() {
  const std::scoped_lock lock(mutex_);
  return threads_.empty() ? add_thread() : Result<void>();
}

Result<void> BlockingWorker::add_thread() {
  LUNAR_TRY_ASSIGN(std::thread thread, start_thread("blocking-work", [this] { serve(); }));
  threads_.push_back(std::move(thread));
  return {};
}

void BlockingWorker::post(std::move_only_function<void()> work) {
  std::unique_lock lock(mutex_);
  const bool none_is_free = busy_ + queue_.size() >= threads_.size();
  if (none_is_free && threads_.size() < kMaxBlockingThreads && !add_thread() && threads_.empty()) {
    lock.unlock();
    work();
    return;
  }
  queue_.push_back(std::move(work));
  changed_.notify_one();
}

void BlockingWorker::serve() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
    if (queue_.empty()) return;
    std::move_only_function<void()> work = std::move(queue_.front());
    queue_.pop_front();
    ++busy_;
    lock.unlock();
    work();
    work = nullptr;
    lock.lock();
    --busy_;
  }
}

}  // namespace lunar::engine
