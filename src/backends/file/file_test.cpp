#include "backends/file/file.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <deque>
#include <map>

#include "backends/file/file_channel.h"
#include "base/bytes.h"
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
using engine::FileOpKind;

// ---- On the simulation's files.

class FileTest : public ::testing::Test {
 protected:
  Result<std::unique_ptr<block::Device>> open(FileBackendOptions options) {
    options.name = "f";
    options.path = "/images/f";
    return open_file(world_.files(), world_.prng(), options);
  }
  Result<std::unique_ptr<block::Device>> create(std::uint64_t bytes) {
    return open({.size = ByteCount(bytes)});
  }

  engine::sim::World world_;
};

TEST_F(FileTest, BehavesAsAnArray) {
  const auto device = create(256 * kKiB);
  ASSERT_TRUE(device);
  Bench bench(world_, **device);
  block::testing::ModelRun(bench, 1).run(300);
}

TEST_F(FileTest, GrowsAndShrinksWithItsFile) {
  const auto device = create(64 * kKiB);
  ASSERT_TRUE(device);
  EXPECT_EQ((*device)->resize(ByteCount(128 * kKiB)), BlockCount(256));
  EXPECT_EQ(world_.files().contents("/images/f").bytes.size(), 128 * kKiB);
  EXPECT_EQ((*device)->resize(ByteCount(32 * kKiB)), BlockCount(64));
  EXPECT_EQ((*device)->limits().capacity, BlockCount(64));
  for (const std::uint64_t bytes : {std::uint64_t{0}, std::uint64_t{1000}}) {
    EXPECT_EQ((*device)->resize(ByteCount(bytes)).error().code, ErrorCode::invalid_argument);
  }
  EXPECT_EQ((*device)->limits().capacity, BlockCount(64));
}

TEST_F(FileTest, KeepsProtectionInformationInAFileBesideIt) {
  auto device = open({.size = ByteCount(100 * 512), .protection = 2});
  ASSERT_TRUE(device);
  const block::ProtectionRoom room = (*device)->protection_room();
  EXPECT_EQ(room.type, 2);
  ASSERT_NE(room.area, nullptr);
  // 100 entries are two blocks of 512 bytes.
  EXPECT_EQ(room.area->limits().capacity, BlockCount(10));
  EXPECT_EQ(room.area->limits().block_size, 512U);
  EXPECT_EQ(room.area->limits().buffer_alignment, 1U);
  EXPECT_EQ(world_.files().contents("/images/f.protection").bytes.size(), 10U * 512);
  EXPECT_EQ((*device)->resize(ByteCount(1024)).error().code, ErrorCode::unsupported);
  device->reset();

  const auto without = open({});
  ASSERT_FALSE(without);
  EXPECT_EQ(without.error().code, ErrorCode::invalid_argument);
  EXPECT_NE(without.error().message.find("/images/f.protection holds"), std::string::npos);
  // It grows with the file.
  device = open({.size = ByteCount(200 * 512), .protection = 2});
  ASSERT_TRUE(device);
  EXPECT_EQ((*device)->protection_room().area->limits().capacity, BlockCount(12));
  device->reset();
  EXPECT_TRUE(open({.read_only = true, .protection = 2}));
  EXPECT_EQ(open({.protection = 4}).error().code, ErrorCode::invalid_argument);
}

TEST_F(FileTest, ANewProtectionFileIsMarkedAndOneThatIsTooShortRefused) {
  const FileBackendOptions options{.size = ByteCount(100 * 512), .protection = 2};
  EXPECT_TRUE((*open(options))->protection_room().marked);
  auto& area = world_.files().contents("/images/f.protection");
  const Bytes mark = as_bytes(block::kProtectionAreaMark);
  EXPECT_TRUE(std::ranges::equal(Bytes(area.bytes).first(mark.size()), mark));
  for (const std::size_t bytes : {std::size_t{0}, std::size_t{9 * 512}}) {
    area.bytes.resize(bytes);
    const auto device = open(options);
    ASSERT_FALSE(device);
    EXPECT_EQ(device.error().code, ErrorCode::invalid_argument);
    EXPECT_NE(device.error().message.find("restore it, or remove it"), std::string::npos);
    EXPECT_EQ(area.bytes.size(), bytes);
  }
  // Nor when the disk becomes larger at the same time.
  EXPECT_FALSE(open({.size = ByteCount(200 * 512), .protection = 2}));
}

TEST_F(FileTest, NeedsTheProtectionFileToReadOnly) {
  ASSERT_TRUE(create(512));
  EXPECT_EQ(open({.read_only = true, .protection = 1}).error().code, ErrorCode::not_found);
}

TEST_F(FileTest, TakesTheSizeThatItsFileHasBecome) {
  const auto device = create(64 * kKiB);
  ASSERT_TRUE(device);
  world_.files().contents("/images/f").bytes.resize(100 * kKiB + 100);
  EXPECT_EQ((*device)->resize(std::nullopt), BlockCount(200)) << "whole blocks";
}

TEST_F(FileTest, GoesOnAfterShortTransfers) {
  world_.faults().short_transfer = 500;
  const auto device = create(256 * kKiB);
  Bench bench(world_, **device);
  block::testing::ModelRun(bench, 2).run(200);
}

TEST_F(FileTest, KeepsDataAndIdentityOverRestarts) {
  Uuid uuid;
  auto data = filled(512, 7);
  {
    const auto device = create(kMiB);
    uuid = (*device)->uuid();
    Bench bench(world_, **device);
    EXPECT_EQ(bench.run(Op::write, 9, 1, data), Status::ok);
    EXPECT_EQ(bench.run(Op::flush, 0, 0), Status::ok);
  }
  const auto device = open({});
  ASSERT_TRUE(device);
  EXPECT_EQ((*device)->uuid(), uuid);
  EXPECT_EQ((*device)->limits().capacity, BlockCount(2048));
  Bench bench(world_, **device);
  EXPECT_EQ(bench.run(Op::compare, 9, 1, data), Status::ok);
}

TEST_F(FileTest, ReadOnlyKeepsTheIdentityAndTakesNoWrites) {
  const Uuid uuid = (*create(kMiB))->uuid();
  const auto device = open({.read_only = true});
  ASSERT_TRUE(device);
  EXPECT_EQ((*device)->uuid(), uuid);
  Bench bench(world_, **device);
  auto data = filled(512, 7);
  EXPECT_EQ(bench.run(Op::write, 9, 1, data), Status::write_protected);
  EXPECT_EQ(bench.run(Op::read, 9, 1, data), Status::ok);
  EXPECT_EQ(bench.run(Op::flush, 0, 0), Status::ok);
}

TEST_F(FileTest, AFileThatIsServedReadOnlyFirstKeepsItsIdentityWhenItIsWritten) {
  world_.files().contents("/images/f").bytes.resize(4096);
  const Uuid uuid = (*open({.read_only = true}))->uuid();
  EXPECT_EQ((*open({.read_only = true}))->uuid(), uuid);
  EXPECT_EQ((*open({}))->uuid(), uuid);
}

TEST_F(FileTest, IsNotMadeLargerAgainAfterSomebodyHasTruncatedIt) {
  (void)create(64 * kKiB);
  auto& file = world_.files().contents("/images/f");
  file.bytes.resize(32 * kKiB);
  const auto grown = create(64 * kKiB);
  ASSERT_FALSE(grown);
  EXPECT_EQ(grown.error().code, ErrorCode::invalid_argument);
  EXPECT_NE(grown.error().message.find("truncated it, from 65536 bytes to 32768"),
            std::string::npos);
  EXPECT_EQ(file.bytes.size(), 32 * kKiB);
  // Who serves what is left has seen it.
  EXPECT_EQ((*open({}))->limits().capacity, BlockCount(64));
  EXPECT_EQ((*create(64 * kKiB))->limits().capacity, BlockCount(128));
}

TEST_F(FileTest, WhatWasLargerBeforeItWasResizedMayGrowAgain) {
  (void)(*create(64 * kKiB))->resize(ByteCount(32 * kKiB));
  EXPECT_EQ((*create(64 * kKiB))->limits().capacity, BlockCount(128));
}

TEST_F(FileTest, IsLostWhenSomebodyTruncatesIt) {
  const auto device = create(64 * kKiB);
  auto& file = world_.files().contents("/images/f");
  auto data = filled(512, 7);
  {
    Bench bench(world_, **device);
    EXPECT_EQ(bench.run(Op::write, 100, 1, data), Status::ok);
    world_.run_for(engine::kSecond);
    file.bytes.resize(32 * kKiB);
    // Were it written, the blocks before it would read as zeroes.
    EXPECT_EQ(bench.run(Op::write, 120, 1, data), Status::write_error);
    EXPECT_EQ(file.bytes.size(), 32 * kKiB);
    EXPECT_EQ(bench.run(Op::read, 100, 1, data), Status::read_error);
    EXPECT_EQ(bench.run(Op::read, 0, 1, data), Status::read_error) << "lost as a whole";
    EXPECT_EQ(bench.run(Op::flush, 0, 0), Status::write_error);
    EXPECT_EQ(bench.run(Op::unmap, 0, 1), Status::write_error);
    EXPECT_TRUE((*device)->extent_at(Lba(100), BlockCount(1))->allocated) << "no hole";
    const auto larger = (*device)->resize(ByteCount(64 * kKiB));
    ASSERT_FALSE(larger);
    EXPECT_NE(larger.error().message.find("without a size"), std::string::npos);
    EXPECT_EQ((*device)->resize(std::nullopt), BlockCount(64));
  }
  Bench bench(world_, **device);
  EXPECT_EQ(bench.run(Op::write, 63, 1, data), Status::ok);
}

TEST_F(FileTest, AReadBeyondTheEndOfATruncatedFileLosesIt) {
  const auto device = create(64 * kKiB);
  Bench bench(world_, **device);
  auto data = filled(512, 7);
  world_.files().contents("/images/f").bytes.resize(32 * kKiB);
  EXPECT_EQ(bench.run(Op::read, 100, 1, data), Status::read_error);
  EXPECT_EQ(bench.run(Op::write, 127, 1, data), Status::write_error);
}

// Looking costs a system call: what is written between two looks is noticed at the next.
TEST_F(FileTest, AWriteThatHidATruncationIsNoticedByTheNextRead) {
  const auto device = create(64 * kKiB);
  Bench bench(world_, **device);
  auto data = filled(512, 7);
  EXPECT_EQ(bench.run(Op::write, 0, 1, data), Status::ok);
  world_.files().contents("/images/f").bytes.resize(32 * kKiB);
  EXPECT_EQ(bench.run(Op::write, 120, 1, data), Status::ok) << "it has just looked";
  world_.run_for(engine::kMillisecond);
  EXPECT_EQ(bench.run(Op::read, 100, 1, data), Status::read_error);
}

TEST_F(FileTest, TakesTheUuidThatIsGiven) {
  const Uuid given = Uuid::from_name("mine");
  EXPECT_EQ((*open({.size = ByteCount(4096), .uuid = given}))->uuid(), given);
}

TEST_F(FileTest, RefusesWhatDoesNotFit) {
  const auto code = [&](const FileBackendOptions& options) {
    auto device = open(options);
    return device ? ErrorCode::io : device.error().code;
  };
  EXPECT_EQ(code({}), ErrorCode::not_found);
  world_.files().contents("/images/f").bytes.resize(5000);
  EXPECT_EQ(code({}), ErrorCode::invalid_argument);
  world_.files().contents("/images/f").bytes.resize(5120);
  EXPECT_EQ(code({.block_size = 4096}), ErrorCode::invalid_argument);
  EXPECT_EQ(code({.block_size = 1024}), ErrorCode::invalid_argument);
  EXPECT_TRUE(open({.block_size = 512}));
  world_.files().contents("/images/f").bytes.clear();
  EXPECT_EQ(code({}), ErrorCode::invalid_argument);
}

TEST_F(FileTest, RefusesAFileThatIsOpenAlready) {
  const auto first = create(kMiB);
  const auto second = open({});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::busy);
}

// ---- On a file that answers as told.

// Answers each op with the next of `results` (bytes or -errno), or as if all went well.
class ScriptedFile final : public engine::File {
 public:
  struct Script {
    engine::FileInfo info{.size = kMiB};
    std::deque<std::int64_t> results;
    std::vector<FileOpKind> kinds;
    std::vector<std::pair<std::uint64_t, std::uint64_t>> ranges;  // offset and length of transfers
    engine::FileExtent extent;
    bool direct_refused = false;
    bool attributes_refused = false;
    std::map<std::string, std::string> attributes;
    std::optional<Error> attribute_error;
    std::vector<bool> opened_direct;
  };

  explicit ScriptedFile(Script& script) : script_(script) {}
  [[nodiscard]] const engine::FileInfo& info() const override { return script_.info; }
  Result<std::uint64_t> resize(std::uint64_t /*bytes*/) override { return info().size; }
  [[nodiscard]] std::optional<std::uint64_t> size_now() const override { return std::nullopt; }
  void submit(engine::Shard& shard, engine::FileOp& op) override {
    script_.kinds.push_back(op.kind);
    const std::size_t bytes = block::total_bytes({op.iov, op.iov_count});
    script_.ranges.emplace_back(op.offset, bytes);
    const bool moves = op.kind == FileOpKind::read || op.kind == FileOpKind::write ||
                       op.kind == FileOpKind::write_dsync;
    op.result = moves ? static_cast<std::int64_t>(bytes) : 0;
    if (!script_.results.empty()) {
      op.result = script_.results.front();
      script_.results.pop_front();
    }
    op.run = [](engine::Runnable& self) noexcept {
      auto& done = static_cast<engine::FileOp&>(self);
      done.done(done);
    };
    shard.enqueue(op);
  }
  [[nodiscard]] Result<engine::FileExtent> extent_at(std::uint64_t, std::uint64_t) const override {
    return script_.extent;
  }
  [[nodiscard]] Result<std::string> attribute(const std::string& name) const override {
    if (script_.attribute_error) return std::unexpected(*script_.attribute_error);
    if (script_.attributes_refused) return fail(ErrorCode::unsupported, "no attributes");
    const auto found = script_.attributes.find(name);
    if (found == script_.attributes.end()) return fail(ErrorCode::not_found, "none yet");
    return found->second;
  }
  Result<void> set_attribute(const std::string& name, const std::string& value,
                             bool only_new) override {
    if (script_.attributes_refused) return fail(ErrorCode::unsupported, "no attributes");
    if (only_new && script_.attributes.contains(name)) return fail(ErrorCode::already_exists, name);
    script_.attributes[name] = value;
    return {};
  }

 private:
  Script& script_;
};

class ScriptedFileIo final : public engine::FileIo {
 public:
  explicit ScriptedFileIo(ScriptedFile::Script& script) : script_(script) {}
  Result<std::unique_ptr<engine::File>> open(const std::string& path,
                                             const engine::FileOptions& options) override {
    if (path.ends_with(".protection")) return fail(ErrorCode::not_found, path);
    script_.opened_direct.push_back(options.direct);
    if (options.direct && script_.direct_refused) {
      return fail(ErrorCode::unsupported, "no direct I/O");
    }
    return std::make_unique<ScriptedFile>(script_);
  }

 private:
  ScriptedFile::Script& script_;
};

class ScriptedFileTest : public ::testing::Test {
 protected:
  Result<std::unique_ptr<block::Device>> open(const FileBackendOptions& options = {.name = "f",
                                                                                   .path = "/f"}) {
    return open_file(files_, world_.prng(), options);
  }
  void start() {
    device_ = *open();
    bench_ = std::make_unique<Bench>(world_, *device_);
  }
  Status run(Op op, std::uint64_t count = 8, block::RequestFlags flags = 0) {
    return bench_->run(op, 0, count, MutableBytes(memory_).first(count * 512), flags);
  }

  engine::sim::World world_;
  ScriptedFile::Script script_;
  ScriptedFileIo files_{script_};
  alignas(4096) std::array<std::byte, 8192> memory_{};
  std::unique_ptr<block::Device> device_;
  std::unique_ptr<Bench> bench_;
};

TEST_F(ScriptedFileTest, ErrnoBecomesTheRightStatus) {
  start();
  const auto status_of = [&](Op op, int error) {
    bench_.reset();
    start();  // a flush that has failed would be remembered
    script_.results = {-error};
    return run(op);
  };
  EXPECT_EQ(status_of(Op::read, EIO), Status::read_error);
  EXPECT_EQ(status_of(Op::write, EIO), Status::write_error);
  EXPECT_EQ(status_of(Op::flush, EIO), Status::write_error);
  EXPECT_EQ(status_of(Op::write, ENOSPC), Status::no_space);
  EXPECT_EQ(status_of(Op::write, EDQUOT), Status::no_space);
  EXPECT_EQ(status_of(Op::flush, ENOSPC), Status::no_space);
  EXPECT_EQ(status_of(Op::write_zeroes, ENOSPC), Status::no_space);
  EXPECT_EQ(status_of(Op::write, EROFS), Status::write_protected);
  EXPECT_EQ(status_of(Op::write, EPERM), Status::write_protected);
  EXPECT_EQ(status_of(Op::read, ECANCELED), Status::aborted);
  EXPECT_EQ(status_of(Op::read, EINVAL), Status::read_error);
  EXPECT_EQ(status_of(Op::write, EINVAL), Status::write_error);
}

TEST_F(ScriptedFileTest, AFlushThatHasFailedFailsUntilTheDiskIsOpenedAgain) {
  start();
  script_.results = {-ENOSPC, -EIO};
  EXPECT_EQ(run(Op::flush), Status::no_space);
  // The kernel has told it once, and says now that all is well.
  EXPECT_EQ(run(Op::flush), Status::no_space);
  EXPECT_EQ(run(Op::flush), Status::no_space);
  EXPECT_EQ(run(Op::write), Status::ok);
  EXPECT_EQ(run(Op::write, 8, block::kFua), Status::ok) << "that is durable by itself";
  bench_.reset();
  start();
  EXPECT_EQ(run(Op::flush), Status::ok);
}

TEST_F(ScriptedFileTest, AFlushThatWasNotTriedLosesNothing) {
  start();
  script_.results = {-ECANCELED, -EAGAIN};
  EXPECT_EQ(run(Op::flush), Status::aborted);
  EXPECT_EQ(run(Op::flush), Status::busy);
  EXPECT_EQ(run(Op::flush), Status::ok);
}

TEST_F(ScriptedFileTest, ADurableWriteMayBeToldWhatAnEarlierOneHasLost) {
  const auto flush_after = [&](FileCache cache, int error) {
    device_ = *open({.name = "f", .path = "/f", .cache = cache});
    bench_ = std::make_unique<Bench>(world_, *device_);
    script_.results = {-error};
    EXPECT_NE(run(Op::write, 8, block::kFua), Status::ok);
    const Status flushed = run(Op::flush);
    bench_.reset();
    return flushed;
  };
  EXPECT_EQ(flush_after(FileCache::buffered, EIO), Status::write_error);
  EXPECT_EQ(flush_after(FileCache::buffered, ENOSPC), Status::no_space);
  EXPECT_EQ(flush_after(FileCache::direct, EIO), Status::write_error);
  EXPECT_EQ(flush_after(FileCache::direct, ENOSPC), Status::ok) << "its own blocks found no room";
}

TEST_F(ScriptedFileTest, AnInterruptedOperationIsDoneAgain) {
  start();
  for (const Op op : {Op::read, Op::write, Op::flush, Op::unmap, Op::write_zeroes}) {
    script_.kinds.clear();
    script_.results = {-EINTR, -EINTR};
    EXPECT_EQ(run(op), Status::ok) << to_string(op);
    EXPECT_EQ(script_.kinds, std::vector(3, script_.kinds.front())) << to_string(op);
  }
}

TEST_F(ScriptedFileTest, ShortTransfersGoOnWhereTheyStopped) {
  start();
  script_.results = {512, 1024};
  EXPECT_EQ(run(Op::write), Status::ok);
  EXPECT_EQ(script_.ranges, (std::vector<std::pair<std::uint64_t, std::uint64_t>>{
                                {0, 4096}, {512, 3584}, {1536, 2560}}));
}

TEST_F(ScriptedFileTest, ShortTransfersThatGetStuckAreErrors) {
  start();
  script_.results = {512, 0};
  EXPECT_EQ(run(Op::read), Status::read_error);
  script_.results = {0};
  EXPECT_EQ(run(Op::write), Status::write_error);
  script_.results = {512, -ENOSPC};
  EXPECT_EQ(run(Op::write), Status::no_space);
}

TEST_F(ScriptedFileTest, TransfersOfManyPiecesGoInSeveralOps) {
  script_.info.memory_alignment = 1;
  start();
  // More pieces than the kernel takes: IOV_MAX is 1024.
  std::vector<std::byte> memory(2048 * 512);
  TestRequest request(Op::write, 0, 2048);
  for (std::size_t i = 0; i < 2048; ++i) request.add_piece(memory.data() + i * 512, 512);
  EXPECT_EQ(bench_->run(request), Status::ok);
  EXPECT_EQ(script_.ranges, (std::vector<std::pair<std::uint64_t, std::uint64_t>>{
                                {0, 1024 * 512}, {1024 * 512, 1024 * 512}}));
}

TEST_F(ScriptedFileTest, FuaIsADurableWrite) {
  start();
  EXPECT_EQ(run(Op::write, 8, block::kFua), Status::ok);
  EXPECT_EQ(run(Op::flush), Status::ok);
  EXPECT_EQ(script_.kinds, (std::vector{FileOpKind::write_dsync, FileOpKind::sync_data}));
}

TEST_F(ScriptedFileTest, UnmapDeallocatesAndWriteZeroesKeepsStorage) {
  start();
  EXPECT_EQ(run(Op::unmap), Status::ok);
  EXPECT_EQ(run(Op::write_zeroes), Status::ok);
  EXPECT_EQ(run(Op::write_zeroes, 8, block::kMayUnmap), Status::ok);
  EXPECT_EQ(script_.kinds,
            (std::vector{FileOpKind::deallocate, FileOpKind::zero, FileOpKind::deallocate}));
}

TEST_F(ScriptedFileTest, RefusedClearingBecomesWritesAndIsNotTriedAgain) {
  start();
  script_.results = {-EOPNOTSUPP, -ENOSYS};
  EXPECT_EQ(run(Op::unmap), Status::ok);
  EXPECT_EQ(script_.kinds,
            (std::vector{FileOpKind::deallocate, FileOpKind::zero, FileOpKind::write}));
  script_.kinds.clear();
  EXPECT_EQ(run(Op::unmap), Status::ok);
  EXPECT_EQ(run(Op::write_zeroes, 8, block::kMayUnmap), Status::ok);
  EXPECT_EQ(script_.kinds, (std::vector{FileOpKind::write, FileOpKind::write}));
}

TEST_F(ScriptedFileTest, RefusedDeallocationOfZeroesKeepsStorageInstead) {
  start();
  script_.results = {-EINVAL};
  EXPECT_EQ(run(Op::write_zeroes, 8, block::kMayUnmap), Status::ok);
  EXPECT_EQ(script_.kinds, (std::vector{FileOpKind::deallocate, FileOpKind::zero}));
}

TEST_F(ScriptedFileTest, FallsBackToThePageCache) {
  script_.direct_refused = true;
  script_.info.memory_alignment = 512;
  start();
  EXPECT_EQ(script_.opened_direct, (std::vector{true, false}));
  EXPECT_EQ(device_->limits().buffer_alignment, 1U);
}

TEST_F(ScriptedFileTest, BufferedNeedsNoAlignment) {
  const auto device = open({.name = "f", .path = "/f", .cache = FileCache::buffered});
  EXPECT_EQ(script_.opened_direct, (std::vector{false}));
  EXPECT_EQ((*device)->limits().buffer_alignment, 1U);
}

TEST_F(ScriptedFileTest, TakesItsGeometryFromTheMedium) {
  script_.info = {.size = kGiB,
                  .block_device = true,
                  .name = "naa.5000c500a1b2c3d4",
                  .logical_block_size = 512,
                  .physical_block_size = 4096,
                  .memory_alignment = 4,
                  .discard_granularity = 65536,
                  .rotational = true};
  const block::Limits limits = (*open())->limits();
  EXPECT_EQ(limits.block_size, 512U);
  EXPECT_EQ(limits.physical_block_size, 4096U);
  EXPECT_EQ(limits.buffer_alignment, 4U);
  EXPECT_EQ(limits.capacity, BlockCount(kGiB / 512));
  EXPECT_EQ(limits.unmap_granularity, BlockCount(128));
  EXPECT_TRUE(limits.rotational);
}

TEST_F(ScriptedFileTest, LargeBlocksOfTheMediumAreTheDefaultAndTheLeast) {
  script_.info.logical_block_size = 4096;
  EXPECT_EQ((*open())->limits().block_size, 4096U);
  const auto small = open({.name = "f", .path = "/f", .block_size = 512});
  ASSERT_FALSE(small);
  EXPECT_NE(small.error().message.find("block=4096"), std::string::npos);
}

TEST_F(ScriptedFileTest, ExtentsAreWholeBlocks) {
  const auto device = *open();
  const auto extent = [&](engine::FileExtent bytes) {
    script_.extent = bytes;
    return *device->extent_at(Lba(8), BlockCount(100));
  };
  EXPECT_EQ(extent({4096, 1024, false}).count, BlockCount(2));
  EXPECT_FALSE(extent({4096, 1024, false}).allocated);
  EXPECT_EQ(extent({4096, 1025, true}).count, BlockCount(3));
  EXPECT_EQ(extent({4096, 1025, false}).count, BlockCount(2));
  EXPECT_TRUE(extent({4096, 100, false}).allocated) << "part of the block is data";
  EXPECT_EQ(extent({4096, 100, false}).count, BlockCount(1));
}

}  // namespace
}  // namespace lunar::backends
