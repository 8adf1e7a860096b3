// RFC 9562 UUIDs: what gives a device its persistent identity.
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
  std::array<std::uint8_t, 16> bytes{};  // network order, as printed

  friend constexpr auto operator<=>(const Uuid&, const Uuid&) = default;
  [[nodiscard]] bool is_nil() const { return *this == Uuid{}; }

  // Version 4 from 16 random bytes.
  static Uuid from_random(std::span<const std::uint8_t, 16> random);
  // Version 8: the same name always gives the same UUID. For names that no other disk has: a path
  // is none.
  static Uuid from_name(std::string_view name);
  // Accepts the 36-character form in either case.
  static Result<Uuid> parse(std::string_view text);
  // 36 characters, lower case.
  [[nodiscard]] std::string to_string() const;
};

}  // namespace lunar
