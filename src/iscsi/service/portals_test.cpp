#include "iscsi/service/portals.h"

#include <gtest/gtest.h>

namespace lunar::iscsi {
namespace {

using Texts = std::vector<std::string>;

Portal portal(const std::string& listen, std::uint16_t tag = 1, bool ipv4_too = false,
              const Texts& advertised = {}) {
  auto made = make_portal(listen, tag, ipv4_too, advertised);
  EXPECT_TRUE(made) << made.error().message;
  return *made;
}

// As TargetAddress tells them.
Texts told(const std::vector<Portal>& portals, const std::string& reached) {
  Texts texts;
  for (const auto& each : told_portals(portals, {.address = reached, .port = 1})) {
    texts.push_back(each.address.to_string() + "," + std::to_string(each.portal_group_tag));
  }
  return texts;
}

template <class T>
void expect_refused(const Result<T>& outcome, std::string_view what) {
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, ErrorCode::invalid_argument);
  EXPECT_TRUE(outcome.error().message.contains(what)) << outcome.error().message;
}

TEST(Portals, ToldAreThoseThatListen) {
  const std::vector<Portal> portals = {portal("192.0.2.1:3261", 2), portal("[2001:db8::1]")};
  const Texts both = {"192.0.2.1:3261,2", "[2001:db8::1]:3260,1"};
  EXPECT_EQ(told(portals, "192.0.2.1"), both);
  EXPECT_EQ(told(portals, "2001:db8::1"), both);
}

TEST(Portals, AWildcardIsTheReachedAddressWithinItsFamily) {
  const std::vector<Portal> portals = {portal("0.0.0.0:3260", 1), portal("[::]:3260", 2),
                                       portal("0.0.0.0:3261", 3)};
  EXPECT_EQ(told(portals, "127.0.0.1"), (Texts{"127.0.0.1:3260,1", "127.0.0.1:3261,3"}));
  EXPECT_EQ(told(portals, "::1"), (Texts{"[::1]:3260,2"}));
  EXPECT_EQ(told(portals, ""), Texts());
}

TEST(Portals, AWildcardOfBothFamiliesIsTheReachedAddressOfEither) {
  const std::vector<Portal> portals = {portal("[::]:3260", 4, true)};
  EXPECT_EQ(told(portals, "192.0.2.7"), Texts{"192.0.2.7:3260,4"});
  EXPECT_EQ(told(portals, "2001:db8::7"), Texts{"[2001:db8::7]:3260,4"});
}

TEST(Portals, AdvertisedAddressesAreToldInsteadOfTheOwn) {
  const std::vector<Portal> portals = {
      portal("0.0.0.0:3270", 1, false, {"203.0.113.5", "[2001:db8::5]:860"}),
      portal("10.0.0.1:3260", 1, false, {"203.0.113.5:3270", "203.0.113.6"})};
  EXPECT_EQ(told(portals, "10.0.0.1"),
            (Texts{"203.0.113.5:3270,1", "[2001:db8::5]:860,1", "203.0.113.6:3260,1"}))
      << "none twice";
}

TEST(Portals, RefusesWhatNobodyCouldUse) {
  expect_refused(make_portal("nowhere", 1, false, {}), "nowhere");
  expect_refused(make_portal("192.0.2.1", 0, false, {}), "1 to 65535");
  for (const char* listen : {"192.0.2.1", "0.0.0.0", "[::1]"})
    expect_refused(make_portal(listen, 1, true, {}), "only [::] can");
  const auto advertise = [](const Texts& texts) { return make_portal("0.0.0.0", 1, false, texts); };
  expect_refused(advertise({"storage.example"}), "storage.example");
  expect_refused(advertise({"0.0.0.0:3260"}), "0.0.0.0:3260");
  expect_refused(advertise({"[::]"}), "wildcard");
  expect_refused(advertise({"192.0.2.1:0"}), "port 0");
  expect_refused(advertise({"192.0.2.1", "192.0.2.2", "192.0.2.1"}),
                 "192.0.2.1 is advertised twice");
}

TEST(Portals, TwoDoNotListenOnOneAddress) {
  const auto refused = [](const Portal& one, const Portal& other) {
    expect_refused(check_beside(one, other), "is taken by the portal on");
    expect_refused(check_beside(other, one), "is taken by the portal on");
  };
  refused(portal("192.0.2.1"), portal("192.0.2.1:3260", 2));
  refused(portal("0.0.0.0"), portal("192.0.2.1"));
  refused(portal("[::]"), portal("[::1]"));
  refused(portal("[::]", 1, true), portal("0.0.0.0"));
  refused(portal("[::]", 1, true), portal("192.0.2.1"));
  EXPECT_TRUE(check_beside(portal("[::]"), portal("0.0.0.0", 2)));
  EXPECT_TRUE(check_beside(portal("192.0.2.1"), portal("192.0.2.2")));
  EXPECT_TRUE(check_beside(portal("192.0.2.1"), portal("192.0.2.1:3261")));
  EXPECT_TRUE(check_beside(portal("192.0.2.1:0"), portal("192.0.2.1:0"))) << "each has its own";
}

TEST(Portals, AnAddressLeadsToOnePortalGroup) {
  const Portal one = portal("10.0.0.1:3260", 1, false, {"203.0.113.5"});
  EXPECT_TRUE(check_beside(portal("10.0.0.2:3260", 1, false, {"203.0.113.5"}), one));
  expect_refused(check_beside(portal("10.0.0.2:3260", 2, false, {"203.0.113.5"}), one),
                 "203.0.113.5:3260 would lead to portal group 1 and to portal group 2");
  EXPECT_TRUE(check_beside(portal("10.0.0.2:3261", 2, false, {"203.0.113.5"}), one));
  expect_refused(check_beside(portal("203.0.113.5:3260", 2), one), "portal group 2");
}

}  // namespace
}  // namespace lunar::iscsi
