// The log: one line an event, for people. Never called on the I/O path.
// A level that is off costs one load and a branch. Thread-safe.
#pragma once

#include <fmt/core.h>

#include <atomic>
#include <string_view>

#include "lunar/result.h"

namespace lunar::log {

enum class Level : unsigned char { trace, debug, info, warning, error, off };

void set_level(Level level);
// "trace", "debug", "info", "warning", "error", "off".
Result<Level> parse_level(std::string_view text);

namespace detail {
extern std::atomic<Level> threshold;
void write(Level level, std::string_view text);
}  // namespace detail

[[nodiscard]] inline bool enabled(Level level) {
  return level >= detail::threshold.load(std::memory_order_relaxed);
}

template <class... Args>
void write(Level level, fmt::format_string<Args...> format, Args&&... args) {
  if (enabled(level)) detail::write(level, fmt::format(format, std::forward<Args>(args)...));
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

}  // namespace lunar::log
