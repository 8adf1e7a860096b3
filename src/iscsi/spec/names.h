// iSCSI names (RFC 7143 §4.2.7, RFC 3722) and the text of a portal's address (RFC 7143 §13.8).
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "lunar/result.h"

namespace lunar::iscsi::spec {

constexpr std::size_t kMaxNameLength = 223;

// Parses a name for our own use, or one that a user writes:
//   iqn.YYYY-MM.reversed.domain[:anything]   eui.16 hex digits   naa.16 or 32 hex digits
// in ASCII letters, digits, '-', '.' and ':'. Returns it in lower case, its normal form.
// ErrorCode::invalid_argument says what is wrong.
Result<std::string> parse_name(std::string_view text);

// Checks the name that a peer gives in login. Lenient, because the name only identifies, and many
// initiators use host names with '_' or bare labels. Refuses only what is harmful
// (ErrorCode::malformed): a length outside 1..223, control characters, spaces, invalid UTF-8. ASCII
// letters become lower case; other text must already be normalized (RFC 3722) and is kept.
Result<std::string> normalize_peer_name(std::string_view text);

// RFC 7143 §6.1: limit of a text value.
constexpr std::size_t kMaxAliasLength = 255;
// A name for people, sent at login (RFC 7143 §13.7). Control characters are refused: they could end
// the key and start another. ErrorCode::invalid_argument says what is wrong.
Result<std::string> parse_alias(std::string_view text);

struct PortalAddress {
  enum class Family : std::uint8_t { ipv4, ipv6 };

  Family family = Family::ipv4;
  std::array<std::uint8_t, 16> bytes{};  // network order; IPv4 uses the first four
  std::uint16_t port = 0;

  friend auto operator<=>(const PortalAddress&, const PortalAddress&) = default;

  // Whether this is 0.0.0.0 or [::]. Such an address can be listened on, but not given to a peer.
  [[nodiscard]] bool is_wildcard() const;
  // "192.0.2.1", "2001:db8::1"
  [[nodiscard]] std::string host() const;
  // "192.0.2.1:3260", "[2001:db8::1]:3260"
  [[nodiscard]] std::string to_string() const;
};

// Parses the form of to_string(). Without ":port" the port is 3260. Does not resolve host names.
Result<PortalAddress> parse_portal_address(std::string_view text);

}  // namespace lunar::iscsi::spec
