#include "base/log_writer.h"

#include <fmt/format.h>
#include <poll.h>
#include <pthread.h>
#include <spdlog/details/log_msg.h>
#include <spdlog/details/os.h>
#include <spdlog/pattern_formatter.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <csignal>
#include <utility>

#include "base/start_thread.h"

namespace lunar::log {
namespace {

// RFC 3339: comparing the logs of two machines needs the time zone.
constexpr const char* kPattern = "%Y-%m-%dT%H:%M:%S.%e%z %^%l%$ %v";

spdlog::level::level_enum to_spdlog(Level level) {
  switch (level) {
    case Level::trace: return spdlog::level::trace;
    case Level::debug: return spdlog::level::debug;
    case Level::info: return spdlog::level::info;
    case Level::warning: return spdlog::level::warn;
    case Level::error: return spdlog::level::err;
    case Level::off: return spdlog::level::off;
  }
  return spdlog::level::off;
}

std::string_view colour_of(Level level) {
  switch (level) {
    case Level::trace: return "\033[37m";
    case Level::debug: return "\033[36m";
    case Level::info: return "\033[32m";
    case Level::warning: return "\033[33m\033[1m";
    case Level::error: return "\033[31m\033[1m";
    case Level::off: return "";
  }
  return "";
}
constexpr std::string_view kNoColour = "\033[m";

// Writes everything, and waits for the reader up to `patience_ms` each time (-1: for ever). Writes
// at most what a pipe takes at once, so that a reader never sees half a short line. False: it was
// lost.
bool write_all(int descriptor, std::string_view text, int patience_ms) {
  while (!text.empty()) {
    pollfd ready{.fd = descriptor, .events = POLLOUT, .revents = 0};
    const int polled = ::poll(&ready, 1, patience_ms);
    if (polled < 0 && errno == EINTR) continue;
    if (polled <= 0) return false;
    const ssize_t count =
        ::write(descriptor, text.data(), std::min<std::size_t>(text.size(), PIPE_BUF));
    if (count < 0) {
      if (errno == EINTR || errno == EAGAIN) continue;
      return false;
    }
    text.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

// A message stays one line, whatever a peer has put into a name.
void make_printable(std::string& text) {
  if (text.size() > kMaxLineBytes) text.resize(kMaxLineBytes);
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < ' ' || c == '\x7f') c = '?';
  }
}

}  // namespace

Writer::Writer(int descriptor)
    : descriptor_(descriptor),
      colours_(::isatty(descriptor) != 0 && spdlog::details::os::is_color_terminal()),
      formatter_(std::make_unique<spdlog::pattern_formatter>(kPattern)) {}

Writer::~Writer() {
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
  }
  posted_.notify_one();
  if (thread_.joinable()) thread_.join();
}

Result<void> Writer::start() {
  const std::scoped_lock lock(mutex_);
  if (has_thread_) return {};
  // The thread takes no signals: neither the program's nor SIGPIPE for a reader that has gone.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  auto started = start_thread("log", [this] { serve(); });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (!started) return std::unexpected(started.error());
  thread_ = std::move(*started);
  has_thread_ = true;
  return {};
}

void Writer::post(Level level, std::string text) {
  make_printable(text);
  Line line{Now::now(), level, std::move(text)};
  std::unique_lock lock(mutex_);
  if (!has_thread_) {
    write_without_thread(line);
    return;
  }
  if (queue_.size() >= kMaxQueuedLines || queued_bytes_ + line.text.size() > kMaxQueuedBytes) {
    ++dropped_;
    return;
  }
  ++lines_posted_;
  queued_bytes_ += line.text.size();
  queue_.push_back(std::move(line));
  const bool wake = std::exchange(sleeps_, false);
  lock.unlock();
  if (wake) posted_.notify_one();
}

bool Writer::admit(Level level, std::string_view subject, std::string_view cause) {
  std::unique_lock lock(mutex_);
  const bool owed = limiter_.next_end().has_value();
  const bool admitted = limiter_.admit(level, subject, cause, std::chrono::steady_clock::now());
  // The thread needs to know when the summary of the first line left out is due.
  const bool wake = !owed && limiter_.next_end() && std::exchange(sleeps_, false);
  lock.unlock();
  if (wake) posted_.notify_one();
  return admitted;
}

bool Writer::flush(std::chrono::milliseconds within) {
  std::unique_lock lock(mutex_);
  const std::uint64_t wanted = lines_posted_;
  return written_.wait_for(lock, within, [&] { return lines_done_ >= wanted; });
}

void Writer::serve() {
  std::unique_lock lock(mutex_);
  for (;;) {
    wait_for_work(lock);
    if (queue_.empty()) return;
    const std::vector<Line> lines = std::exchange(queue_, {});
    const std::uint64_t dropped = std::exchange(dropped_, 0);
    queued_bytes_ = 0;
    lock.unlock();
    std::uint64_t lost = 0;
    for (const Line& line : lines) {
      if (!write_all(descriptor_, format(line), -1)) ++lost;
    }
    if (dropped != 0 && !tell_dropped(dropped)) lost += dropped;
    lock.lock();
    dropped_ += lost;
    lines_done_ += lines.size();
    written_.notify_all();
  }
}

// Waits until there are lines; ends of periods produce some. An idle log never wakes up.
void Writer::wait_for_work(std::unique_lock<std::mutex>& lock) {
  for (;;) {
    if (const auto end = limiter_.next_end(); end && std::chrono::steady_clock::now() >= *end)
      tell_limited();
    if (!queue_.empty() || stopping_) break;
    sleeps_ = true;
    if (const auto end = limiter_.next_end()) {
      posted_.wait_until(lock, *end);
    } else {
      posted_.wait(lock);
    }
  }
  sleeps_ = false;
}

// Not limited by the queue's bounds: these lines are few.
void Writer::tell_limited() {
  for (const auto& each : limiter_.end_periods(std::chrono::steady_clock::now())) {
    std::string text = fmt::format("{}: {}: {} more lines in {} s were left out", each.subject,
                                   each.cause, each.lines, kLimitPeriod.count());
    make_printable(text);
    queued_bytes_ += text.size();
    queue_.push_back({Now::now(), each.level, std::move(text)});
    ++lines_posted_;
  }
}

// Goes behind the lines that filled the queue, which is where the dropped ones are missing.
bool Writer::tell_dropped(std::uint64_t lines) const {
  const Line line{Now::now(), Level::warning,
                  fmt::format("{} lines were left out here: nobody took what was written", lines)};
  return write_all(descriptor_, format(line), -1);
}

std::string Writer::format(const Line& line) const {
  spdlog::memory_buf_t text;
  const spdlog::details::log_msg message(line.time, spdlog::source_loc{}, {}, to_spdlog(line.level),
                                         spdlog::string_view_t(line.text.data(), line.text.size()));
  formatter_->format(message, text);
  std::string out(text.data(), text.size());
  if (colours_) {
    out.insert(message.color_range_end, kNoColour);
    out.insert(message.color_range_start, colour_of(line.level));
  }
  return out;
}

void Writer::write_without_thread(const Line& line) {
  if (!write_all(descriptor_, format(line), 0)) ++dropped_;
}

void Writer::after_fork_in_child() {
  has_thread_ = false;
  // These refer to a thread that does not exist here. Destroying them would wait for it.
  std::construct_at(&thread_);
  std::construct_at(&posted_);
  std::construct_at(&written_);
  sleeps_ = false;
  queue_.clear();  // the parent writes them
  queued_bytes_ = 0;
  lines_done_ = lines_posted_;
  mutex_.unlock();
}

}  // namespace lunar::log
