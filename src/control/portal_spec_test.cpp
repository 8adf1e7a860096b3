#include <gtest/gtest.h>

#include "control/config.h"

namespace lunar::control {
namespace {

void expect_refused(const std::string& spec, std::string_view why) {
  const auto portal = parse_portal(spec);
  ASSERT_FALSE(portal) << spec;
  EXPECT_EQ(portal.error().code, ErrorCode::invalid_argument);
  const std::string& message = portal.error().message;
  EXPECT_TRUE(message.starts_with("--listen " + spec + ": ")) << message;
  EXPECT_TRUE(message.contains(why)) << message;
}

TEST(PortalSpec, IsAnAddressAndItsOptions) {
  const auto plain = parse_portal("127.0.0.1:3260");
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->origin, "--listen 127.0.0.1:3260");
  EXPECT_EQ(plain->listen, "127.0.0.1:3260");
  EXPECT_EQ(plain->tag, 1);
  EXPECT_FALSE(plain->ipv4_too);
  EXPECT_TRUE(plain->advertise.empty());
  const auto whole = parse_portal("[::],advertise=203.0.113.5:860,ipv4,advertise=[2001:db8::5]");
  ASSERT_TRUE(whole) << whole.error().message;
  EXPECT_EQ(whole->listen, "[::]");
  EXPECT_TRUE(whole->ipv4_too);
  EXPECT_EQ(parse_portal("127.0.0.1,tag=7")->tag, 7);
  EXPECT_EQ(whole->advertise, (std::vector<std::string>{"203.0.113.5:860", "[2001:db8::5]"}));
}

TEST(PortalSpec, SaysWhatIsWrong) {
  expect_refused("", "is not an address");
  expect_refused("300.0.0.1:3260", "is not an address");
  expect_refused("127.0.0.1,tag=0", "tag: must be a whole number from 1 to 65535, not '0'");
  expect_refused("[::],ipv6",
                 "no option 'ipv6' (it has tag, ipv4, advertise); did you mean 'ipv4'?");
  expect_refused("127.0.0.1,", "no option ''");
  expect_refused("127.0.0.1,ipv4", "only [::] can");
  expect_refused("[::],ipv4,ipv4", "given twice");
  expect_refused("0.0.0.0,advertise=", "advertise: must be a string that is not empty");
  expect_refused("0.0.0.0,advertise=0.0.0.0", "wildcard");
}

TEST(PortalSpec, PortalsDoNotStandInEachOthersWay) {
  const std::vector<PortalConfig> others = {*parse_portal("127.0.0.1:3260"),
                                            *parse_portal("[::1]:3260")};
  EXPECT_TRUE(check_portal(*parse_portal("127.0.0.1:3261"), others));
  const auto taken = check_portal(*parse_portal("0.0.0.0"), others);
  ASSERT_FALSE(taken);
  EXPECT_TRUE(taken.error().message.contains("127.0.0.1:3260")) << taken.error().message;
}

}  // namespace
}  // namespace lunar::control
