#include "schema/check.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/size.h"
#include "schema/duration.h"
#include "schema/nearest.h"

namespace lunar::schema {
namespace {

std::unexpected<Error> must_be(std::string_view what, const Value& value,
                               std::string_view more = "") {
  return fail(ErrorCode::invalid_argument,
              fmt::format("must be {}, not {}{}", what, value.describe(), more));
}

// The text of a Word or a string.
const std::string* text_of(const Value& value) {
  if (const auto* word = value.as<Word>()) return &word->text;
  return value.as<std::string>();
}

// The number of a Word or an integer. In TOML and JSON a text is not a number.
std::optional<std::uint64_t> number_of(const Value& value) {
  if (const auto* number = value.as<std::int64_t>()) {
    if (*number < 0) return {};
    return static_cast<std::uint64_t>(*number);
  }
  const auto* word = value.as<Word>();
  if (word == nullptr) return {};
  const std::string& text = word->text;
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return {};
  return number;
}

}  // namespace

Result<bool> to_boolean(const Value& value) {
  if (const auto* given = value.as<bool>()) return *given;
  const auto* word = value.as<Word>();
  if (word != nullptr && (word->text == "true" || word->text == "false"))
    return word->text == "true";
  return must_be("true or false", value);
}

Result<std::uint64_t> to_number(const Value& value, std::uint64_t minimum, std::uint64_t maximum) {
  const auto number = number_of(value);
  if (number && *number >= minimum && *number <= maximum) return *number;
  return must_be(fmt::format("a whole number from {} to {}", minimum, maximum), value);
}

Result<std::uint64_t> to_number_of(const Value& value, std::span<const std::uint64_t> allowed) {
  const auto number = number_of(value);
  if (number && std::ranges::count(allowed, *number) != 0) return *number;
  return must_be(either_of(allowed), value);
}

Result<std::uint64_t> to_size(const Value& value, std::uint64_t maximum) {
  std::uint64_t bytes = 0;
  if (const std::string* text = text_of(value)) {
    LUNAR_TRY_ASSIGN(bytes, parse_size(*text));
  } else if (const auto number = number_of(value)) {
    bytes = *number;
  } else {
    return must_be("a size such as \"10GiB\"", value);
  }
  if (bytes <= maximum) return bytes;
  return fail(ErrorCode::invalid_argument,
              fmt::format("must be at most {}, not {}", format_size(maximum), format_size(bytes)));
}

Result<std::uint64_t> to_duration(const Value& value, std::uint64_t unit_ns, std::uint64_t max_ns) {
  const std::string unit = format_duration(unit_ns).substr(1);
  std::uint64_t ns = 0;
  if (const auto number = number_of(value)) {
    if (__builtin_mul_overflow(*number, unit_ns, &ns)) ns = UINT64_MAX;
  } else if (const std::string* text = text_of(value)) {
    LUNAR_TRY_ASSIGN(ns, parse_duration(*text));
  } else {
    return must_be(fmt::format("a number of {} or a duration such as \"5ms\"", unit), value);
  }
  if (ns <= max_ns) return ns;
  return must_be(
      fmt::format("from 0 to {} {} ({})", max_ns / unit_ns, unit, format_duration(max_ns)), value);
}

Result<std::string> to_text(const Value& value) {
  const std::string* text = text_of(value);
  if (text == nullptr) return must_be("a string", value);
  if (text->empty()) return fail(ErrorCode::invalid_argument, "must not be empty");
  return *text;
}

Result<std::vector<std::string>> to_texts(const Value& value) {
  const auto* list = value.as<std::vector<Value>>();
  const std::span<const Value> given = list != nullptr ? std::span(*list) : std::span(&value, 1);
  if (given.empty()) return fail(ErrorCode::invalid_argument, "must not be empty");
  std::vector<std::string> texts;
  for (const Value& each : given) {
    const std::string* text = text_of(each);
    if (text == nullptr || text->empty())
      return must_be("a string that is not empty, or an array of them", each);
    texts.push_back(*text);
  }
  return texts;
}

Result<Uuid> to_uuid(const Value& value) {
  LUNAR_TRY_ASSIGN(const std::string text, to_text(value));
  return Uuid::parse(text);
}

Result<std::size_t> to_choice(const Value& value, std::span<const std::string_view> names) {
  const std::string* text = text_of(value);
  if (text != nullptr) {
    const auto found = std::ranges::find(names, *text);
    if (found != names.end()) return static_cast<std::size_t>(found - names.begin());
  }
  return must_be(fmt::format("one of {}", fmt::join(names, ", ")), value,
                 text == nullptr ? "" : did_you_mean(*text, names));
}

std::string either_of(std::span<const std::uint64_t> numbers) {
  const std::span<const std::uint64_t> first = numbers.first(numbers.size() - 1);
  return fmt::format("{}{}{}", fmt::join(first, ", "), first.empty() ? "" : " or ", numbers.back());
}

}  // namespace lunar::schema
