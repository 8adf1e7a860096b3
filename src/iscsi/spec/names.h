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

// For a name that we are to bear or that a user writes: one of
//   iqn.YYYY-MM.reversed.domain[:anything]   eui.16 hex digits   naa.16 or 32 hex digits
// in ASCII letters, digits, '-', '.' and ':'. Returns it in lower case, which is its normal form.
// ErrorCode::invalid_argument with what is wrong.
Result<std::string> parse_name(std::string_view text);

// For the name a peer states in login. It identifies and is not resolved, and many deployed
// initiators put a host name with '_' or a bare label into it, so only what would harm is refused
// (ErrorCode::malformed): a length other than 1..223, control characters, spaces, text that is not
// UTF-8. ASCII letters become lower case; the rest must come normalized (RFC 3722) and is kept.
Result<std::string> normalize_peer_name(std::string_view text);

// RFC 7143 §6.1: what any text value may have at most.
constexpr std::size_t kMaxAliasLength = 255;
// A word for people (RFC 7143 §13.7), told at login: no control characters, which would end its key
// and begin another. ErrorCode::invalid_argument with what is wrong.
Result<std::string> parse_alias(std::string_view text);

struct PortalAddress {
  enum class Family : std::uint8_t { ipv4, ipv6 };

  Family family = Family::ipv4;
  std::array<std::uint8_t, 16> bytes{};  // network order; IPv4 uses the first four
  std::uint16_t port = 0;

  friend auto operator<=>(const PortalAddress&, const PortalAddress&) = default;

  // Whether this is 0.0.0.0 or [::], which can be listened on but must not be told to a peer.
  [[nodiscard]] bool is_wildcard() const;
  // "192.0.2.1", "2001:db8::1"
  [[nodiscard]] std::string host() const;
  // "192.0.2.1:3260", "[2001:db8::1]:3260"
  [[nodiscard]] std::string to_string() const;
};

// The reverse of to_string(); without ":port" it is 3260. No host names: nothing here resolves.
Result<PortalAddress> parse_portal_address(std::string_view text);

}  // namespace lunar::iscsi::spec
