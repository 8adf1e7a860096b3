// The log's queue and the thread that writes it.
//
// spdlog's thread pool does not fit: it joins its thread at exit, which would hang on a pipe that
// nobody reads; it drops lines silently; and it wakes every ten seconds while idle.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/log.h"
#include "base/log_limiter.h"

namespace spdlog {
class formatter;
}

namespace lunar::log {

// Limits of the queue. Twice as much may be in memory, as the thread takes the whole queue at once.
constexpr std::size_t kMaxQueuedLines = 4096;
constexpr std::size_t kMaxQueuedBytes = std::size_t{1} << 20;
constexpr std::size_t kMaxLineBytes = 8192;  // the rest of a line is cut off

// Thread-safe. Lines come out in the order of post().
class Writer {
 public:
  // Writes to `descriptor`, which must outlive the Writer.
  explicit Writer(int descriptor);
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;
  // Joins the thread, which may block in a write(). For tests; the process's log is never
  // destroyed.
  ~Writer();

  // See log.h.
  Result<void> start();
  void post(Level level, std::string text);
  [[nodiscard]] bool admit(Level level, std::string_view subject, std::string_view cause);
  bool flush(std::chrono::milliseconds within);

  // For pthread_atfork(): a child process has the log but not its thread.
  void before_fork() { mutex_.lock(); }
  void after_fork_in_parent() { mutex_.unlock(); }
  void after_fork_in_child();

 private:
  using Now = std::chrono::system_clock;
  struct Line {
    Now::time_point time;
    Level level;
    std::string text;
  };

  void serve();
  void wait_for_work(std::unique_lock<std::mutex>& lock);
  void tell_limited();
  [[nodiscard]] bool tell_dropped(std::uint64_t lines) const;
  [[nodiscard]] std::string format(const Line& line) const;
  void write_without_thread(const Line& line);

  const int descriptor_;
  const bool colours_;
  const std::unique_ptr<spdlog::formatter> formatter_;  // the thread's; without one: mutex_

  std::mutex mutex_;
  std::condition_variable posted_;
  std::condition_variable written_;
  std::vector<Line> queue_;
  std::size_t queued_bytes_ = 0;
  std::uint64_t dropped_ = 0;  // not yet reported
  std::uint64_t lines_posted_ = 0;
  std::uint64_t lines_done_ = 0;  // written or dropped
  Limiter limiter_;
  bool sleeps_ = false;  // the thread waits for a notification or the end of a period
  bool stopping_ = false;
  bool has_thread_ = false;
  std::thread thread_;
};

}  // namespace lunar::log
