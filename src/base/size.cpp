#include "base/size.h"

#include <fmt/format.h>

#include <cctype>
#include <charconv>
#include <cmath>

namespace lunar {
namespace {

struct Unit {
  std::uint64_t bytes = 0;  // 0: unknown unit
  bool ambiguous = false;   // "MB": some mean 1000 by it, others 1024
};

char lower(char c) { return static_cast<char>(std::tolower(static_cast<unsigned char>(c))); }

Unit unit_of(std::string_view suffix) {
  if (suffix.empty() || suffix == "B" || suffix == "b") return {.bytes = 1, .ambiguous = false};
  constexpr std::string_view kLetters = "kmgtp";
  const auto power = kLetters.find(lower(suffix[0]));
  if (power == std::string_view::npos) return {};
  const std::string_view tail = suffix.substr(1);
  if (tail == "B" || tail == "b") return {.bytes = 0, .ambiguous = true};
  if (!tail.empty() && tail != "iB" && tail != "i" && tail != "ib") return {};
  return {.bytes = 1ULL << (10 * (power + 1)), .ambiguous = false};
}

}  // namespace

Result<std::uint64_t> parse_size(std::string_view text) {
  const auto bad = [&](std::string_view why) {
    return fail(ErrorCode::invalid_argument,
                fmt::format("'{}' is not a size: {} (for example 512MiB, 10GiB, 1TiB)", text, why));
  };
  const std::size_t digits = text.find_first_not_of("0123456789.");
  const std::string_view number = text.substr(0, digits);
  std::string_view suffix = digits == std::string_view::npos ? "" : text.substr(digits);
  if (number.empty()) return bad("it starts with no number");
  // Allows the blank in "10 GiB", but none at the end.
  if (suffix.size() > 1 && suffix[0] == ' ') suffix.remove_prefix(1);
  const auto [unit, ambiguous] = unit_of(suffix);
  if (ambiguous) {
    return bad(fmt::format(
        "{} counts in thousands to some and in 1024s to others: write {}iB, or the "
        "number of bytes",
        suffix, static_cast<char>(std::toupper(static_cast<unsigned char>(suffix[0])))));
  }
  if (unit == 0) return bad(fmt::format("unknown unit '{}'", suffix));

  if (number.find('.') == std::string_view::npos) {
    std::uint64_t count = 0;
    const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), count);
    std::uint64_t bytes = 0;
    if (error != std::errc() || __builtin_mul_overflow(count, unit, &bytes))
      return bad("it is too large");
    return bytes;
  }
  double count = 0;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), count);
  if (error != std::errc() || end != number.data() + number.size())
    return bad("the number is malformed");
  const double bytes = count * static_cast<double>(unit);
  if (bytes >= 9.2e18) return bad("it is too large");
  return static_cast<std::uint64_t>(std::llround(bytes));
}

std::string format_size(std::uint64_t bytes) {
  constexpr const char* kUnits[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
  std::size_t unit = 0;
  while (unit < 5 && bytes != 0 && bytes % 1024 == 0) {
    bytes /= 1024;
    ++unit;
  }
  return fmt::format("{} {}", bytes, kUnits[unit]);
}

}  // namespace lunar
