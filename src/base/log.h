// The log: one line an event, for people, on standard error. A level that is off costs one load and
// a branch. Thread-safe; never called for an I/O that goes well.
//
// Nobody waits for the log: a line goes into a bounded queue, and a thread of the log's own writes
// it. What finds the queue full, because nobody reads standard error, is left out and counted, and
// the log says so once it is read again. So a program that crashes may lose its last lines; one
// that exits does not (exit() waits for kExitPatience at most).
#pragma once

#include <fmt/core.h>

#include <atomic>
#include <chrono>
#include <string>
#include <string_view>

#include "lunar/result.h"

namespace lunar::log {

enum class Level : unsigned char { trace, debug, info, warning, error, off };

constexpr std::chrono::milliseconds kExitPatience{500};

void set_level(Level level);
// "trace", "debug", "info", "warning", "error", "off".
Result<Level> parse_level(std::string_view text);

// Starts the log's thread, which runs on the cores of the calling one. The first line does it, too;
// so a program whose threads are pinned calls this before. no_resource: there is no thread to be
// had, and lines go out at once, as far as standard error takes them. Idempotent.
Result<void> start();
// Waits until what has been written so far is out, or `within` has passed: then false.
bool flush(std::chrono::milliseconds within);

namespace detail {
extern std::atomic<Level> threshold;
void write(Level level, std::string text);
[[nodiscard]] bool admit(Level level, std::string_view subject, std::string_view cause);
}  // namespace detail

[[nodiscard]] inline bool enabled(Level level) {
  return level >= detail::threshold.load(std::memory_order_relaxed);
}

template <class... Args>
void write(Level level, fmt::format_string<Args...> format, Args&&... args) {
  if (enabled(level)) detail::write(level, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void trace(fmt::format_string<Args...> format, Args&&... args) {
  write(Level::trace, format, std::forward<Args>(args)...);
}
template <class... Args>
void debug(fmt::format_string<Args...> format, Args&&... args) {
  write(Level::debug, format, std::forward<Args>(args)...);
}
template <class... Args>
void info(fmt::format_string<Args...> format, Args&&... args) {
  write(Level::info, format, std::forward<Args>(args)...);
}
template <class... Args>
void warning(fmt::format_string<Args...> format, Args&&... args) {
  write(Level::warning, format, std::forward<Args>(args)...);
}
template <class... Args>
void error(fmt::format_string<Args...> format, Args&&... args) {
  write(Level::error, format, std::forward<Args>(args)...);
}

// For what somebody else can cause as often as he likes: a peer, a medium. Of one subject (a peer's
// address, a device) and one cause (a few words, "login refused") the first lines are written, then
// one line a period says how many were left out: see Limiter. A line that is left out costs no
// formatting.
template <class... Args>
void limited(Level level, std::string_view subject, std::string_view cause,
             fmt::format_string<Args...> format, Args&&... args) {
  if (enabled(level) && detail::admit(level, subject, cause))
    detail::write(level, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace lunar::log
