// The log: one line per event, for people, on standard error. Thread-safe. A level that is off
// costs one load and a branch. I/O that succeeds never logs.
//
// Logging never blocks: a line goes into a bounded queue, and the log's own thread writes it. If
// standard error is not read and the queue is full, lines are dropped and counted; the log reports
// the count once it can write again. A program that crashes may lose its last lines. One that exits
// does not: exit() waits for them, at most kExitPatience.
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

// Starts the log's thread on the cores of the calling thread. Otherwise the first line starts it,
// so a program that pins its threads calls start() before. no_resource: no thread could be started;
// lines are then written directly, as far as standard error takes them. Idempotent.
Result<void> start();
// Waits until all lines so far are written. False if that takes longer than `within`.
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

// For events that someone outside (a peer, a medium) can cause without end. Per subject (a peer's
// address, a device) and cause (a few words: "login refused") the first lines are written; then one
// line per period says how many were left out (log_limiter.h). A line left out is not formatted.
template <class... Args>
void limited(Level level, std::string_view subject, std::string_view cause,
             fmt::format_string<Args...> format, Args&&... args) {
  if (enabled(level) && detail::admit(level, subject, cause))
    detail::write(level, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace lunar::log
