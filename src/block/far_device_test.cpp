// Devices that take their time, hang, are lost and come back.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "block/allocation_map.h"
#include "block/disk.h"
#include "block/layer.h"
#include "block/registry.h"
#include "block/testing/bench.h"
#include "block/testing/disk_user.h"
#include "block/testing/far_device.h"

namespace lunar::block {
namespace {

using testing::FarDevice;
using testing::TestUser;

constexpr std::size_t kShards = 2;

// A disk with a user on the second shard; its home is the first.
class FarDeviceTest : public ::testing::Test {
 protected:
  FarDeviceTest() {
    device_.resizable = true;
    user_->open();
  }
  ~FarDeviceTest() override {
    if (user_ != nullptr) user_->close();
    device_.drop_all();
    settle();
  }

  // Runs what can happen without the passing of time.
  void settle() { world_.run_for(1); }
  void tell(DeviceEvent event) {
    device_.tell(event);
    settle();
  }
  void connect() {
    device_.answer_open();
    settle();
  }
  struct Running {
    bool done = false;
    Result<void> outcome;
  };
  static engine::Task<void> follow(engine::Task<Result<void>> work, Running& running) {
    running.outcome = co_await work;
    running.done = true;
  }
  void resize(Running& running, std::optional<std::uint64_t> blocks) {
    running.done = false;
    engine::Shard::bind(&world_.shard(1));
    std::optional<ByteCount> size;
    if (blocks) size = ByteCount(*blocks * 512);
    follow(disk_.resize(size), running).detach();
    settle();
  }

  engine::sim::World world_{1, kShards};
  FarDevice device_{1024};
  Disk disk_{device_, world_.shards()};
  std::unique_ptr<TestUser> user_ = std::make_unique<TestUser>(world_, disk_, 1);
};

// ---- Opening

TEST_F(FarDeviceTest, IsOpenedWhileItsRequestsWait) {
  EXPECT_EQ(disk_.stage(), Disk::Stage::opening);
  const auto write = user_->start(Op::write, 3, 1, 7);
  const auto same = user_->start(Op::compare, 4, 2, 0);  // an emulated one
  settle();
  EXPECT_FALSE(write->finished || same->finished);
  EXPECT_TRUE(user_->lease(0, 1).empty());
  connect();
  EXPECT_EQ(disk_.stage(), Disk::Stage::ready);
  EXPECT_TRUE(write->finished && same->finished);
  EXPECT_EQ(write->status, Status::ok);
  EXPECT_EQ(device_.medium[3 * 512], std::byte{7});
}

TEST_F(FarDeviceTest, RequestsWaitForSoLongAndNoLonger) {
  const std::uint64_t opened_ns = world_.clock().now_ns();
  const auto first = user_->start(Op::read, 3, 1);
  world_.run_for(kDevicePatienceNs / 2);
  const auto second = user_->start(Op::read, 3, 1);
  world_.run_for(kDevicePatienceNs / 2 - 1000);
  EXPECT_FALSE(first->finished || second->finished);
  EXPECT_FALSE(user_->front().is_given_up());
  world_.run_for(2000);
  EXPECT_TRUE(first->finished && second->finished) << "all that wait, whenever they came";
  EXPECT_EQ(first->status, Status::not_ready);
  EXPECT_TRUE(user_->front().is_given_up());
  EXPECT_EQ(user_->run(Op::read, 3, 1), Status::not_ready) << "at once";
  EXPECT_LT(world_.clock().now_ns(), opened_ns + kDevicePatienceNs + engine::kMillisecond);
  connect();
  EXPECT_FALSE(user_->front().is_given_up()) << "an answer is taken also when it comes late";
  EXPECT_EQ(user_->run(Op::read, 3, 1), Status::ok);
}

TEST_F(FarDeviceTest, ARequestThatWaitsCanBeAborted) {
  const auto read = user_->start(Op::read, 3, 1);
  engine::Shard::bind(&world_.shard(1));
  user_->front().abort(*read);
  settle();
  EXPECT_EQ(read->status, Status::aborted);
  EXPECT_TRUE(read->finished);
}

TEST_F(FarDeviceTest, IsAskedAgainWhenItCouldNotBeOpened) {
  device_.refuse_open();
  settle();
  EXPECT_TRUE(device_.opens.empty());
  world_.run_for(kReopenIntervalNs + 1000);
  ASSERT_EQ(device_.opens.size(), 1U);
  device_.opens.clear();  // without an answer, which is one
  settle();
  world_.run_for(kReopenIntervalNs + 1000);
  ASSERT_EQ(device_.opens.size(), 1U);
  connect();
  EXPECT_EQ(user_->run(Op::read, 3, 1), Status::ok);
}

TEST_F(FarDeviceTest, WhoLeavesDoesNotWaitForTheAnswer) {
  user_->close();
  user_.reset();
  EXPECT_EQ(device_.unanswered(), 1U);
  EXPECT_EQ(disk_.begin_closing().error().code, ErrorCode::busy) << "it may still answer";
  connect();
  EXPECT_EQ(device_.open_channels, 0U) << "nobody wants it any more";
  EXPECT_EQ(device_.unanswered(), 0U);
  EXPECT_TRUE(disk_.begin_closing());
}

TEST(FarDevices, TenThatHangDelayNoOther) {
  constexpr std::size_t kDevices = 1000;
  const auto hangs = [](std::size_t i) { return i % 100 == 7; };
  engine::sim::World world(1, kShards);
  Registry registry(world.shards());
  std::vector<FarDevice*> devices;
  std::vector<std::unique_ptr<TestUser>> users;
  for (std::size_t i = 0; i < kDevices; ++i) {
    auto device = std::make_unique<FarDevice>(8, 512, "disk" + std::to_string(i));
    devices.push_back(device.get());
    users.push_back(std::make_unique<TestUser>(world, **registry.add(std::move(device)), i % 2));
  }
  const std::uint64_t began_ns = world.clock().now_ns();
  std::vector<std::unique_ptr<TestUser::Work>> reads;
  for (auto& user : users) {
    user->open();
    reads.push_back(user->start(Op::read, 0, 1));
  }
  for (std::size_t i = 0; i < kDevices; ++i) {
    if (!hangs(i)) devices[i]->answer_open();
  }
  world.run_for(1);
  EXPECT_EQ(world.clock().now_ns(), began_ns + 1) << "nothing waited for time to pass";
  for (std::size_t i = 0; i < kDevices; ++i) EXPECT_NE(reads[i]->finished, hangs(i));
  world.run_for(kDevicePatienceNs);
  for (std::size_t i = 0; i < kDevices; ++i)
    EXPECT_EQ(reads[i]->status, hangs(i) ? Status::not_ready : Status::ok);
  EXPECT_EQ(registry.unanswered().size(), 10U);
  for (auto& user : users) user->close();
  for (FarDevice* device : devices) device->drop_all();
  world.run_for(1);
  users.clear();
}

// ---- Lost and back

TEST_F(FarDeviceTest, WhatComesWhileItIsLostWaitsForTheNextChannel) {
  connect();
  device_.hold = true;
  const auto before = user_->start(Op::write, 1, 1, 7);
  device_.hold = false;
  tell(DeviceEvent::lost);
  EXPECT_EQ(disk_.stage(), Disk::Stage::lost);
  const auto meanwhile = user_->start(Op::write, 2, 1, 7);
  settle();
  EXPECT_FALSE(before->finished) << "its device has it";
  EXPECT_FALSE(meanwhile->finished);
  tell(DeviceEvent::back);
  EXPECT_EQ(disk_.stage(), Disk::Stage::opening);
  connect();
  EXPECT_EQ(disk_.stage(), Disk::Stage::ready);
  EXPECT_TRUE(meanwhile->finished);
  EXPECT_EQ(device_.open_channels, 2U) << "the old one has a request";
  device_.answers[Op::write] = Status::hardware_error;
  device_.release();
  settle();
  EXPECT_EQ(before->status, Status::hardware_error) << "as the device says, and nothing else";
  EXPECT_EQ(device_.open_channels, 1U);
  EXPECT_EQ(user_->returns, 1U);
}

TEST_F(FarDeviceTest, ARequestOfTheOldChannelCanBeAborted) {
  connect();
  device_.hold = true;
  const auto before = user_->start(Op::write, 1, 1, 7);
  const auto same = user_->start(Op::compare, 4, 2, 9);
  settle();
  tell(DeviceEvent::lost);
  engine::Shard::bind(&world_.shard(1));
  user_->front().abort(*before);
  user_->front().abort(*same);
  settle();
  EXPECT_EQ(before->status, Status::aborted);
  EXPECT_EQ(same->status, Status::aborted);
  EXPECT_EQ(device_.open_channels, 0U);
  device_.hold = false;
}

TEST_F(FarDeviceTest, AnEmulatedRequestGoesOnWithTheNextChannel) {
  device_.the_limits.max_transfer = BlockCount(1);
  user_->close();
  user_ = std::make_unique<TestUser>(world_, disk_, 1);
  device_.drop_all();
  settle();
  user_->open();
  connect();
  device_.hold = true;
  const auto write = user_->start(Op::write, 0, 3, 7);
  settle();
  tell(DeviceEvent::lost);
  device_.release();  // the first of its three steps
  settle();
  EXPECT_FALSE(write->finished);
  tell(DeviceEvent::back);
  connect();
  EXPECT_TRUE(write->finished);
  EXPECT_EQ(write->status, Status::ok);
  EXPECT_EQ(device_.medium[2 * 512], std::byte{7});
  EXPECT_EQ(device_.open_channels, 1U);
}

TEST_F(FarDeviceTest, ReadsAreNotReadyWhenItStaysAway) {
  connect();
  tell(DeviceEvent::lost);
  const auto read = user_->start(Op::read, 1, 1);
  world_.run_for(kDevicePatienceNs - 1000);
  EXPECT_FALSE(read->finished);
  world_.run_for(2000);
  EXPECT_EQ(read->status, Status::not_ready);
  tell(DeviceEvent::back);
  connect();
  EXPECT_EQ(user_->run(Op::read, 1, 1), Status::ok);
}

TEST_F(FarDeviceTest, AnAnswerFromBeforeTheLossIsDropped) {
  const auto read = user_->start(Op::read, 1, 1);
  tell(DeviceEvent::lost);
  tell(DeviceEvent::back);
  ASSERT_EQ(device_.opens.size(), 1U) << "it is not asked twice at once";
  connect();
  EXPECT_EQ(device_.open_channels, 0U);
  EXPECT_FALSE(read->finished);
  ASSERT_EQ(device_.opens.size(), 1U);
  connect();
  EXPECT_TRUE(read->finished);
  EXPECT_EQ(read->status, Status::ok);
}

TEST_F(FarDeviceTest, LossAndReturnTogetherStillMeanAnotherChannel) {
  connect();
  device_.tell(DeviceEvent::lost);
  device_.tell(DeviceEvent::back);
  device_.tell(DeviceEvent::lost);
  device_.tell(DeviceEvent::back);
  settle();
  EXPECT_EQ(device_.opens.size(), 1U);
  connect();
  EXPECT_EQ(device_.open_channels, 1U);
  EXPECT_EQ(user_->run(Op::read, 1, 1), Status::ok);
  tell(DeviceEvent::back);
  EXPECT_TRUE(device_.opens.empty()) << "it was not lost";
  EXPECT_EQ(user_->returns, 1U);
}

TEST_F(FarDeviceTest, WhoOpensItWhileItIsLostWaitsForItsReturn) {
  connect();
  tell(DeviceEvent::lost);
  TestUser late(world_, disk_, 0);
  late.open();
  const auto read = late.start(Op::read, 1, 1);
  settle();
  EXPECT_TRUE(device_.opens.empty());
  tell(DeviceEvent::back);
  EXPECT_EQ(device_.opens.size(), kShards);
  connect();
  connect();
  EXPECT_EQ(read->status, Status::ok);
  EXPECT_TRUE(read->finished);
  late.close();
}

TEST_F(FarDeviceTest, MemoryThatWasLentIsThereAfterTheLoss) {
  user_->close();
  user_.reset();
  device_.drop_all();
  device_.the_capabilities.lend = true;
  settle();
  TestUser borrower(world_, disk_, 1);
  borrower.open();
  connect();
  borrower.borrow(0, 1);
  tell(DeviceEvent::lost);
  tell(DeviceEvent::back);
  connect();
  EXPECT_EQ(device_.open_channels, 2U);
  borrower.close();
  EXPECT_EQ(device_.open_channels, 0U);
}

// ---- The size

TEST_F(FarDeviceTest, ASizeOfItsOwnIsTakenAndTold) {
  connect();
  device_.the_limits.capacity = BlockCount(2048);
  device_.medium.resize(2048UL * 512);
  tell(DeviceEvent::resized);
  ASSERT_EQ(device_.resizes.size(), 1U);
  EXPECT_FALSE(device_.resizes.front().size);
  EXPECT_EQ(disk_.state().capacity, BlockCount(1024));
  device_.answer_resize();
  settle();
  EXPECT_EQ(disk_.state().capacity, BlockCount(2048));
  EXPECT_EQ(user_->told.back().capacity, BlockCount(2048));
  EXPECT_EQ(user_->run(Op::read, 2047, 1), Status::ok);
}

TEST_F(FarDeviceTest, AResizeHasADeadlineAndItsAnswerIsTakenLate) {
  connect();
  Running running;
  resize(running, 512);
  EXPECT_FALSE(running.done);
  world_.run_for(kDeviceDeadlineNs - 1000);
  EXPECT_FALSE(running.done);
  world_.run_for(2000);
  ASSERT_TRUE(running.done);
  EXPECT_EQ(running.outcome.error().code, ErrorCode::io);
  EXPECT_EQ(user_->run(Op::read, 512, 1), Status::out_of_range) << "it may be gone at any time";
  resize(running, 2048);
  EXPECT_EQ(running.outcome.error().code, ErrorCode::busy);
  device_.answer_resize();
  settle();
  ASSERT_EQ(device_.resizes.size(), 1U) << "asked for what it is now";
  device_.answer_resize();
  settle();
  EXPECT_EQ(disk_.state().capacity, BlockCount(512));
  resize(running, 2048);
  device_.answer_resize();
  settle();
  EXPECT_TRUE(running.done && running.outcome);
  EXPECT_EQ(user_->run(Op::read, 2047, 1), Status::ok);
}

// ---- The allocation map

TEST_F(FarDeviceTest, TheAllocationMapHasADeadline) {
  std::optional<Result<std::vector<Extent>>> found;
  const auto look = [&] {
    found.reset();
    engine::Shard::bind(&world_.shard(1));
    [](const Device& device, auto& to) -> engine::Task<void> {
      auto looking = look_up_extents(device, Lba(8), BlockCount(100));
      to = co_await looking;
    }(device_, found)
                                              .detach();
    settle();
  };
  look();
  EXPECT_FALSE(found);
  world_.run_for(kDeviceDeadlineNs + 1000);
  EXPECT_EQ(found->error().code, ErrorCode::io);
  const auto answers = [&](std::vector<Extent> extents) {
    device_.maps.clear();
    look();
    device_.maps.front().send(std::move(extents));
    settle();
    return found->has_value();
  };
  EXPECT_TRUE(answers({{Lba(8), BlockCount(3), true}, {Lba(11), BlockCount(97), false}}));
  EXPECT_EQ((*found)->size(), 2U);
  EXPECT_FALSE(answers({}));
  EXPECT_FALSE(answers({{Lba(7), BlockCount(3), true}}));
  EXPECT_FALSE(answers({{Lba(8), BlockCount(0), true}}));
  EXPECT_FALSE(answers({{Lba(8), BlockCount(101), true}}));
  EXPECT_FALSE(answers({{Lba(8), BlockCount(3), true}, {Lba(12), BlockCount(3), true}}));
  std::vector<Extent> many;
  for (std::size_t i = 0; i <= kMaxExtents; ++i) many.push_back({Lba(8 + i), BlockCount(1), true});
  EXPECT_FALSE(answers(std::move(many)));
}

// ---- The end

TEST_F(FarDeviceTest, IsClosedOnceAndWithADeadline) {
  connect();
  user_->close();
  user_.reset();
  ASSERT_TRUE(disk_.begin_closing());
  EXPECT_EQ(disk_.stage(), Disk::Stage::closing);
  Running running;
  engine::Shard::bind(&world_.shard(1));
  follow(disk_.close_device(engine::kSecond), running).detach();
  settle();
  EXPECT_FALSE(running.done);
  EXPECT_EQ(device_.closes.size(), 1U);
  world_.run_for(engine::kSecond + 1000);
  EXPECT_EQ(running.outcome.error().code, ErrorCode::io);
  EXPECT_EQ(disk_.begin_closing().error().code, ErrorCode::busy);
  device_.closes.front().send({});
  device_.closes.clear();
  settle();
  follow(disk_.close_device(engine::kSecond), running).detach();
  settle();
  EXPECT_TRUE(running.outcome);
  EXPECT_TRUE(device_.closes.empty()) << "once";
  EXPECT_TRUE(disk_.begin_closing());
}

// ---- Layers

class Through : public LayerDevice {
 public:
  using LayerDevice::LayerDevice;
  [[nodiscard]] const char* kind() const override { return "through"; }

 protected:
  Opened put_channel_on(std::unique_ptr<Channel> base, engine::Shard& /*shard*/) override {
    return std::make_unique<LayerChannel>(std::move(base));
  }
};

TEST(FarDevices, ALayerPassesOnWhatItsBaseIsAskedAndTells) {
  engine::sim::World world(1, kShards);
  Registry registry(world.shards());
  auto made = std::make_unique<FarDevice>(1024);
  FarDevice& base = *made;
  base.resizable = true;
  ASSERT_TRUE(registry.add(std::move(made)));
  auto claim = registry.claim("fake", Access::exclusive, "through", "top");
  Disk& disk = **registry.add(std::make_unique<Through>("top", std::move(*claim)));
  TestUser user(world, disk, 1);
  user.open();
  const auto read = user.start(Op::read, 0, 1);
  base.answer_open();
  world.run_for(1);
  EXPECT_TRUE(read->finished);
  base.tell(DeviceEvent::lost);
  world.run_for(1);
  EXPECT_EQ(disk.stage(), Disk::Stage::lost);
  base.tell(DeviceEvent::back);
  world.run_for(1);
  base.answer_open();
  world.run_for(1);
  EXPECT_EQ(user.run(Op::read, 0, 1), Status::ok);
  base.the_limits.capacity = BlockCount(2048);
  base.medium.resize(2048UL * 512);
  base.tell(DeviceEvent::resized);
  world.run_for(1);
  ASSERT_EQ(base.resizes.size(), 1U) << "the layer asks, its base does not";
  base.answer_resize();
  world.run_for(1);
  EXPECT_EQ(user.run(Op::read, 2047, 1), Status::ok);
  EXPECT_EQ(registry.find("fake")->state().capacity, BlockCount(2048));
  user.close();
}

}  // namespace
}  // namespace lunar::block
