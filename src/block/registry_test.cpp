#include "block/registry.h"

#include <gtest/gtest.h>

#include "block/layer.h"
#include "block/testing/fake_device.h"

namespace lunar::block {
namespace {

using testing::FakeDevice;

class Layer : public LayerDevice {
 public:
  using LayerDevice::LayerDevice;
  [[nodiscard]] const char* kind() const override { return "layer"; }

 protected:
  Opened put_channel_on(std::unique_ptr<Channel> base, engine::Shard& /*shard*/) override {
    return base;
  }
};

const std::span<engine::Shard* const> kNoShards;  // nothing is opened here

class RegistryTest : public ::testing::Test {
 protected:
  RegistryTest() {
    EXPECT_TRUE(registry_.add(std::make_unique<FakeDevice>(8, 512, "disk0")));
    EXPECT_TRUE(registry_.add(std::make_unique<FakeDevice>(8, 512, "disk1")));
  }
  Registry registry_{kNoShards};
};

TEST_F(RegistryTest, FindsDevicesByName) {
  ASSERT_NE(registry_.find("disk1"), nullptr);
  EXPECT_EQ(registry_.find("disk1")->name(), "disk1");
  EXPECT_EQ(registry_.find("disk2"), nullptr);
  EXPECT_EQ(registry_.disks().size(), 2U);
}

TEST_F(RegistryTest, RefusesNoDeviceAndOneThatBreaksTheRules) {
  EXPECT_EQ(registry_.add(nullptr).error().code, ErrorCode::invalid_argument);
  const auto refused = [&](std::string_view part, auto change) {
    auto device = std::make_unique<FakeDevice>(8, 512, "new");
    change(device->the_limits);
    const auto added = registry_.add(std::move(device));
    ASSERT_FALSE(added) << part;
    EXPECT_EQ(added.error().code, ErrorCode::invalid_argument);
    EXPECT_NE(added.error().message.find("device new (fake): "), std::string::npos);
    EXPECT_NE(added.error().message.find(part), std::string::npos) << added.error().message;
  };
  refused("512 nor 4096", [](Limits& limits) { limits.block_size = 1000; });
  refused("512 nor 4096",
          [](Limits& limits) { limits.block_size = limits.physical_block_size = 1024; });
  refused("capacity is 0", [](Limits& limits) { limits.capacity = BlockCount(0); });
  refused("capacity is too large",
          [](Limits& limits) { limits.capacity = BlockCount(UINT64_MAX / 512 + 1); });
  refused("larger than 32768 blocks",
          [](Limits& limits) { limits.physical_block_size = 512U << 16; });
  refused("alignment", [](Limits& limits) { limits.buffer_alignment = 8192; });
  auto device = std::make_unique<FakeDevice>(8, 512, "at the bound");
  device->the_limits.capacity = BlockCount(UINT64_MAX / 512);
  device->the_limits.physical_block_size = 512U << 15;
  EXPECT_TRUE(registry_.add(std::move(device)));
}

TEST_F(RegistryTest, RefusesANameTwice) {
  const auto added = registry_.add(std::make_unique<FakeDevice>(8, 512, "disk0"));
  ASSERT_FALSE(added);
  EXPECT_EQ(added.error().code, ErrorCode::already_exists);
}

TEST_F(RegistryTest, RefusesToRemoveWhatIsUsed) {
  auto claim = registry_.claim("disk0", Access::read, "target a");
  const auto removed = registry_.remove("disk0");
  ASSERT_FALSE(removed);
  EXPECT_NE(removed.error().message.find("target a"), std::string::npos);
  claim->release();
  EXPECT_TRUE(registry_.remove("disk0"));
  EXPECT_EQ(registry_.find("disk0"), nullptr);
  EXPECT_FALSE(registry_.remove("disk0"));
}

TEST_F(RegistryTest, ALayerClaimsItsBaseAndShowsItsIdentity) {
  auto claim = registry_.claim("disk0", Access::exclusive, "layer top");
  ASSERT_TRUE(registry_.add(std::make_unique<Layer>("top", std::move(*claim))));
  EXPECT_EQ(registry_.find("top")->device().uuid(), registry_.find("disk0")->device().uuid());
  EXPECT_FALSE(registry_.remove("disk0"));
  EXPECT_FALSE(registry_.claim("disk0", Access::write, "target a"));
  EXPECT_TRUE(registry_.claim("top", Access::write, "target a"));
  EXPECT_TRUE(registry_.remove("top"));
  EXPECT_TRUE(registry_.remove("disk0"));
}

TEST_F(RegistryTest, DestroysLayersBeforeTheirBases) {
  auto claim = registry_.claim("disk0", Access::exclusive, "layer top");
  ASSERT_TRUE(registry_.add(std::make_unique<Layer>("top", std::move(*claim))));
  // The destructor asserts that no claim is left when disk0 goes.
}

TEST(Registry, CallsTheOwnerOfAClaimByItsPresentName) {
  Registry registry(kNoShards);
  Disk* base = *registry.add(std::make_unique<testing::FakeDevice>(8, 512, "base"));
  ASSERT_TRUE(registry.add(std::make_unique<testing::FakeDevice>(8, 512, "old")));
  const auto claim = registry.claim("base", Access::exclusive, "passthru", "old");
  ASSERT_TRUE(claim);
  EXPECT_EQ(base->owners(), (std::vector<std::string>{"passthru old (exclusive)"}));
  ASSERT_TRUE(registry.rename("old", "new"));
  EXPECT_EQ(base->owners(), (std::vector<std::string>{"passthru new (exclusive)"}));
  const auto second = registry.claim("base", Access::write, "target t");
  ASSERT_FALSE(second);
  EXPECT_NE(second.error().message.find("by passthru new; target t"), std::string::npos);
  EXPECT_NE(registry.remove("base").error().message.find("by passthru new"), std::string::npos);
}

TEST(Registry, RenamesADeviceThatIsInUse) {
  Registry registry(kNoShards);
  Disk* device = *registry.add(std::make_unique<testing::FakeDevice>(8, 512, "old"));
  ASSERT_TRUE(registry.add(std::make_unique<testing::FakeDevice>(8, 512, "other")));
  const auto claim = registry.claim("old", Access::write, "somebody");
  ASSERT_TRUE(claim);
  ASSERT_TRUE(registry.rename("old", "new"));
  EXPECT_EQ(registry.find("new"), device);
  EXPECT_EQ(registry.find("old"), nullptr);
  EXPECT_EQ(device->owners().size(), 1U);
  EXPECT_EQ(device->name(), "new") << "the log calls it so";
  EXPECT_TRUE(registry.rename("new", "new"));
  EXPECT_EQ(registry.rename("new", "other").error().code, ErrorCode::already_exists);
  EXPECT_EQ(registry.rename("new", "").error().code, ErrorCode::invalid_argument);
  EXPECT_EQ(registry.rename("old", "x").error().code, ErrorCode::not_found);
  EXPECT_EQ(registry.remove("new").error().code, ErrorCode::busy);
}

}  // namespace
}  // namespace lunar::block
