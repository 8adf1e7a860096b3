#include "base/log.h"

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <memory>

namespace lunar::log {
namespace {

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

spdlog::logger& logger() {
  static const auto instance = [] {
    // Standard error, so that standard output stays for what a command answers.
    auto made = std::make_shared<spdlog::logger>(
        "lunar", std::make_shared<spdlog::sinks::stderr_color_sink_mt>());
    made->set_level(spdlog::level::trace);
    made->set_pattern("%Y-%m-%d %H:%M:%S.%e %^%l%$ %v");
    made->flush_on(spdlog::level::info);
    return made;
  }();
  return *instance;
}

}  // namespace

namespace detail {

std::atomic<Level> threshold{Level::info};

void write(Level level, std::string_view text) {
  logger().log(to_spdlog(level), spdlog::string_view_t(text.data(), text.size()));
}

}  // namespace detail

void set_level(Level level) { detail::threshold.store(level, std::memory_order_relaxed); }

Result<Level> parse_level(std::string_view text) {
  constexpr std::pair<std::string_view, Level> kNames[] = {
      {"trace", Level::trace},     {"debug", Level::debug}, {"info", Level::info},
      {"warning", Level::warning}, {"error", Level::error}, {"off", Level::off}};
  for (const auto& [name, level] : kNames) {
    if (name == text) return level;
  }
  return fail(
      ErrorCode::invalid_argument,
      fmt::format("unknown log level '{}' (trace, debug, info, warning, error, off)", text));
}

}  // namespace lunar::log
