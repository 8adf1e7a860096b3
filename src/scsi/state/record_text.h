// Reading the text of the records that a durable store keeps.
#pragma once

#include <charconv>
#include <optional>
#include <string_view>

namespace lunar::scsi {

// The whole text is a number that fits.
template <class Integer>
std::optional<Integer> parse_number(std::string_view text, int base = 10) {
  Integer value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace lunar::scsi
