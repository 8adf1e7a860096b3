#include "schema/duration.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <iterator>
#include <ranges>

namespace lunar::schema {
namespace {

struct Unit {
  std::string_view name;
  std::uint64_t ns;
};
constexpr Unit kUnits[] = {
    {"ns", 1}, {"us", 1'000}, {"ms", 1'000'000}, {"s", 1'000'000'000}, {"min", 60'000'000'000}};

}  // namespace

Result<std::uint64_t> parse_duration(std::string_view text) {
  const auto bad = [&](std::string_view why) {
    return fail(
        ErrorCode::invalid_argument,
        fmt::format("'{}' is not a duration: {} (for example 200us, 5ms, 1.5s)", text, why));
  };
  const std::size_t digits = std::min(text.find_first_not_of("0123456789."), text.size());
  const std::string_view number = text.substr(0, digits);
  std::string_view name = text.substr(digits);
  if (number.empty()) return bad("it starts with no number");
  if (name.size() > 1 && name[0] == ' ') name.remove_prefix(1);
  if (name.empty()) return bad("it has no unit");
  const auto* const unit = std::ranges::find(kUnits, name, &Unit::name);
  if (unit == std::end(kUnits)) return bad(fmt::format("unknown unit '{}'", name));

  const char* const end = number.data() + number.size();
  if (!number.contains('.')) {
    std::uint64_t count = 0;
    std::uint64_t ns = 0;
    const auto [stopped, error] = std::from_chars(number.data(), end, count);
    if (error != std::errc() || __builtin_mul_overflow(count, unit->ns, &ns))
      return bad("it is too large");
    return ns;
  }
  double count = 0;
  const auto [stopped, error] = std::from_chars(number.data(), end, count);
  if (error != std::errc() || stopped != end) return bad("the number is malformed");
  constexpr double kTooLarge = 9.2e18;
  const double ns = count * static_cast<double>(unit->ns);
  if (ns >= kTooLarge) return bad("it is too large");
  return static_cast<std::uint64_t>(std::llround(ns));
}

std::string format_duration(std::uint64_t ns) {
  for (const Unit& unit : kUnits | std::views::reverse) {
    if (ns != 0 && ns % unit.ns == 0) return fmt::format("{}{}", ns / unit.ns, unit.name);
  }
  return "0";
}

}  // namespace lunar::schema
