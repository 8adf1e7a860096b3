// Ranges of IP addresses in CIDR notation (RFC 4632 §3.1, RFC 4291 §2.3).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "lunar/result.h"

namespace lunar {

// An address: that of IPv4 in its mapped form (RFC 4291 §2.5.5.2), so that there is one kind.
using IpAddress = std::array<std::uint8_t, 16>;

// Numeric, without port and brackets. Nothing for anything else.
[[nodiscard]] std::optional<IpAddress> parse_ip_address(const std::string& text);

class IpPrefix {
 public:
  // "192.0.2.0/24", "2001:db8::/32", or one address. invalid_argument: it is neither, its length is
  // too large, or bits are set behind it (the range that was meant is not clear then).
  static Result<IpPrefix> parse(std::string_view text);

  [[nodiscard]] bool contains(const IpAddress& address) const;

 private:
  IpPrefix(const IpAddress& first, unsigned bits) : first_(first), bits_(bits) {}

  IpAddress first_;
  unsigned bits_;  // of 128
};

}  // namespace lunar
