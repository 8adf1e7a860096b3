#include "backends/ram/ram.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>

#include "base/medium_access.h"
#include "block/iov.h"
#include "block/testing/bench.h"
#include "block/testing/model.h"

namespace lunar::backends {
namespace {

using block::Op;
using block::Status;
using block::testing::Bench;
using block::testing::filled;
using block::testing::TestRequest;

std::unique_ptr<block::Device> ram(std::uint64_t bytes, std::uint32_t block_size = 512) {
  return *create_ram({.name = "r", .size = ByteCount(bytes), .block_size = block_size});
}

TEST(Ram, BehavesAsAnArray) {
  for (const std::uint32_t block_size : {512U, 4096U}) {
    for (std::uint64_t seed = 0; seed < 5; ++seed) {
      engine::sim::World world;
      const auto device = ram(256 * kKiB, block_size);
      Bench bench(world, *device);
      block::testing::ModelRun(bench, seed).run(200);
    }
  }
}

TEST(Ram, HasRoomForProtectionInformation) {
  const auto device =
      *create_ram({.name = "r", .size = ByteCount(65 * 4096), .block_size = 4096, .protection = 3});
  const block::ProtectionRoom room = device->protection_room();
  EXPECT_EQ(room.type, 3);
  ASSERT_NE(room.area, nullptr);
  EXPECT_EQ(room.area->limits().block_size, 512U);
  EXPECT_EQ(room.area->limits().capacity, BlockCount(10));
  EXPECT_EQ(device->resize(ByteCount(4096)).error().code, ErrorCode::unsupported);
  EXPECT_EQ(ram(512)->protection_room().area, nullptr);
  const auto wrong = create_ram({.name = "r", .size = ByteCount(512), .protection = 4});
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().code, ErrorCode::invalid_argument);
}

TEST(Ram, LendsItsMemoryToReads) {
  engine::sim::World world;
  const auto device = ram(kMiB);
  Bench bench(world, *device);
  auto data = filled(1024, 9);
  bench.run(Op::write, 4, 2, data);
  TestRequest read(Op::read, 4, 2, block::kLend);
  ASSERT_EQ(bench.run(read), Status::ok);
  ASSERT_EQ(read.iov_count, 1U);
  ASSERT_EQ(read.iov->iov_len, 1024U);
  EXPECT_EQ(*static_cast<std::byte*>(read.iov->iov_base), std::byte{9});
  data[0] = std::byte{8};
  bench.run(Op::write, 4, 2, data);
  EXPECT_EQ(*static_cast<std::byte*>(read.iov->iov_base), std::byte{8}) << "later writes show";
}

TEST(Ram, TakesDataThatWasReceivedInItsOwnMemory) {
  engine::sim::World world;
  const auto device = ram(kMiB);
  Bench bench(world, *device);
  const auto window = bench.front().write_window(Lba(8), BlockCount(8));
  ASSERT_EQ(window.size(), 4096U);
  std::ranges::fill(window, std::byte{3});
  EXPECT_EQ(bench.run(Op::write, 8, 8, window), Status::ok);
  auto back = filled(4096, 0);
  EXPECT_EQ(bench.run(Op::read, 8, 8, back), Status::ok);
  EXPECT_EQ(back, filled(4096, 3));
  EXPECT_TRUE(bench.front().write_window(Lba(2047), BlockCount(2)).empty()) << "beyond the end";
}

TEST(Ram, TellsWhatIsAllocated) {
  engine::sim::World world;
  const auto device = ram(kMiB);
  const auto extent = [&](std::uint64_t lba) {
    return *device->extent_at(Lba(lba), BlockCount(2048 - lba));
  };
  EXPECT_FALSE(extent(0).allocated);
  EXPECT_EQ(extent(0).count, BlockCount(2048));

  Bench bench(world, *device);
  auto data = filled(512, 1);
  bench.run(Op::write, 300, 1, data);  // in the third piece of 128 blocks
  EXPECT_EQ(extent(0).count, BlockCount(256));
  EXPECT_TRUE(extent(256).allocated);
  EXPECT_EQ(extent(256).count, BlockCount(128));
  EXPECT_EQ(extent(300).count, BlockCount(84));
  EXPECT_FALSE(extent(384).allocated);

  bench.run(Op::unmap, 257, 127);
  EXPECT_TRUE(extent(256).allocated) << "a piece that is discarded in part may hold data";
  bench.run(Op::unmap, 256, 128);
  EXPECT_FALSE(extent(256).allocated);

  bench.run(Op::write_zeroes, 0, 1);
  EXPECT_TRUE(extent(0).allocated);
  bench.run(Op::write_zeroes, 0, 2048, block::kMayUnmap);
  EXPECT_FALSE(extent(0).allocated);
}

std::size_t resident_pages(std::span<std::byte> memory) {
  std::vector<unsigned char> pages(memory.size() / 4096);
  EXPECT_EQ(mincore(memory.data(), memory.size(), pages.data()), 0);
  std::size_t count = 0;
  for (const unsigned char page : pages) count += page & 1U;
  return count;
}

TEST(Ram, DiscardFreesWholePagesAndZeroesTheEdges) {
  engine::sim::World world;
  const auto device = ram(kMiB);
  Bench bench(world, *device);
  auto data = filled(64 * kKiB, 1);
  bench.run(Op::write, 0, 128, data);
  TestRequest lent(Op::read, 0, 128, block::kLend);
  bench.run(lent);
  const std::span memory(static_cast<std::byte*>(lent.iov->iov_base), 64 * kKiB);
  EXPECT_EQ(resident_pages(memory), 16U);
  bench.run(Op::unmap, 1, 126);
  EXPECT_EQ(resident_pages(memory), 2U);
  EXPECT_EQ(memory[511], std::byte{1});
  EXPECT_TRUE(block::is_zero(Bytes(memory).subspan(512, 126 * 512)));
  EXPECT_EQ(memory[127 * 512], std::byte{1});
}

std::span<std::byte> memory_of(Bench& bench, std::uint32_t blocks) {
  TestRequest lent(Op::read, 0, blocks, block::kLend);
  EXPECT_EQ(bench.run(lent), Status::ok);
  return {static_cast<std::byte*>(lent.iov->iov_base), lent.iov->iov_len};
}

TEST(Ram, TakesMemoryInThePagesThatAreWanted) {
  constexpr std::uint64_t kHugePage = 2 * kMiB;
  const auto resident_after_one_block = [&](RamPages pages) {
    engine::sim::World world;
    const auto device =
        *create_ram({.name = "r", .size = ByteCount(3 * kHugePage), .pages = pages});
    Bench bench(world, *device);
    auto data = filled(512, 1);
    EXPECT_EQ(bench.run(Op::write, 8, 1, data), Status::ok);
    const std::span memory = memory_of(bench, kHugePage / 512);
    if (pages != RamPages::small) {
      EXPECT_EQ(reinterpret_cast<std::uintptr_t>(memory.data()) % kHugePage, 0U);
    }
    return resident_pages(memory);
  };
  EXPECT_EQ(resident_after_one_block(RamPages::small), 1U);
  // The kernel may have none.
  EXPECT_THAT(resident_after_one_block(RamPages::huge), testing::AnyOf(1U, kHugePage / 4096));
  // Far below the limit on any machine.
  EXPECT_EQ(resident_after_one_block(RamPages::automatic),
            resident_after_one_block(RamPages::huge));
}

TEST(Ram, OffersTerabytesSparsely) {
  engine::sim::World world;
#ifdef LUNAR_THREAD_SANITIZER
  constexpr std::uint64_t kSize = 256 * kGiB;  // its shadow leaves no more room
#else
  constexpr std::uint64_t kSize = kMaxRamBytes;
#endif
  const auto device = create_ram({.name = "r", .size = ByteCount(kSize)});
  ASSERT_TRUE(device) << device.error().message;
  Bench bench(world, **device);
  const std::uint64_t last = kSize / 512 - 1;
  auto data = filled(512, 1);
  EXPECT_EQ(bench.run(Op::write, last, 1, data), Status::ok);
  EXPECT_EQ(bench.run(Op::compare, last, 1, data), Status::ok);
}

TEST(Ram, RefusesWrongSizes) {
  const auto error_of = [](std::uint64_t bytes, std::uint32_t block_size) {
    return create_ram({.name = "r", .size = ByteCount(bytes), .block_size = block_size})
        .error()
        .code;
  };
  EXPECT_EQ(error_of(0, 512), ErrorCode::invalid_argument);
  EXPECT_EQ(error_of(513, 512), ErrorCode::invalid_argument);
  EXPECT_EQ(error_of(512, 4096), ErrorCode::invalid_argument);
  EXPECT_EQ(error_of(4096, 1024), ErrorCode::invalid_argument);
  EXPECT_EQ(error_of(kMaxRamBytes + 512, 512), ErrorCode::invalid_argument);
}

TEST(Ram, HasTheIdentityThatItIsGiven) {
  const Uuid given = Uuid::from_name("mine");
  EXPECT_EQ((*create_ram({.name = "r", .size = ByteCount(512), .block_size = 512, .uuid = given}))
                ->uuid(),
            given);
}

TEST(Ram, GrowsAndShrinksWhereItStands) {
  engine::sim::World world;
  const auto device = ram(kMiB);
  Bench bench(world, *device);
  auto data = filled(1024, 9);
  EXPECT_EQ(bench.run(Op::write, 2046, 2, data), Status::ok);
  ASSERT_EQ(device->resize(ByteCount(2 * kMiB)), BlockCount(4096));
  EXPECT_EQ(device->limits().capacity, BlockCount(4096));
  bench.front().set_capacity(BlockCount(4096));
  EXPECT_EQ(bench.run(Op::write, 4094, 2, data), Status::ok);
  TestRequest read(Op::read, 2046, 2, block::kLend);
  ASSERT_EQ(bench.run(read), Status::ok);
  EXPECT_EQ(*static_cast<std::byte*>(read.iov->iov_base), std::byte{9});
}

TEST(Ram, ForgetsWhatLayBeyondASmallerSize) {
  engine::sim::World world;
  const auto device = ram(kMiB);
  Bench bench(world, *device);
  auto data = filled(512, 9);
  for (const std::uint64_t lba : {std::uint64_t{0}, std::uint64_t{1002}, std::uint64_t{2047}})
    ASSERT_EQ(bench.run(Op::write, lba, 1, data), Status::ok);
  ASSERT_EQ(device->resize(ByteCount(1001 * 512)), BlockCount(1001));
  ASSERT_EQ(device->resize(ByteCount(kMiB)), BlockCount(2048));
  EXPECT_EQ(bench.run(Op::read, 0, 1, data), Status::ok);
  EXPECT_EQ(data[0], std::byte{9});
  for (const std::uint64_t lba : {std::uint64_t{1002}, std::uint64_t{2047}}) {
    EXPECT_EQ(bench.run(Op::read, lba, 1, data), Status::ok);
    EXPECT_EQ(data[0], std::byte{0}) << lba;
  }
  EXPECT_FALSE(device->extent_at(Lba(2047), BlockCount(1))->allocated);
}

TEST(Ram, RefusesSizesThatItCannotHave) {
  const auto device = ram(kMiB);
  for (const std::uint64_t bytes : {std::uint64_t{0}, std::uint64_t{1000}})
    EXPECT_EQ(device->resize(ByteCount(bytes)).error().code, ErrorCode::invalid_argument);
  EXPECT_EQ(device->resize(ByteCount(kRamGrowth * kMiB + 512)).error().code,
            ErrorCode::no_resource);
  EXPECT_EQ(device->resize(std::nullopt), BlockCount(2048));
}

}  // namespace
}  // namespace lunar::backends
