// The file backend on a real shard, ring and file system.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <cstdlib>

#include <filesystem>

#include "backends/file/file.h"
#include "block/await_request.h"
#include "block/front.h"
#include "engine/shard_group.h"
#include "engine/uring_file.h"

namespace lunar::backends {
namespace {

using block::Op;
using block::Status;

class Folder {
 public:
  Folder() { EXPECT_NE(mkdtemp(path_.data()), nullptr); }
  ~Folder() { std::filesystem::remove_all(path_); }
  [[nodiscard]] std::string file(const std::string& name) const { return path_ + "/" + name; }

 private:
  // Not in memory: O_DIRECT, holes and attributes are what the test is about.
  std::string path_ = "/var/tmp/lunar-file-test-XXXXXX";
};

class RealFileTest : public ::testing::TestWithParam<FileCache> {
 protected:
  RealFileTest()
      : group_(
            *engine::ShardGroup::start({.cores = {}, .max_spin_ns = 0, .pool_bytes = 16 * kMiB})) {}

  Result<std::unique_ptr<block::Device>> open(std::optional<ByteCount> size = {}) {
    return open_file(files_, prng_,
                     {.name = "f", .path = path_, .size = size, .cache = GetParam()});
  }
  // Runs `work(front)` on the shard.
  void with_front(block::Device& device, engine::Task<void> (*work)(block::Front&)) {
    block::DeviceStatistics statistics(1);
    group_->run_on(0, [&] { return run(device, group_->shard(0), statistics, work); });
  }

  Folder folder_;
  std::string path_ = folder_.file("disk");
  engine::UringFileIo files_;
  engine::Prng prng_{1};
  std::unique_ptr<engine::ShardGroup> group_;

 private:
  static engine::Task<void> run(block::Device& device, engine::Shard& shard,
                                block::DeviceStatistics& statistics,
                                engine::Task<void> (*work)(block::Front&)) {
    auto front = block::Front::open(device, shard, statistics);
    EXPECT_TRUE(front);
    co_await work(**front);
    co_await (*front)->stop();
  }
};

engine::Task<Status> perform(block::Front& front, Op op, std::uint64_t lba, std::uint64_t count,
                             MutableBytes buffer = {}, block::RequestFlags flags = 0) {
  block::AwaitableRequest request;
  request.prepare(op, Lba(lba), BlockCount(count), flags);
  if (!buffer.empty()) request.set_buffer(buffer.data(), buffer.size());
  co_return co_await request.submit_to(front);
}

engine::Task<void> write_pattern(block::Front& front) {
  std::vector<std::byte> data(64 * kKiB + 1, std::byte{5});
  const auto misaligned = MutableBytes(data).subspan(1);
  EXPECT_EQ(co_await perform(front, Op::write, 0, 128, misaligned), Status::ok);
  EXPECT_EQ(co_await perform(front, Op::write, 1000, 128, misaligned, block::kFua), Status::ok);
  EXPECT_EQ(co_await perform(front, Op::flush, 0, 0), Status::ok);
  EXPECT_EQ(co_await perform(front, Op::compare, 1000, 128, misaligned), Status::ok);
  EXPECT_EQ(co_await perform(front, Op::unmap, 0, 128), Status::ok);
  EXPECT_EQ(co_await perform(front, Op::write_zeroes, 1000, 8), Status::ok);
}

engine::Task<void> check_pattern(block::Front& front) {
  std::vector<std::byte> zeroes(64 * kKiB);
  std::vector<std::byte> data(60 * kKiB, std::byte{5});
  EXPECT_EQ(co_await perform(front, Op::compare, 0, 128, zeroes), Status::ok);
  EXPECT_EQ(co_await perform(front, Op::compare, 1000, 8, MutableBytes(zeroes).first(4096)),
            Status::ok);
  EXPECT_EQ(co_await perform(front, Op::compare, 1008, 120, data), Status::ok);
}

TEST_P(RealFileTest, KeepsDataAndIdentityOverRestarts) {
  Uuid uuid;
  {
    const auto device = open(ByteCount(16 * kMiB));
    ASSERT_TRUE(device) << device.error().message;
    uuid = (*device)->uuid();
    with_front(**device, &write_pattern);
  }
  const auto device = open();
  ASSERT_TRUE(device) << device.error().message;
  EXPECT_EQ((*device)->uuid(), uuid);
  with_front(**device, &check_pattern);
}

TEST_P(RealFileTest, AFreshFileIsAHoleAndTakesNoSpace) {
  const auto device = open(ByteCount(10 * kGiB));
  ASSERT_TRUE(device) << device.error().message;
  const auto extent = (*device)->extent_at(Lba(0), (*device)->limits().capacity);
  ASSERT_TRUE(extent);
  EXPECT_FALSE(extent->allocated);
  EXPECT_EQ(extent->count, (*device)->limits().capacity);
  struct stat status{};
  ASSERT_EQ(stat(path_.c_str(), &status), 0);
  EXPECT_LT(status.st_blocks, 64);
}

TEST_P(RealFileTest, IsOpenForWritingOnce) {
  const auto first = open(ByteCount(kMiB));
  ASSERT_TRUE(first);
  const auto second = open();
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::busy);
}

INSTANTIATE_TEST_SUITE_P(Caches, RealFileTest,
                         ::testing::Values(FileCache::direct, FileCache::buffered),
                         [](const auto& instance) {
                           return instance.param == FileCache::direct ? "Direct" : "Buffered";
                         });

}  // namespace
}  // namespace lunar::backends
