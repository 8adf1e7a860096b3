// Ranges of IP addresses in CIDR notation (RFC 4632 §3.1, RFC 4291 §2.3).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "lunar/result.h"

namespace lunar {

// An IP address. IPv4 addresses are stored in mapped form (RFC 4291 §2.5.5.2).
using IpAddress = std::array<std::uint8_t, 16>;

// Parses a numeric address without port or brackets. Nothing if the text is anything else.
[[nodiscard]] std::optional<IpAddress> parse_ip_address(const std::string& text);

class IpPrefix {
 public:
  // Parses "192.0.2.0/24", "2001:db8::/32" or a single address. invalid_argument: malformed, prefix
  // too long, or bits set behind the prefix (it is unclear which range is meant).
  static Result<IpPrefix> parse(std::string_view text);

  [[nodiscard]] bool contains(const IpAddress& address) const;

 private:
  IpPrefix(const IpAddress& first, unsigned bits) : first_(first), bits_(bits) {}

  IpAddress first_;
  unsigned bits_;  // length of the prefix, 0..128
};

}  // namespace lunar
