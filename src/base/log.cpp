#include "base/log.h"

#include <pthread.h>
#include <unistd.h>

#include <cstdlib>

#include "base/log_writer.h"

namespace lunar::log {
namespace {

// Never destroyed: its thread may hang in a write(), and other code logs until the end of the
// process.
Writer& writer() {
  static Writer& instance = [] -> Writer& {
    static auto* const made = new Writer(STDERR_FILENO);
    // start() reports to its caller that there is no thread.
    static_cast<void>(made->start());
    pthread_atfork([] { made->before_fork(); }, [] { made->after_fork_in_parent(); },
                   [] { made->after_fork_in_child(); });
    std::atexit([] { made->flush(kExitPatience); });
    return *made;
  }();
  return instance;
}

}  // namespace

namespace detail {

std::atomic<Level> threshold{Level::info};

void write(Level level, std::string text) { writer().post(level, std::move(text)); }

bool admit(Level level, std::string_view subject, std::string_view cause) {
  return writer().admit(level, subject, cause);
}

}  // namespace detail

void set_level(Level level) { detail::threshold.store(level, std::memory_order_relaxed); }

Result<void> start() { return writer().start(); }

bool flush(std::chrono::milliseconds within) { return writer().flush(within); }

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
