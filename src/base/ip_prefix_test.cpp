#include "base/ip_prefix.h"

#include <gtest/gtest.h>

namespace lunar {
namespace {

bool contains(std::string_view prefix, const std::string& address) {
  const auto parsed = IpPrefix::parse(prefix);
  EXPECT_TRUE(parsed) << parsed.error().message;
  const auto at = parse_ip_address(address);
  EXPECT_TRUE(at) << address;
  return parsed->contains(*at);
}

TEST(IpPrefix, ContainsItsAddresses) {
  EXPECT_TRUE(contains("192.0.2.0/24", "192.0.2.255"));
  EXPECT_FALSE(contains("192.0.2.0/24", "192.0.3.0"));
  EXPECT_TRUE(contains("192.0.2.128/25", "192.0.2.129"));
  EXPECT_FALSE(contains("192.0.2.128/25", "192.0.2.127"));
  EXPECT_TRUE(contains("2001:db8::/33", "2001:db8:7fff::1"));
  EXPECT_FALSE(contains("2001:db8::/33", "2001:db8:8000::1"));
  EXPECT_TRUE(contains("0.0.0.0/0", "198.51.100.7"));
  EXPECT_FALSE(contains("0.0.0.0/0", "2001:db8::1")) << "all of IPv4";
  EXPECT_TRUE(contains("::/0", "2001:db8::1"));
}

TEST(IpPrefix, IsOneAddressWithoutALength) {
  EXPECT_TRUE(contains("::1", "::1"));
  EXPECT_FALSE(contains("::1", "::2"));
  EXPECT_TRUE(contains("127.0.0.1", "127.0.0.1"));
  EXPECT_FALSE(contains("127.0.0.1", "127.0.0.2"));
}

TEST(IpPrefix, TakesAMappedAddressForIpv4) {
  EXPECT_TRUE(contains("192.0.2.0/24", "::ffff:192.0.2.9"));
}

TEST(IpPrefix, RefusesWhatIsNoRange) {
  for (const char* text : {"", "host", "192.0.2", "192.0.2.0/33", "192.0.2.0/", "192.0.2.0/-1",
                           "192.0.2.0/8x", "192.0.2.1/24", "2001:db8::/129", "[::1]", "/24"}) {
    const auto parsed = IpPrefix::parse(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().code, ErrorCode::invalid_argument);
  }
  EXPECT_FALSE(parse_ip_address("192.0.2.1:3260"));
}

}  // namespace
}  // namespace lunar
