#include "iscsi/spec/names.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "iscsi/spec/pdu.h"

namespace lunar::iscsi::spec {
namespace {

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
constexpr bool is_hex_digit(char c) { return is_digit(c) || (c >= 'a' && c <= 'f'); }

std::string lower_case(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return result;
}

bool all_hex(std::string_view text) { return std::ranges::all_of(text, is_hex_digit); }

// "YYYY-MM." of an iqn name, and what must follow it (RFC 7143 §4.2.7.4).
bool has_naming_authority(std::string_view rest) {
  constexpr std::string_view kShape = "dddd-dd.";
  if (rest.size() <= kShape.size()) return false;
  for (std::size_t i = 0; i < kShape.size(); ++i) {
    if (kShape[i] == 'd' ? !is_digit(rest[i]) : rest[i] != kShape[i]) return false;
  }
  const int month = (rest[5] - '0') * 10 + (rest[6] - '0');
  const char first = rest[kShape.size()];
  return month >= 1 && month <= 12 && (is_digit(first) || is_lower(first));
}

// Length of the first UTF-8 sequence of `text`. 0: invalid (RFC 3629 §4).
std::size_t utf8_sequence_length(std::string_view text) {
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned lead = at(0);
  if (lead < 0x80) return 1;
  const std::size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((at(i) & 0xc0U) != 0x80) return 0;
  }
  // Overlong forms, surrogates, and values above U+10FFFF.
  const unsigned second = at(1);
  if ((lead == 0xe0 && second < 0xa0) || (lead == 0xed && second > 0x9f) ||
      (lead == 0xf0 && second < 0x90) || (lead == 0xf4 && second > 0x8f)) {
    return 0;
  }
  return length;
}

}  // namespace

Result<std::string> parse_name(std::string_view text) {
  const auto refuse = [&](std::string_view why) {
    return fail(ErrorCode::invalid_argument,
                "iSCSI name \"" + std::string(text) + "\" " + std::string(why));
  };
  if (text.empty() || text.size() > kMaxNameLength) return refuse("is not 1 to 223 bytes long");
  std::string name = lower_case(text);
  const auto allowed = [](char c) {
    return is_lower(c) || is_digit(c) || c == '-' || c == '.' || c == ':';
  };
  if (!std::ranges::all_of(name, allowed)) {
    return refuse("has a character other than letters, digits, '-', '.' and ':'");
  }
  const std::string_view rest =
      std::string_view(name).substr(std::min<std::size_t>(4, name.size()));
  if (name.starts_with("iqn.")) {
    if (!has_naming_authority(rest)) return refuse("is not iqn.YYYY-MM.reversed.domain[:suffix]");
  } else if (name.starts_with("eui.")) {
    if (rest.size() != 16 || !all_hex(rest)) return refuse("is not eui. and 16 hexadecimal digits");
  } else if (name.starts_with("naa.")) {
    if ((rest.size() != 16 && rest.size() != 32) || !all_hex(rest)) {
      return refuse("is not naa. and 16 or 32 hexadecimal digits");
    }
  } else {
    return refuse("begins with none of iqn. eui. naa.");
  }
  return name;
}

Result<std::string> parse_alias(std::string_view text) {
  const auto is_control = [](char c) { return (c >= 0 && c < ' ' && c != '\n') || c == '\x7f'; };
  if (text.size() > kMaxAliasLength) {
    return fail(
        ErrorCode::invalid_argument,
        fmt::format("an alias of {} bytes: at most {} are allowed", text.size(), kMaxAliasLength));
  }
  if (std::ranges::any_of(text, is_control))
    return fail(ErrorCode::invalid_argument, "an alias has no control characters but new lines");
  return std::string(text);
}

Result<std::string> normalize_peer_name(std::string_view text) {
  if (text.empty() || text.size() > kMaxNameLength) {
    return fail(ErrorCode::malformed, "iSCSI name is not 1 to 223 bytes long");
  }
  for (std::size_t i = 0; i < text.size();) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const std::size_t length = utf8_sequence_length(text.substr(i));
    if (byte <= 0x20 || byte == 0x7f || length == 0) {
      return fail(ErrorCode::malformed, "iSCSI name has a character that no name may have");
    }
    i += length;
  }
  return lower_case(text);
}

bool PortalAddress::is_wildcard() const {
  return std::ranges::all_of(bytes, [](std::uint8_t byte) { return byte == 0; });
}

std::string PortalAddress::host() const {
  std::array<char, INET6_ADDRSTRLEN> buffer{};
  ::inet_ntop(family == Family::ipv6 ? AF_INET6 : AF_INET, bytes.data(), buffer.data(),
              buffer.size());
  return buffer.data();
}

std::string PortalAddress::to_string() const {
  const std::string name = host();
  return (family == Family::ipv6 ? "[" + name + "]" : name) + ":" + std::to_string(port);
}

Result<PortalAddress> parse_portal_address(std::string_view text) {
  const auto refuse = [&] {
    return fail(ErrorCode::invalid_argument, "\"" + std::string(text) +
                                                 "\" is not an address: write 192.0.2.1:3260 or "
                                                 "[2001:db8::1]:3260");
  };
  PortalAddress address;
  std::string_view host;
  std::string_view rest;
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos) return refuse();
    host = text.substr(1, end - 1);
    rest = text.substr(end + 1);
    address.family = PortalAddress::Family::ipv6;
  } else {
    const std::size_t colon = std::min(text.find(':'), text.size());
    host = text.substr(0, colon);
    rest = text.substr(colon);
  }
  const int family = address.family == PortalAddress::Family::ipv6 ? AF_INET6 : AF_INET;
  if (host.contains('\0')) return refuse();
  if (::inet_pton(family, std::string(host).c_str(), address.bytes.data()) != 1) return refuse();

  address.port = kPort;
  if (rest.empty()) return address;
  if (!rest.starts_with(':')) return refuse();
  rest.remove_prefix(1);
  const char* const end = rest.data() + rest.size();
  const auto [at, error] = std::from_chars(rest.data(), end, address.port);
  if (error != std::errc{} || at != end || rest.empty()) return refuse();
  return address;
}

}  // namespace lunar::iscsi::spec
