#include "block/range_lock.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "block/front.h"
#include "block/testing/bench.h"
#include "block/testing/fake_device.h"

namespace lunar::block {
namespace {

using testing::FakeDevice;
using testing::filled;
using testing::TestRequest;

// One device on several shards, with its locks.
class RangeLock : public ::testing::Test {
 protected:
  static constexpr std::size_t kShards = 3;

  RangeLock() {
    for (std::size_t i = 0; i < kShards; ++i) {
      engine::Shard::bind(&world.shard(i));
      fronts.push_back(*Front::open(device, world.shard(i), statistics));
      world.run([&] { return locks.join(*fronts[i]); }, i);
    }
  }
  ~RangeLock() override {
    for (std::size_t i = 0; i < kShards; ++i) {
      world.run([&] { return fronts[i]->stop(); }, i);
      locks.leave(*fronts[i]);
    }
  }

  // Holds a range until it is told to go.
  struct Holder {
    Holder(Range range, Exclusion exclusion) : hold(range, exclusion) {}
    RangeLocks::Hold hold;
    bool has_it = false;
    engine::Event go;
    bool gone = false;
  };
  static engine::Task<void> hold_range(RangeLocks& locks, Holder& holder) {
    co_await locks.lock(holder.hold);
    holder.has_it = true;
    co_await holder.go;
    co_await locks.unlock(holder.hold);
    holder.gone = true;
  }
  void start(Holder& holder, std::size_t shard) {
    engine::Shard::bind(&world.shard(shard));
    hold_range(locks, holder).detach();
  }
  void finish(Holder& holder, std::size_t shard) {
    engine::Shard::bind(&world.shard(shard));
    holder.go.set();
    settle();
    EXPECT_TRUE(holder.gone);
  }
  void settle() {
    world.run_until([] { return false; });
  }
  void submit(TestRequest& request, std::size_t shard) {
    engine::Shard::bind(&world.shard(shard));
    fronts[shard]->submit(request);
  }
  void set_data(TestRequest& request) {
    request.set_buffer(data.data(), request.count.value * 512);
  }

  engine::sim::World world{1, kShards};
  FakeDevice device{1024};
  DeviceStatistics statistics{kShards};
  RangeLocks locks{world.shards()};
  std::vector<std::unique_ptr<Front>> fronts;
  std::vector<std::byte> data = filled(64 * 512, 7);
};

Range blocks(std::uint64_t lba, std::uint64_t count) { return {Lba(lba), BlockCount(count)}; }

TEST_F(RangeLock, HoldsOverlappingWritesOfEveryShardUntilTheEnd) {
  Holder holder(blocks(10, 4), Exclusion::writes);
  start(holder, 1);
  settle();
  ASSERT_TRUE(holder.has_it);
  for (std::size_t shard = 0; shard < kShards; ++shard) {
    TestRequest before(Op::write, 6, 4);
    TestRequest inside(Op::write, 13, 4);
    TestRequest cleared(Op::write_zeroes, 0, 1024);
    TestRequest read(Op::read, 10, 4);
    for (TestRequest* request : {&before, &inside, &read}) set_data(*request);
    for (TestRequest* request : {&before, &inside, &cleared, &read}) submit(*request, shard);
    settle();
    EXPECT_TRUE(before.finished);
    EXPECT_TRUE(read.finished);
    EXPECT_FALSE(inside.finished);
    EXPECT_FALSE(cleared.finished);
    if (shard + 1 == kShards) finish(holder, 1);
    engine::Shard::bind(&world.shard(shard));
    fronts[shard]->abort(inside);
    fronts[shard]->abort(cleared);
    settle();
    const Status expected = shard + 1 == kShards ? Status::ok : Status::aborted;
    EXPECT_EQ(inside.status, expected);
    EXPECT_EQ(cleared.status, expected);
  }
}

TEST_F(RangeLock, CanKeepReadsOutToo) {
  Holder holder(blocks(10, 4), Exclusion::all);
  start(holder, 0);
  settle();
  TestRequest read(Op::read, 13, 1);
  TestRequest flush(Op::flush);
  set_data(read);
  submit(read, 2);
  submit(flush, 2);
  settle();
  EXPECT_FALSE(read.finished);
  EXPECT_TRUE(flush.finished);
  finish(holder, 0);
  EXPECT_TRUE(read.finished);
}

TEST_F(RangeLock, WaitsForWhatIsUnderWayButNotForWhatComesLater) {
  device.hold = true;
  TestRequest before(Op::write, 12, 1);
  set_data(before);
  submit(before, 2);
  Holder holder(blocks(10, 4), Exclusion::writes);
  start(holder, 0);
  settle();
  TestRequest after(Op::write, 20, 1);
  set_data(after);
  submit(after, 2);
  settle();
  EXPECT_FALSE(holder.has_it);
  ASSERT_EQ(device.held.size(), 2U);
  engine::Shard::bind(&world.shard(2));
  device.held.erase(device.held.begin());
  before.complete(Status::ok);
  settle();
  EXPECT_TRUE(holder.has_it);
  EXPECT_FALSE(after.finished);
  device.release();
  finish(holder, 0);
}

TEST_F(RangeLock, GrantsOverlappingRangesInOrderAndOthersAtOnce) {
  Holder first(blocks(0, 10), Exclusion::writes);
  Holder second(blocks(5, 10), Exclusion::writes);
  Holder third(blocks(12, 10), Exclusion::writes);
  Holder apart(blocks(100, 1), Exclusion::writes);
  start(first, 1);
  settle();
  start(second, 2);
  settle();
  start(third, 0);
  start(apart, 0);
  settle();
  EXPECT_TRUE(first.has_it);
  EXPECT_FALSE(second.has_it);
  EXPECT_FALSE(third.has_it) << "it is behind the second, with which it overlaps";
  EXPECT_TRUE(apart.has_it);
  finish(first, 1);
  EXPECT_TRUE(second.has_it);
  EXPECT_FALSE(third.has_it);
  finish(second, 2);
  EXPECT_TRUE(third.has_it);
  finish(third, 0);
  finish(apart, 0);
}

TEST_F(RangeLock, TheHolderItselfIsNotHeld) {
  Holder holder(blocks(10, 4), Exclusion::all);
  start(holder, 0);
  settle();
  TestRequest write(Op::write, 10, 4);
  set_data(write);
  engine::Shard::bind(&world.shard(0));
  fronts[0]->submit_as_holder(write);
  settle();
  EXPECT_EQ(write.status, Status::ok);
  EXPECT_TRUE(write.finished);
  EXPECT_EQ(device.medium[10 * 512], std::byte{7});
  finish(holder, 0);
}

TEST_F(RangeLock, WaitingRequestsKeepTheirOrder) {
  Holder holder(blocks(0, 8), Exclusion::writes);
  start(holder, 0);
  settle();
  device.calls.clear();
  std::vector<std::unique_ptr<TestRequest>> requests;
  for (std::uint64_t lba = 0; lba < 8; ++lba) {
    requests.push_back(std::make_unique<TestRequest>(Op::write, lba, 1));
    set_data(*requests.back());
    submit(*requests.back(), 1);
  }
  finish(holder, 0);
  ASSERT_EQ(device.calls.size(), 8U);
  for (std::uint64_t lba = 0; lba < 8; ++lba) EXPECT_EQ(device.calls[lba].lba, lba);
}

TEST_F(RangeLock, ManyHoldersComeAndGoInAnyOrder) {
  engine::Prng prng(5);
  std::vector<std::unique_ptr<Holder>> holders;
  std::vector<std::size_t> shards;
  for (int i = 0; i < 60; ++i) {
    holders.push_back(
        std::make_unique<Holder>(blocks(prng.below(40), 1 + prng.below(8)), Exclusion::writes));
    shards.push_back(prng.below(kShards));
    start(*holders.back(), shards.back());
  }
  std::size_t gone = 0;
  while (gone < holders.size()) {
    settle();
    const std::size_t before = gone;
    for (std::size_t i = 0; i < holders.size(); ++i) {
      if (!holders[i]->has_it || holders[i]->gone) continue;
      finish(*holders[i], shards[i]);
      ++gone;
    }
    ASSERT_NE(gone, before) << "nobody holds anything, and some wait";
  }
}

}  // namespace
}  // namespace lunar::block
