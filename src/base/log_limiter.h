// How many lines of the log one peer or device may cause.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/log.h"

namespace lunar::log {

// The lines of one subject and cause in one period, and how long that is.
constexpr std::uint64_t kFirstLines = 32;
constexpr std::chrono::seconds kLimitPeriod{60};
// Subjects and causes that are told apart; further subjects are one, kOtherSubjects.
constexpr std::size_t kMaxLimited = 1024;
constexpr std::string_view kOtherSubjects = "others";

// Single-threaded; time is the caller's.
class Limiter {
 public:
  using Time = std::chrono::steady_clock::time_point;
  struct LeftOut {
    Level level;
    std::string subject;
    std::string cause;
    std::uint64_t lines;
  };

  // Whether this line is to be written. After a period in which more than kFirstLines were left
  // out, the next one has no first lines: only its end is told.
  [[nodiscard]] bool admit(Level level, std::string_view subject, std::string_view cause, Time now);
  // When the next period with lines left out ends; none: nothing is owed.
  [[nodiscard]] std::optional<Time> next_end() const { return next_end_; }
  // What was left out in the periods that have ended.
  [[nodiscard]] std::vector<LeftOut> end_periods(Time now);

 private:
  using Key = std::pair<std::string, std::string>;
  using KeyView = std::pair<std::string_view, std::string_view>;
  struct Less {
    using is_transparent = void;
    [[nodiscard]] static KeyView view(const Key& key) { return {key.first, key.second}; }
    [[nodiscard]] static KeyView view(const KeyView& key) { return key; }
    bool operator()(const auto& a, const auto& b) const { return view(a) < view(b); }
  };
  struct Entry {
    Level level = Level::info;
    Time end;
    std::uint64_t first_lines = kFirstLines;
    std::uint64_t lines = 0;
    std::uint64_t left_out = 0;
  };

  Entry& entry_of(std::string_view subject, std::string_view cause, Time now);
  void forget_quiet(Time now);

  std::map<Key, Entry, Less> entries_;
  std::optional<Time> next_end_;
  Time next_forgetting_{};
};

}  // namespace lunar::log
