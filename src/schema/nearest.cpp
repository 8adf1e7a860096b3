#include "schema/nearest.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace lunar::schema {
namespace {

// Mistyped names are not longer than this. Bounds the work for any input.
constexpr std::size_t kMaxComparedLength = 64;

// Optimal string alignment distance of `a` and `b`.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1);
  std::vector<std::size_t> last(b.size() + 1);
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t other = a[i - 1] == b[j - 1] ? 0 : 1;
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + other});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        row[j] = std::min(row[j], before[j - 2] + 1);
    }
    std::swap(before, last);
    std::swap(last, row);
  }
  return last[b.size()];
}

}  // namespace

std::string_view nearest(std::string_view given, std::span<const std::string_view> known) {
  if (given.empty() || given.size() > kMaxComparedLength) return {};
  std::string_view best;
  std::size_t least = 0;
  for (const std::string_view name : known) {
    const std::size_t steps = distance(given, name);
    const std::size_t allowed = std::max<std::size_t>(1, std::max(given.size(), name.size()) / 3);
    if (steps > allowed || steps >= name.size()) continue;
    if (best.empty() || steps < least) {
      best = name;
      least = steps;
    }
  }
  return best;
}

std::string did_you_mean(std::string_view given, std::span<const std::string_view> known) {
  const std::string_view name = nearest(given, known);
  return name.empty() ? std::string() : fmt::format("; did you mean '{}'?", name);
}

}  // namespace lunar::schema
