#include "block/disk.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "block/testing/bench.h"
#include "block/testing/disk_user.h"
#include "block/testing/fake_device.h"

namespace lunar::block {
namespace {

using testing::FakeDevice;
using testing::filled;
using testing::TestRequest;
using testing::TestUser;

constexpr std::size_t kShards = 2;

std::unique_ptr<FakeDevice> memory_device() {
  auto device = std::make_unique<FakeDevice>(1024);
  device->the_capabilities.lend = device->the_capabilities.write_window = true;
  device->resizable = true;
  return device;
}

// Two users of one disk, each on a shard of its own.
class DiskTest : public ::testing::Test {
 protected:
  DiskTest() {
    near_->open();
    far_->open();
  }
  ~DiskTest() override {
    if (near_ != nullptr) near_->close();
    if (far_ != nullptr) far_->close();
  }

  void settle() {
    world_.run_until([] { return false; });
  }
  // Runs it on a shard; `done` when it has ended.
  struct Running {
    bool done = false;
    Result<void> outcome;
  };
  static engine::Task<void> follow(engine::Task<Result<void>> work, Running& running) {
    running.outcome = co_await work;
    running.done = true;
  }
  void protect(Running& running, bool on, std::size_t shard = 1) {
    engine::Shard::bind(&world_.shard(shard));
    follow(disk_.set_write_protected(on), running).detach();
    settle();
  }
  void resize(Running& running, std::uint64_t blocks, std::size_t shard = 1) {
    engine::Shard::bind(&world_.shard(shard));
    follow(disk_.resize(ByteCount(blocks * 512)), running).detach();
    settle();
  }
  [[nodiscard]] std::uint8_t at(std::uint64_t lba) const {
    return static_cast<std::uint8_t>(device_->medium[lba * 512]);
  }

  engine::sim::World world_{1, kShards};
  std::unique_ptr<FakeDevice> device_ = memory_device();
  Disk disk_{*device_, world_.shards()};
  std::unique_ptr<TestUser> near_ = std::make_unique<TestUser>(world_, disk_, 0);
  std::unique_ptr<TestUser> far_ = std::make_unique<TestUser>(world_, disk_, 1);
};

// ---- Claims

TEST_F(DiskTest, WritersShareIt) {
  const auto first = disk_.claim(Access::write, "target a");
  const auto second = disk_.claim(Access::write, "subsystem b");
  const auto third = disk_.claim(Access::read, "backup");
  EXPECT_TRUE(first && second && third);
  EXPECT_EQ(disk_.owners(),
            (std::vector<std::string>{"target a (write)", "subsystem b (write)", "backup (read)"}));
}

TEST_F(DiskTest, AnExclusiveOwnerIsTheOnlyWriterAndNamedToTheNext) {
  {
    const auto layer = disk_.claim(Access::exclusive, "passthru", "p");
    ASSERT_TRUE(layer);
    for (const Access access : {Access::write, Access::exclusive}) {
      const auto next = disk_.claim(access, "target a");
      ASSERT_FALSE(next);
      EXPECT_EQ(next.error().code, ErrorCode::busy);
      EXPECT_EQ(next.error().message,
                "device 'fake' is claimed for writing by passthru p; target a cannot have it");
    }
    EXPECT_TRUE(disk_.claim(Access::read, "backup"));
  }
  auto writer = disk_.claim(Access::write, "target a");
  ASSERT_TRUE(writer) << "a claim ends with its owner";
  EXPECT_EQ(disk_.claim(Access::exclusive, "passthru").error().code, ErrorCode::busy);
  Claim moved = std::move(*writer);
  moved.release();
  EXPECT_TRUE(disk_.claim(Access::exclusive, "passthru"));
}

TEST_F(DiskTest, AClaimThatIsWidenedKeepsItsOwner) {
  auto reader = *disk_.claim(Access::read, "target t");
  {
    const auto layer = disk_.claim(Access::exclusive, "a layer");
    EXPECT_EQ(reader.take_write_access().error().code, ErrorCode::busy);
    EXPECT_EQ(disk_.owners().front(), "target t (read)");
  }
  EXPECT_TRUE(reader.take_write_access());
  EXPECT_TRUE(reader.take_write_access());
  EXPECT_EQ(disk_.owners(), (std::vector<std::string>{"target t (write)"}));
  EXPECT_FALSE(disk_.claim(Access::exclusive, "a layer"));
}

TEST(Disk, RefusesAWriterOfAReadOnlyDevice) {
  engine::sim::World world;
  FakeDevice device(8);
  device.the_capabilities.writable = false;
  Disk disk(device, world.shards());
  EXPECT_TRUE(disk.state().write_protected);
  EXPECT_EQ(disk.claim(Access::write, "target a").error().code, ErrorCode::permission);
  EXPECT_EQ(disk.claim(Access::exclusive, "a layer").error().code, ErrorCode::permission);
  auto reader = disk.claim(Access::read, "target a");
  ASSERT_TRUE(reader);
  EXPECT_EQ(reader->take_write_access().error().code, ErrorCode::permission);
}

TEST(Disk, GetsNoUserWhileItIsClosing) {
  engine::sim::World world;
  FakeDevice device(8);
  Disk disk(device, world.shards());
  {
    const auto claim = disk.claim(Access::read, "target a");
    EXPECT_EQ(disk.begin_closing().error().code, ErrorCode::busy);
    EXPECT_EQ(disk.stage(), Disk::Stage::ready);
  }
  EXPECT_TRUE(disk.begin_closing());
  EXPECT_EQ(disk.stage(), Disk::Stage::closing);
  EXPECT_EQ(disk.claim(Access::read, "target a").error().code, ErrorCode::busy);
  TestUser user(world, disk, 0);
  EXPECT_EQ(user.try_to_open().error().code, ErrorCode::busy);
}

// ---- Fronts

TEST_F(DiskTest, AFrontIsOpenedByTheFirstUserOfItsShardAndClosedWithTheLast) {
  EXPECT_EQ(device_->open_channels, 2U);
  TestUser third(world_, disk_, 1);
  third.open();
  EXPECT_EQ(&third.front(), &far_->front());
  EXPECT_NE(&third.front(), &near_->front());
  EXPECT_EQ(device_->open_channels, 2U);
  far_->close();
  far_.reset();
  EXPECT_EQ(third.run(Op::write, 3, 1, 7), Status::ok);
  EXPECT_EQ(device_->open_channels, 2U);
  third.close();
  EXPECT_EQ(device_->open_channels, 1U);
}

TEST_F(DiskTest, ADeviceThatCannotBeOpenedIsAnErrorOfThatUserOnly) {
  far_->close();
  far_.reset();
  device_->open_fails = true;
  TestUser third(world_, disk_, 1);
  EXPECT_EQ(third.try_to_open().error().code, ErrorCode::io);
  EXPECT_EQ(near_->run(Op::write, 3, 1, 7), Status::ok);
  device_->open_fails = false;
  third.open();
  EXPECT_EQ(third.run(Op::write, 3, 1, 7), Status::ok);
  third.close();
}

TEST_F(DiskTest, CountsWhatAllDo) {
  EXPECT_EQ(near_->run(Op::write, 0, 1, 1), Status::ok);
  EXPECT_EQ(far_->run(Op::write, 0, 2, 1), Status::ok);
  EXPECT_EQ(disk_.statistics().totals(Op::write).operations, 2U);
  EXPECT_EQ(disk_.statistics().totals(Op::write).bytes, 3U * 512);
}

// ---- Exclusive ranges

TEST_F(DiskTest, AnAtomicStepOfOneUserIsAtomicForTheOther) {
  near_->hold({Lba(10), BlockCount(4)}, Exclusion::writes);
  settle();
  ASSERT_TRUE(near_->has_range());
  const auto write = far_->start(Op::write, 12, 1, 0x22);
  const auto read = far_->start(Op::read, 12, 1);
  settle();
  EXPECT_TRUE(read->finished);
  EXPECT_FALSE(write->finished);
  EXPECT_EQ(near_->run_as_holder(Op::write, 12, 1, 0x11), Status::ok);
  EXPECT_EQ(at(12), 0x11);
  near_->give_back();
  settle();
  EXPECT_TRUE(write->finished);
  EXPECT_EQ(at(12), 0x22);
}

TEST_F(DiskTest, LeasesOfEveryUserAreWaitedFor) {
  TestUser third(world_, disk_, 1);
  third.open();
  const auto first = far_->lease(8, 8);
  const auto second = third.lease(20, 8);
  ASSERT_FALSE(first.empty() || second.empty());
  near_->hold({Lba(10), BlockCount(20)}, Exclusion::writes);
  settle();
  EXPECT_FALSE(near_->has_range());
  EXPECT_TRUE(third.lease(29, 2).empty()) << "no new one meanwhile";
  EXPECT_EQ(far_->submit_lease(0x22), Status::ok);
  settle();
  EXPECT_FALSE(near_->has_range()) << "the other has one, too";
  EXPECT_EQ(third.submit_lease(0x33), Status::ok);
  settle();
  EXPECT_TRUE(near_->has_range());
  EXPECT_EQ(at(10), 0x22);
  near_->give_back();
  settle();
  third.close();
}

TEST_F(DiskTest, WhoOpensItWhileARangeIsHeldComesAfterIt) {
  far_->close();
  far_.reset();
  near_->hold({Lba(10), BlockCount(4)}, Exclusion::all);
  settle();
  ASSERT_TRUE(near_->has_range());
  TestUser late(world_, disk_, 1);
  late.start_to_open();
  settle();
  EXPECT_FALSE(late.is_open()) << "its shard has not frozen the range";
  near_->give_back();
  settle();
  EXPECT_TRUE(late.is_open());
  EXPECT_EQ(late.run(Op::write, 10, 1, 1), Status::ok);
  late.close();
}

TEST_F(DiskTest, WhoClosesItWhileARangeIsHeldIsNotWaitedFor) {
  near_->hold({Lba(10), BlockCount(4)}, Exclusion::all);
  settle();
  far_->close();
  far_.reset();
  EXPECT_EQ(device_->open_channels, 1U);
  near_->give_back();
  settle();
  EXPECT_EQ(near_->run(Op::write, 10, 1, 1), Status::ok);
}

// ---- Loans

TEST_F(DiskTest, LoansOfEveryUserAreKept) {
  near_->borrow(0, 16);
  far_->borrow(10, 1);
  far_->borrow(100, 8);
  EXPECT_EQ(far_->write_atomic(8, 8, 0x11), Status::ok);
  EXPECT_EQ(at(8), 0x11);
  EXPECT_EQ(near_->kept(), 1U);
  EXPECT_EQ(far_->kept(), 1U) << "the other lies elsewhere";
  EXPECT_TRUE(near_->loans_are_as_lent());
  EXPECT_TRUE(far_->loans_are_as_lent());
  EXPECT_EQ(far_->run(Op::write, 100, 1, 0x22), Status::ok);
  EXPECT_FALSE(far_->loans_are_as_lent()) << "plain writes show";
}

// ---- The state

TEST_F(DiskTest, ANewCapacityIsToldAndObeyedOnEveryShard) {
  Running running;
  resize(running, 512);
  EXPECT_TRUE(running.outcome);
  EXPECT_EQ(device_->the_limits.capacity, BlockCount(512));
  for (TestUser* user : {near_.get(), far_.get()}) {
    EXPECT_EQ(user->told.back(), (DiskState{BlockCount(512), false}));
    EXPECT_EQ(user->run(Op::read, 511, 1), Status::ok);
    EXPECT_EQ(user->run(Op::read, 512, 1), Status::out_of_range);
    EXPECT_TRUE(user->lease(511, 2).empty());
  }
  resize(running, 2048);
  EXPECT_EQ(disk_.state().capacity, BlockCount(2048));
  for (TestUser* user : {near_.get(), far_.get()})
    EXPECT_EQ(user->run(Op::read, 2047, 1), Status::ok);
}

TEST_F(DiskTest, NobodyIsBeyondTheEndWhenTheMediumShrinks) {
  device_->hold = true;
  const auto beyond = near_->start(Op::write, 600, 1, 1);
  const auto within = near_->start(Op::write, 6, 1, 1);
  device_->hold = false;
  ASSERT_FALSE(far_->lease(700, 8).empty());
  Running running;
  resize(running, 512);
  EXPECT_FALSE(running.done);
  EXPECT_EQ(device_->the_limits.capacity, BlockCount(1024));
  EXPECT_EQ(far_->submit_lease(0x22), Status::out_of_range);
  settle();
  EXPECT_FALSE(running.done) << "a write beyond the end is on the medium";
  device_->release();
  settle();
  EXPECT_TRUE(running.done);
  EXPECT_TRUE(beyond->finished && within->finished);
  EXPECT_EQ(device_->the_limits.capacity, BlockCount(512));
}

TEST_F(DiskTest, AResizeThatTheDeviceRefusesIsUndone) {
  Running running;
  device_->resizable = false;
  resize(running, 512);
  ASSERT_FALSE(running.outcome);
  EXPECT_EQ(running.outcome.error().code, ErrorCode::unsupported);
  EXPECT_EQ(disk_.state().capacity, BlockCount(1024));
  EXPECT_EQ(far_->told,
            (std::vector<DiskState>{{BlockCount(512), false}, {BlockCount(1024), false}}));
  EXPECT_EQ(near_->run(Op::read, 1023, 1), Status::ok);
}

TEST_F(DiskTest, AUserMayRefuseWhatTakesAway) {
  Running running;
  far_->refuses = true;
  resize(running, 512);
  ASSERT_FALSE(running.outcome);
  EXPECT_EQ(running.outcome.error().code, ErrorCode::busy);
  EXPECT_EQ(device_->the_limits.capacity, BlockCount(1024));
  EXPECT_EQ(near_->told,
            (std::vector<DiskState>{{BlockCount(512), false}, {BlockCount(1024), false}}))
      << "it had agreed";
  EXPECT_EQ(near_->run(Op::read, 1023, 1), Status::ok);
  protect(running, true);
  ASSERT_FALSE(running.outcome);
  EXPECT_EQ(running.outcome.error().code, ErrorCode::busy);
  EXPECT_EQ(near_->run(Op::write, 0, 1, 1), Status::ok);
  resize(running, 2048);
  EXPECT_TRUE(running.outcome) << "that takes nothing away";
}

TEST_F(DiskTest, WhatIsClaimedExclusivelyIsNotResized) {
  const auto layer = disk_.claim(Access::exclusive, "passthru", "p");
  Running running;
  resize(running, 512);
  ASSERT_FALSE(running.outcome);
  EXPECT_EQ(running.outcome.error().code, ErrorCode::busy);
  EXPECT_EQ(running.outcome.error().message, "is used by passthru p: resize that");
}

TEST(Disk, WhoHasItForItselfResizesIt) {
  engine::sim::World world;
  FakeDevice device(8);
  device.resizable = true;
  Disk disk(device, world.shards());
  auto layer = *disk.claim(Access::exclusive, "passthru", "p");
  engine::Shard::bind(&world.shard());
  const auto resize = [&](std::uint64_t blocks) {
    Ask<BlockCount> ask(device, world.shard());
    ask.begin([&](auto reply) { layer.begin_resize(ByteCount(blocks * 512), std::move(reply)); });
    EXPECT_TRUE(ask.has_answer());
    return ask.take();
  };
  {
    const auto reader = disk.claim(Access::read, "backup");
    EXPECT_EQ(resize(1).error().message,
              "device fake is used by passthru p (exclusive) and backup (read)");
  }
  EXPECT_EQ(*resize(16), BlockCount(16));
  layer.release();
  EXPECT_EQ(disk.state().capacity, BlockCount(16));
}

TEST_F(DiskTest, NoWriteChangesTheMediumAfterProtection) {
  near_->hold({Lba(100), BlockCount(1)}, Exclusion::writes);
  settle();
  device_->hold = true;
  const auto writing = near_->start(Op::write, 3, 1, 0x11);
  device_->hold = false;
  Running running;
  protect(running, true);
  EXPECT_FALSE(running.done);
  for (TestUser* user : {near_.get(), far_.get()}) {
    EXPECT_EQ(user->told.back(), (DiskState{BlockCount(1024), true}));
    EXPECT_TRUE(user->lease(0, 1).empty());
    EXPECT_EQ(user->run(Op::read, 0, 1), Status::ok);
  }
  EXPECT_EQ(near_->run_as_holder(Op::write, 100, 1, 1), Status::write_protected);
  device_->release();
  settle();
  EXPECT_TRUE(writing->finished);
  EXPECT_FALSE(running.done) << "a sequence of several steps is under way";
  near_->give_back();
  settle();
  EXPECT_TRUE(running.done);
  EXPECT_EQ(far_->run(Op::write, 0, 1, 1), Status::write_protected);
  protect(running, false);
  EXPECT_EQ(far_->run(Op::write, 0, 1, 1), Status::ok);
  EXPECT_EQ(near_->told.back(), (DiskState{BlockCount(1024), false}));
}

TEST_F(DiskTest, WhoComesLaterFindsTheStateOfNow) {
  Running running;
  resize(running, 512);
  protect(running, true);
  far_->close();
  far_.reset();
  TestUser late(world_, disk_, 1);
  late.open();
  EXPECT_EQ(disk_.state(), (DiskState{BlockCount(512), true}));
  EXPECT_EQ(late.run(Op::read, 512, 1), Status::out_of_range);
  EXPECT_EQ(late.run(Op::write, 0, 1, 1), Status::write_protected);
  late.close();
}

TEST_F(DiskTest, OneGoesWhileTheOtherWorks) {
  engine::Prng prng(3);
  std::vector<std::unique_ptr<TestUser::Work>> works;
  for (int i = 0; i < 300; ++i) {
    works.push_back(near_->start(Op::write, prng.below(64), 1, 1));
    if (i % 3 == 0) {
      near_->hold({Lba(prng.below(64)), BlockCount(8)}, Exclusion::all);
      settle();
      near_->give_back();
    }
    if (i % 10 == 0) {
      far_->borrow(0, 64);
      if (i % 20 == 0) (void)far_->lease(prng.below(64), 8);
      far_->end_lease();
      far_->close();
      far_ = std::make_unique<TestUser>(world_, disk_, prng.below(kShards));
      far_->open();
    }
    (void)world_.step();
  }
  settle();
  for (const auto& work : works) EXPECT_TRUE(work->finished);
}

}  // namespace
}  // namespace lunar::block
