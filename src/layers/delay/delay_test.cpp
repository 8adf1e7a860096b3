#include "layers/delay/delay.h"

#include <gtest/gtest.h>

#include "block/registry.h"
#include "block/testing/bench.h"
#include "block/testing/fake_device.h"
#include "block/testing/model.h"

namespace lunar::layers {
namespace {

using block::Op;
using block::Status;
using block::testing::Bench;
using block::testing::FakeDevice;
using block::testing::filled;
using block::testing::TestRequest;
using engine::kMillisecond;

constexpr std::size_t index_of(Op op) { return static_cast<std::size_t>(op); }

class DelayTest : public ::testing::Test {
 protected:
  DelayTest() {
    auto owned = std::make_unique<FakeDevice>(256);
    base_ = owned.get();
    EXPECT_TRUE(registry_.add(std::move(owned)));
  }
  std::unique_ptr<block::Device> delay(const DelayOptions& options) {
    return *create_delay("slow", *registry_.claim("fake", block::Access::exclusive, "slow"),
                         options);
  }
  std::uint64_t time_of(Bench& bench, Op op) {
    const std::uint64_t before = world_.clock().now_ns();
    auto data = filled(512, 1);
    EXPECT_EQ(bench.run(op, 0, 1, data), Status::ok);
    return world_.clock().now_ns() - before;
  }

  engine::sim::World world_;
  block::Registry registry_{world_.shards()};
  FakeDevice* base_;
};

TEST_F(DelayTest, TakesItsTimeForEachOp) {
  DelayOptions options;
  options.average_ns[index_of(Op::read)] = 3 * kMillisecond;
  options.average_ns[index_of(Op::write)] = 7 * kMillisecond;
  const auto device = delay(options);
  Bench bench(world_, *device);
  EXPECT_EQ(time_of(bench, Op::read), 3 * kMillisecond);
  EXPECT_EQ(time_of(bench, Op::write), 7 * kMillisecond);
}

TEST_F(DelayTest, SpreadsAroundTheAverage) {
  DelayOptions options;
  options.average_ns[index_of(Op::read)] = 10 * kMillisecond;
  options.spread_per_mille = 500;
  const auto device = delay(options);
  Bench bench(world_, *device);
  std::uint64_t sum = 0;
  for (int i = 0; i < 200; ++i) {
    const std::uint64_t time = time_of(bench, Op::read);
    EXPECT_GE(time, 5 * kMillisecond);
    EXPECT_LE(time, 15 * kMillisecond);
    sum += time;
  }
  EXPECT_NEAR(static_cast<double>(sum) / 200, 10.0 * kMillisecond, 1.0 * kMillisecond);
}

TEST_F(DelayTest, PassesOnByDueTime) {
  DelayOptions options;
  options.average_ns[index_of(Op::read)] = 3 * kMillisecond;
  options.average_ns[index_of(Op::write)] = 7 * kMillisecond;
  const auto device = delay(options);
  Bench bench(world_, *device);
  auto data = filled(512, 1);
  std::vector<std::unique_ptr<TestRequest>> requests;
  for (const auto& [op, lba] :
       {std::pair{Op::write, 0}, {Op::read, 1}, {Op::write, 2}, {Op::read, 3}}) {
    requests.push_back(std::make_unique<TestRequest>(op, lba, 1));
    requests.back()->set_buffer(data.data(), data.size());
    bench.front().submit(*requests.back());
  }
  for (auto& request : requests) EXPECT_EQ(bench.finish(*request), Status::ok);
  std::vector<std::uint64_t> order;
  for (const auto& call : base_->calls) order.push_back(call.lba);
  EXPECT_EQ(order, (std::vector<std::uint64_t>{1, 3, 0, 2}));
}

TEST_F(DelayTest, AnAbortedRequestComesBackAtOnceWithoutEffect) {
  DelayOptions options;
  options.average_ns.fill(engine::kSecond);
  const auto device = delay(options);
  Bench bench(world_, *device);
  auto data = filled(512, 1);
  TestRequest aborted(Op::write, 0, 1);
  aborted.set_buffer(data.data(), data.size());
  TestRequest other(Op::write, 1, 1);
  other.set_buffer(data.data(), data.size());
  bench.front().submit(aborted);
  bench.front().submit(other);
  const std::uint64_t before = world_.clock().now_ns();
  bench.front().abort(aborted);
  EXPECT_EQ(bench.finish(aborted), Status::aborted);
  EXPECT_EQ(world_.clock().now_ns(), before);
  EXPECT_EQ(bench.finish(other), Status::ok);
  EXPECT_EQ(base_->calls.size(), 1U);
}

TEST_F(DelayTest, ChangesNoData) {
  DelayOptions options;
  options.average_ns.fill(kMillisecond);
  options.spread_per_mille = 1000;
  const auto device = delay(options);
  Bench bench(world_, *device);
  // The fake has no unmap: what the model wants of it is the promise.
  base_->the_capabilities.unmap = base_->the_capabilities.unmap_reads_zeroes = true;
  const auto again =
      create_delay("again", *registry_.claim("fake", block::Access::read, "again"), options);
  Bench second(world_, **again);
  block::testing::ModelRun(second, 3).run(100);
}

TEST_F(DelayTest, RefusesASpreadAboveAll) {
  EXPECT_FALSE(create_delay("slow", *registry_.claim("fake", block::Access::exclusive, "slow"),
                            {.average_ns = {}, .spread_per_mille = 1001}));
}

}  // namespace
}  // namespace lunar::layers
