#include "base/ip_prefix.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace lunar {
namespace {

constexpr unsigned kAddressBits = 128;
constexpr unsigned kMappedBits = 96;  // before an IPv4 address
constexpr IpAddress kMapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

// The bits of byte `i` that belong to a prefix of `bits`.
std::uint8_t mask_of(unsigned i, unsigned bits) {
  const unsigned here = bits <= i * 8 ? 0 : std::min(bits - i * 8, 8U);
  return static_cast<std::uint8_t>(0xff00U >> here);
}

}  // namespace

std::optional<IpAddress> parse_ip_address(const std::string& text) {
  IpAddress address = kMapped;
  if (inet_pton(AF_INET, text.c_str(), address.data() + kMappedBits / 8) == 1) return address;
  if (inet_pton(AF_INET6, text.c_str(), address.data()) == 1) return address;
  return std::nullopt;
}

Result<IpPrefix> IpPrefix::parse(std::string_view text) {
  const auto bad = [text](std::string_view why) {
    return fail(ErrorCode::invalid_argument, fmt::format("'{}' {}", text, why));
  };
  const std::size_t slash = text.find('/');
  const std::string address_text(text.substr(0, slash));
  const auto address = parse_ip_address(address_text);
  if (!address)
    return bad("is no IP address or range of them, as in 192.0.2.0/24 or 2001:db8::/32");
  const unsigned family_bits = address_text.find(':') == std::string::npos ? 32 : kAddressBits;
  unsigned length = family_bits;
  if (slash != std::string_view::npos) {
    const std::string_view digits = text.substr(slash + 1);
    const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), length);
    if (parsed.ec != std::errc() || parsed.ptr != digits.data() + digits.size() ||
        length > family_bits)
      return bad(fmt::format("has no prefix length of 0 to {} behind its slash", family_bits));
  }
  const unsigned bits = length + kAddressBits - family_bits;
  for (unsigned i = 0; i < address->size(); ++i) {
    if (((*address)[i] & ~mask_of(i, bits)) != 0)
      return bad(fmt::format("has bits set behind the {} of its prefix", length));
  }
  return IpPrefix(*address, bits);
}

bool IpPrefix::contains(const IpAddress& address) const {
  for (unsigned i = 0; i < address.size(); ++i) {
    if (((address[i] ^ first_[i]) & mask_of(i, bits_)) != 0) return false;
  }
  return true;
}

}  // namespace lunar
