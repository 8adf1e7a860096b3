// UUIDs (RFC 9562): the persistent identity of a device.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "lunar/result.h"

namespace lunar {

struct Uuid {
  std::array<std::uint8_t, 16> bytes{};  // in the order of the text form

  friend constexpr auto operator<=>(const Uuid&, const Uuid&) = default;
  [[nodiscard]] bool is_nil() const { return *this == Uuid{}; }

  // Version 4 from 16 random bytes.
  static Uuid from_random(std::span<const std::uint8_t, 16> random);
  // Version 8, made from a name: the same name always gives the same UUID. The name must belong to
  // one disk in the world; a path does not qualify.
  static Uuid from_name(std::string_view name);
  // Takes the 36-character form, upper or lower case. invalid_argument otherwise.
  static Result<Uuid> parse(std::string_view text);
  // 36 characters, lower case.
  [[nodiscard]] std::string to_string() const;
};

}  // namespace lunar
