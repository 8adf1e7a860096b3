#include "scsi/core/lun_map.h"

#include <gtest/gtest.h>

#include <tuple>

#include "scsi/testing/bench.h"

namespace lunar::scsi {
namespace {

using Difference = std::tuple<std::uint16_t, LogicalUnit*, LogicalUnit*>;

std::vector<Difference> differences(const LunMap& before, const LunMap& after) {
  std::vector<Difference> all;
  LunMap::for_each_difference(before, after, [&](Lun lun, LogicalUnit* old, LogicalUnit* now) {
    all.emplace_back(lun.value, old, now);
  });
  return all;
}

class LunMapTest : public ::testing::Test {
 protected:
  testing::Bench bench_;
  testing::FakeDevice second_device_{64, 512};
  LogicalUnit& first_ = bench_.unit();
  block::Disk second_disk_{second_device_, {}};
  LogicalUnit second_{second_disk_};
};

TEST_F(LunMapTest, RefusesNumbersThatAreTakenOrTooLarge) {
  LunMap map;
  EXPECT_TRUE(map.add(Lun(16383), first_));
  EXPECT_EQ(map.add(Lun(16383), second_).error().code, ErrorCode::already_exists);
  EXPECT_EQ(map.add(Lun(16384), second_).error().code, ErrorCode::out_of_range);
  EXPECT_EQ(map.remove(Lun(0)).error().code, ErrorCode::not_found);
  EXPECT_EQ(map.remove(Lun(16384)).error().code, ErrorCode::not_found);
  EXPECT_EQ(map.replace(Lun(0), second_).error().code, ErrorCode::not_found);
  EXPECT_EQ(map.size(), 1U);
}

TEST_F(LunMapTest, ACopyStaysAsItIs) {
  LunMap map;
  ASSERT_TRUE(map.add(Lun(1), first_));
  const LunMap copy = map;
  ASSERT_TRUE(map.replace(Lun(1), second_));
  ASSERT_TRUE(map.add(Lun(2), first_));
  EXPECT_EQ(copy.find(Lun(1)), &first_);
  EXPECT_EQ(copy.find(Lun(2)), nullptr);
  EXPECT_EQ(copy.size(), 1U);
  EXPECT_EQ(map.find(Lun(1)), &second_);
}

TEST_F(LunMapTest, TellsWhatDiffers) {
  LunMap before;
  ASSERT_TRUE(before.add(Lun(1), first_));
  ASSERT_TRUE(before.add(Lun(2), first_));
  ASSERT_TRUE(before.add(Lun(9000), first_));
  LunMap after = before;
  EXPECT_TRUE(differences(before, after).empty());
  EXPECT_EQ(after.remove(Lun(9000)).value(), &first_);
  EXPECT_EQ(after.replace(Lun(2), second_).value(), &first_);
  ASSERT_TRUE(after.add(Lun(300), second_));
  EXPECT_EQ(differences(before, after),
            (std::vector<Difference>{
                {2, &first_, &second_}, {300, nullptr, &second_}, {9000, &first_, nullptr}}));
}

TEST_F(LunMapTest, HoldsEveryNumberInOrder) {
  LunMap map;
  for (std::uint16_t i = 0; i <= spec::kMaxLun; ++i) ASSERT_TRUE(map.add(Lun(i), first_));
  std::uint16_t next = 0;
  map.for_each([&](Lun lun, LogicalUnit&) { EXPECT_EQ(lun.value, next++); });
  EXPECT_EQ(next, 16384);
}

HostSelector select(std::vector<std::string> names, const std::vector<std::string>& addresses) {
  auto selector = HostSelector::create(std::move(names), addresses);
  EXPECT_TRUE(selector) << selector.error().message;
  return *selector;
}

TEST(HostSelector, FitsByNameOrPatternOrAddress) {
  const auto here = parse_ip_address("192.0.2.7");
  const auto there = parse_ip_address("198.51.100.7");
  const HostSelector by_name = select({"iqn.a:db", "iqn.a:web*"}, {});
  EXPECT_TRUE(by_name.matches("iqn.a:db", std::nullopt));
  EXPECT_TRUE(by_name.matches("iqn.a:web12", std::nullopt));
  EXPECT_FALSE(by_name.matches("iqn.a:db2", std::nullopt));
  const HostSelector by_address = select({}, {"192.0.2.0/24", "::1"});
  EXPECT_TRUE(by_address.matches("iqn.any", here));
  EXPECT_FALSE(by_address.matches("iqn.any", there));
  EXPECT_FALSE(by_address.matches("iqn.any", std::nullopt));
}

TEST(HostSelector, WantsBothWhereBothAreTold) {
  const HostSelector both = select({"iqn.a:*"}, {"192.0.2.0/24"});
  EXPECT_TRUE(both.matches("iqn.a:x", parse_ip_address("192.0.2.1")));
  EXPECT_FALSE(both.matches("iqn.b:x", parse_ip_address("192.0.2.1")));
  EXPECT_FALSE(both.matches("iqn.a:x", parse_ip_address("192.0.3.1")));
}

TEST(HostSelector, IsNeverEveryone) {
  EXPECT_EQ(HostSelector::create({}, {}).error().code, ErrorCode::invalid_argument);
  EXPECT_EQ(HostSelector::create({}, {"here"}).error().code, ErrorCode::invalid_argument);
}

TEST_F(LunMapTest, TheFirstHostThatFitsIsTheInitiatorsOwn) {
  LunMaps maps;
  ASSERT_TRUE(maps.others.add(Lun(0), first_));
  auto narrow = std::make_shared<HostMap>(HostMap{"db1", select({"iqn.a:db1"}, {}), {}});
  ASSERT_TRUE(narrow->luns.add(Lun(7), second_));
  maps.hosts = {narrow, std::make_shared<HostMap>(HostMap{"dbs", select({"iqn.a:db*"}, {}), {}})};
  EXPECT_EQ(maps.map_for("iqn.a:db1", {}).find(Lun(7)), &second_);
  EXPECT_EQ(maps.map_for("iqn.a:db1", {}).find(Lun(0)), nullptr) << "and nothing else";
  EXPECT_EQ(maps.map_for("iqn.a:db2", {}).size(), 0U);
  EXPECT_EQ(maps.map_for("iqn.b", {}).find(Lun(0)), &first_);
  EXPECT_EQ(maps.find_host("db1"), narrow.get());
  EXPECT_EQ(maps.find_host("db"), nullptr);
  EXPECT_TRUE(maps.has(second_));
  ASSERT_TRUE(narrow->luns.remove(Lun(7)));
  EXPECT_FALSE(maps.has(second_));
}

}  // namespace
}  // namespace lunar::scsi
