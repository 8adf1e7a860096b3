#include "app/stop_deadline.h"

#include <poll.h>
#include <unistd.h>

#include <cstdlib>
#include <string_view>
#include <utility>

#include "base/log.h"
#include "base/start_thread.h"

namespace lunar::app {
namespace {

// For what the log has still to say of the device.
constexpr std::chrono::milliseconds kLastLines{200};

// Not where that would block: nobody may read what we say.
void say(std::string_view line) {
  pollfd standard_error{STDERR_FILENO, POLLOUT, 0};
  if (poll(&standard_error, 1, 0) != 1 || (standard_error.revents & POLLOUT) == 0) return;
  [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, line.data(), line.size());
}

}  // namespace

StopDeadline::StopDeadline(std::chrono::milliseconds limit) {
  // Where no thread is to be had, the stop is orderly all the same, and takes as long as it takes.
  if (auto started = start_thread("stop-deadline", [this, limit] { watch(limit); }))
    watcher_ = std::move(*started);
}

StopDeadline::~StopDeadline() {
  {
    const std::lock_guard guard(mutex_);
    stopped_ = true;
  }
  changed_.notify_one();
  if (watcher_.joinable()) watcher_.join();
}

void StopDeadline::watch(std::chrono::milliseconds limit) {
  std::unique_lock guard(mutex_);
  if (changed_.wait_for(guard, limit, [this] { return stopped_; })) return;
  (void)log::flush(kLastLines);
  say("lunar: a device does not answer; leaving without an orderly stop\n");
  std::_Exit(1);
}

}  // namespace lunar::app
