// The file backend on a real shard, ring and file system.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <cstdlib>

#include <filesystem>

#include "backends/file/file.h"
#include "block/ask.h"
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

// ---- A file that is waited for

class DiskMemory final : public kinds::IdentityStore {
 public:
  std::optional<kinds::KnownDisk> disk;

  Result<std::optional<kinds::KnownMedium>> load_identity(std::string_view /*key*/) override {
    return std::nullopt;
  }
  Result<void> save_identity(std::string_view /*key*/,
                             const kinds::KnownMedium& /*medium*/) override {
    return {};
  }
  Result<std::optional<kinds::KnownDisk>> load_disk(std::string_view /*key*/) override {
    return disk;
  }
  Result<void> save_disk(std::string_view /*key*/, const kinds::KnownDisk& known) override {
    disk = known;
    return {};
  }
  [[nodiscard]] std::string place_of_identity(std::string_view /*key*/) const override {
    return "memory";
  }
};

class WaitedFileTest : public RealFileTest {
 protected:
  WaitedFileTest() {
    const auto device = open(ByteCount(kBytes));
    EXPECT_TRUE(device);
    with_front(**device, &write_pattern);
  }
  Result<std::unique_ptr<block::Device>> open_or_wait() {
    return open_file(files_, prng_,
                     {.name = "f",
                      .path = path_,
                      .cache = GetParam(),
                      .missing = MissingFile::wait,
                      .identities = &memory_,
                      .identity_key = "f"});
  }
  // It was served, and is gone at this start.
  std::unique_ptr<block::Device> wait() {
    EXPECT_TRUE(open_or_wait());
    std::filesystem::rename(path_, aside_);
    return *open_or_wait();
  }
  Result<void> try_to_open_channel(block::Device& device) {
    Result<void> outcome;
    group_->run_on(0, [&] { return try_there(device, group_->shard(0), outcome); });
    return outcome;
  }
  void expect_it_is_not(block::Device& device, std::string_view why) {
    const auto opened = try_to_open_channel(device);
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, ErrorCode::invalid_argument);
    EXPECT_NE(opened.error().message.find("is not the disk"), std::string::npos);
    EXPECT_NE(opened.error().message.find(why), std::string::npos) << opened.error().message;
  }

  static constexpr std::uint64_t kBytes = 16 * kMiB;
  DiskMemory memory_;
  std::string aside_ = path_ + ".aside";

 private:
  static engine::Task<void> try_there(block::Device& device, engine::Shard& shard,
                                      Result<void>& outcome) {
    block::Ask<std::unique_ptr<block::Channel>> ask(device, shard);
    ask.begin([&](auto reply) { device.begin_open_channel(shard, std::move(reply)); });
    auto waiting = ask.until(shard.now_ns() + engine::kSecond);
    EXPECT_TRUE(co_await waiting);
    const auto channel = ask.take();
    outcome = channel ? Result<void>() : std::unexpected(channel.error());
  }
};

TEST_P(WaitedFileTest, ItMustHaveBeenServedBefore) {
  std::filesystem::rename(path_, aside_);
  const auto unknown = open_or_wait();
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().code, ErrorCode::not_found);
  EXPECT_NE(unknown.error().message.find("missing=wait"), std::string::npos);
}

TEST_P(WaitedFileTest, IsShownAsItWasAndServedWhenItComes) {
  const Uuid uuid = (*open_or_wait())->uuid();
  const block::Limits was = (*open_or_wait())->limits();
  const auto device = wait();
  EXPECT_EQ(device->uuid(), uuid);
  EXPECT_EQ(device->limits().capacity, was.capacity);
  EXPECT_EQ(device->limits().block_size, was.block_size);
  EXPECT_EQ(device->limits().buffer_alignment, was.buffer_alignment);
  EXPECT_EQ(device->limits().max_unmap, was.max_unmap);
  EXPECT_EQ(try_to_open_channel(*device).error().code, ErrorCode::not_found);
  EXPECT_EQ(device->resize(std::nullopt).error().code, ErrorCode::io);
  EXPECT_EQ(device->extent_at(Lba(0), BlockCount(1)).error().code, ErrorCode::io);
  std::filesystem::rename(aside_, path_);
  EXPECT_TRUE(try_to_open_channel(*device));
  with_front(*device, &check_pattern);
  EXPECT_EQ(device->resize(std::nullopt), was.capacity);
}

TEST_P(WaitedFileTest, AnotherFileInItsPlaceIsNotServed) {
  const auto device = wait();
  ASSERT_TRUE(open(ByteCount(kBytes)));
  expect_it_is_not(*device, "its UUID is ");
  std::filesystem::remove(path_);
  std::filesystem::resize_file(aside_, kBytes / 2);
  std::filesystem::rename(aside_, path_);
  expect_it_is_not(*device, "bytes, and had");
}

TEST_P(WaitedFileTest, WhatIsKnownFollowsItsSize) {
  {
    const auto device = open_or_wait();
    ASSERT_TRUE(device);
    EXPECT_TRUE((*device)->resize(ByteCount(kBytes / 2)));
  }
  EXPECT_EQ(memory_.disk->limits.size(), ByteCount(kBytes / 2));
  const auto device = wait();
  std::filesystem::rename(aside_, path_);
  EXPECT_TRUE(try_to_open_channel(*device));
}

INSTANTIATE_TEST_SUITE_P(Caches, WaitedFileTest,
                         ::testing::Values(FileCache::direct, FileCache::buffered),
                         [](const auto& instance) {
                           return instance.param == FileCache::direct ? "Direct" : "Buffered";
                         });

INSTANTIATE_TEST_SUITE_P(Caches, RealFileTest,
                         ::testing::Values(FileCache::direct, FileCache::buffered),
                         [](const auto& instance) {
                           return instance.param == FileCache::direct ? "Direct" : "Buffered";
                         });

}  // namespace
}  // namespace lunar::backends
