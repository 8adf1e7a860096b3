#include "backends/null/null.h"

#include <gtest/gtest.h>

#include "block/iov.h"
#include "block/testing/bench.h"

namespace lunar::backends {
namespace {

using block::Op;
using block::Status;
using block::testing::Bench;
using block::testing::filled;
using block::testing::TestRequest;

class NullTest : public ::testing::Test {
 protected:
  engine::sim::World world_;
  std::unique_ptr<block::Device> device_ =
      *create_null({.name = "n", .size = ByteCount(kTiB), .block_size = 4096});
};

TEST_F(NullTest, ReadsZeroesWhateverWasWritten) {
  Bench bench(world_, *device_);
  auto data = filled(8192, 5);
  EXPECT_EQ(bench.run(Op::write, 1, 2, data), Status::ok);
  EXPECT_EQ(bench.run(Op::read, 1, 2, data), Status::ok);
  EXPECT_TRUE(block::is_zero(data));
}

TEST_F(NullTest, LendsZeroesUpToTheLargestTransfer) {
  Bench bench(world_, *device_);
  TestRequest read(Op::read, 7, block::kMaxTransferBytes / 4096, block::kLend);
  ASSERT_EQ(bench.run(read), Status::ok);
  ASSERT_EQ(read.iov->iov_len, block::kMaxTransferBytes);
  EXPECT_TRUE(block::is_zero({static_cast<std::byte*>(read.iov->iov_base), read.iov->iov_len}));
}

TEST_F(NullTest, DoesEveryOp) {
  Bench bench(world_, *device_);
  auto zero = filled(4096, 0);
  auto one = filled(4096, 1);
  EXPECT_EQ(bench.run(Op::unmap, 0, 1000), Status::ok);
  EXPECT_EQ(bench.run(Op::write_zeroes, 0, 1000), Status::ok);
  EXPECT_EQ(bench.run(Op::flush, 0, 0), Status::ok);
  EXPECT_EQ(bench.run(Op::write_same, 0, 1000, one), Status::ok);
  EXPECT_EQ(bench.run(Op::compare, 0, 1, zero), Status::ok);
  EXPECT_EQ(bench.run(Op::compare, 0, 1, one), Status::miscompare);
}

TEST_F(NullTest, HasNothingAllocated) {
  EXPECT_FALSE(device_->extent_at(Lba(0), BlockCount(10))->allocated);
}

TEST_F(NullTest, RefusesWrongSizes) {
  EXPECT_FALSE(create_null({.name = "n", .size = ByteCount(0), .block_size = 512}));
  EXPECT_FALSE(create_null({.name = "n", .size = ByteCount(100), .block_size = 512}));
  EXPECT_FALSE(create_null({.name = "n", .size = ByteCount(4096), .block_size = 8192}));
}

}  // namespace
}  // namespace lunar::backends
