#include "base/log_limiter.h"

namespace lunar::log {

bool Limiter::admit(Level level, std::string_view subject, std::string_view cause, Time now) {
  Entry& entry = entry_of(subject, cause, now);
  if (now >= entry.end && entry.left_out == 0) entry = {.level = level, .end = now + kLimitPeriod};
  if (entry.lines < entry.first_lines) {
    ++entry.lines;
    return true;
  }
  entry.level = level;
  if (entry.left_out++ == 0 && (!next_end_ || entry.end < *next_end_)) next_end_ = entry.end;
  return false;
}

Limiter::Entry& Limiter::entry_of(std::string_view subject, std::string_view cause, Time now) {
  if (const auto found = entries_.find(KeyView(subject, cause)); found != entries_.end())
    return found->second;
  if (entries_.size() >= kMaxLimited) forget_quiet(now);
  if (entries_.size() >= kMaxLimited) {
    // There are few causes, so the table stays bounded.
    subject = kOtherSubjects;
    if (const auto found = entries_.find(KeyView(subject, cause)); found != entries_.end())
      return found->second;
  }
  return entries_.emplace(Key(subject, cause), Entry{}).first->second;
}

// At most once a second, so that a flood of new subjects does not search the table each time.
void Limiter::forget_quiet(Time now) {
  if (now < next_forgetting_) return;
  next_forgetting_ = now + std::chrono::seconds(1);
  std::erase_if(entries_, [now](const auto& each) {
    return now >= each.second.end && each.second.left_out == 0;
  });
}

std::vector<Limiter::LeftOut> Limiter::end_periods(Time now) {
  std::vector<LeftOut> told;
  next_end_.reset();
  for (auto at = entries_.begin(); at != entries_.end();) {
    auto& [key, entry] = *at;
    if (entry.left_out == 0 || now < entry.end) {
      if (entry.left_out != 0 && (!next_end_ || entry.end < *next_end_)) next_end_ = entry.end;
      ++at;
      continue;
    }
    told.push_back({entry.level, key.first, key.second, entry.left_out});
    if (entry.left_out > kFirstLines) {
      entry = {.level = entry.level, .end = now + kLimitPeriod, .first_lines = 0};
      ++at;
    } else {
      at = entries_.erase(at);
    }
  }
  return told;
}

}  // namespace lunar::log
