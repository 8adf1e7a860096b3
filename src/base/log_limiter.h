// Limits how many log lines one peer or device can cause.
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

// The first kFirstLines per subject and cause are written in each period.
constexpr std::uint64_t kFirstLines = 32;
constexpr std::chrono::seconds kLimitPeriod{60};
// Pairs of subject and cause that are counted apart. Beyond that all subjects count as one.
constexpr std::size_t kMaxLimited = 1024;
constexpr std::string_view kOtherSubjects = "others";

// Single-threaded. The caller supplies the time.
class Limiter {
 public:
  using Time = std::chrono::steady_clock::time_point;
  struct LeftOut {
    Level level;
    std::string subject;
    std::string cause;
    std::uint64_t lines;
  };

  // Whether to write this line. A period after one with lines left out has no first lines: only its
  // summary is written.
  [[nodiscard]] bool admit(Level level, std::string_view subject, std::string_view cause, Time now);
  // End of the next period that has lines left out. Nothing if there is none.
  [[nodiscard]] std::optional<Time> next_end() const { return next_end_; }
  // Reports and forgets the lines left out in periods that have ended.
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
