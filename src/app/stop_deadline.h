// The end of patience with an orderly stop: a medium that does not answer (a network file system
// whose server is gone) hears no abort, and must not keep the process.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

namespace lunar::app {

// Ends the process with exit code 1 and a line on standard error, unless it is destroyed in time.
class StopDeadline {
 public:
  explicit StopDeadline(std::chrono::milliseconds limit);
  StopDeadline(const StopDeadline&) = delete;
  StopDeadline& operator=(const StopDeadline&) = delete;
  ~StopDeadline();

 private:
  void watch(std::chrono::milliseconds limit);

  std::mutex mutex_;
  std::condition_variable changed_;
  bool stopped_ = false;
  std::thread watcher_;
};

}  // namespace lunar::app
