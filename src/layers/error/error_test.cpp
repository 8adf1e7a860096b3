#include "layers/error/error.h"

#include <gtest/gtest.h>

#include "block/registry.h"
#include "block/testing/bench.h"
#include "block/testing/fake_device.h"

namespace lunar::layers {
namespace {

using block::Op;
using block::Status;
using block::testing::Bench;
using block::testing::FakeDevice;
using block::testing::filled;
using block::testing::TestRequest;

class ErrorTest : public ::testing::Test {
 protected:
  ErrorTest() {
    auto owned = std::make_unique<FakeDevice>(256);
    base_ = owned.get();
    base_->the_capabilities.write_zeroes = true;
    EXPECT_TRUE(registry_.add(std::move(owned)));
    layer_ = create_error("bad", *registry_.claim("fake", block::Access::exclusive, "bad"));
    bench_ = std::make_unique<Bench>(world_, *layer_.device);
  }
  Status run(Op op, std::uint64_t lba, std::uint64_t count = 1) {
    data_ = filled(count * 512, 0);
    return bench_->run(op, lba, count, data_);
  }

  engine::sim::World world_;
  block::Registry registry_{world_.shards()};
  FakeDevice* base_;
  ErrorLayer layer_;
  std::unique_ptr<Bench> bench_;
  std::vector<std::byte> data_;
};

TEST_F(ErrorTest, FailsChosenOpsInTheirRange) {
  ASSERT_TRUE(layer_.control->add({.ops = op_bit(Op::read),
                                   .first = Lba(10),
                                   .count = BlockCount(10),
                                   .status = Status::read_error}));
  world_.step();
  EXPECT_EQ(run(Op::read, 9), Status::ok);
  EXPECT_EQ(run(Op::read, 9, 2), Status::read_error);
  EXPECT_EQ(run(Op::read, 19), Status::read_error);
  EXPECT_EQ(run(Op::read, 20), Status::ok);
  EXPECT_EQ(run(Op::write, 15), Status::ok);
  layer_.control->clear();
  world_.step();
  EXPECT_EQ(run(Op::read, 10), Status::ok);
}

TEST_F(ErrorTest, FailsAsManyTimesAsToldAndTouchesNothing) {
  ASSERT_TRUE(
      layer_.control->add({.ops = op_bit(Op::write), .status = Status::no_space, .times = 2}));
  world_.step();
  EXPECT_EQ(run(Op::write, 0), Status::no_space);
  EXPECT_EQ(run(Op::write, 0), Status::no_space);
  EXPECT_TRUE(base_->calls.empty());
  EXPECT_EQ(run(Op::write, 0), Status::ok);
}

TEST_F(ErrorTest, ARefusalIsEmulatedByTheWaist) {
  ASSERT_TRUE(
      layer_.control->add({.ops = op_bit(Op::write_zeroes), .status = Status::unsupported}));
  world_.step();
  EXPECT_EQ(run(Op::write_zeroes, 0, 4), Status::ok);
  EXPECT_EQ(base_->calls.back().op, Op::write);
}

TEST_F(ErrorTest, CorruptsOneByteOfReads) {
  ASSERT_TRUE(layer_.control->add({.ops = op_bit(Op::read),
                                   .action = ErrorAction::corrupt,
                                   .offset_bytes = 5 * 512 + 7,
                                   .times = 1}));
  world_.step();
  EXPECT_EQ(run(Op::read, 6), Status::ok);
  EXPECT_TRUE(block::is_zero(data_));
  EXPECT_EQ(run(Op::read, 4, 2), Status::ok);
  EXPECT_EQ(data_[512 + 7], std::byte{0xff});
  data_[512 + 7] = std::byte{0};
  EXPECT_TRUE(block::is_zero(data_));
  EXPECT_EQ(run(Op::read, 4, 2), Status::ok);
  EXPECT_TRUE(block::is_zero(data_)) << "the medium is sound";
}

TEST_F(ErrorTest, ACorruptionMakesACompareFail) {
  ASSERT_TRUE(layer_.control->add(
      {.ops = op_bit(Op::read), .action = ErrorAction::corrupt, .offset_bytes = 513}));
  world_.step();
  EXPECT_EQ(run(Op::compare, 0), Status::ok);
  EXPECT_EQ(run(Op::compare, 1), Status::miscompare);
}

TEST_F(ErrorTest, CorruptsNoWrites) {
  EXPECT_FALSE(layer_.control->add({.ops = op_bit(Op::write), .action = ErrorAction::corrupt}));
}

TEST_F(ErrorTest, AHungRequestWaitsForItsAbort) {
  ASSERT_TRUE(layer_.control->add(
      {.ops = op_bit(Op::flush) | op_bit(Op::write), .action = ErrorAction::hang, .times = 1}));
  world_.step();
  data_ = filled(512, 1);
  TestRequest hung(Op::write, 0, 1);
  hung.set_buffer(data_.data(), data_.size());
  bench_->front().submit(hung);
  EXPECT_EQ(run(Op::write, 1), Status::ok);
  world_.run_for(engine::kSecond);
  EXPECT_FALSE(hung.finished);
  bench_->front().abort(hung);
  EXPECT_EQ(bench_->finish(hung), Status::aborted);
  EXPECT_EQ(base_->calls.size(), 1U);
}

TEST_F(ErrorTest, RulesFromBeforeTheStartApply) {
  bench_.reset();
  ASSERT_TRUE(layer_.control->add({.ops = op_bit(Op::read), .status = Status::gone}));
  bench_ = std::make_unique<Bench>(world_, *layer_.device);
  EXPECT_EQ(run(Op::read, 0), Status::gone);
}

}  // namespace
}  // namespace lunar::layers
