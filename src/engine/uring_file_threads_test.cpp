// Files of the kernel, in a directory of the build machine. Features that its file system lacks are
// distinguished from failures.
#include "engine/uring_file.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <cstdlib>

#include <fcntl.h>
#include <sys/file.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <thread>

#include "engine/shard_group.h"

namespace lunar::engine {
namespace {

namespace fs = std::filesystem;

struct AwaitedOp : FileOp {
  AwaitedOp() {
    done = [](FileOp& self) noexcept { static_cast<AwaitedOp&>(self).event.set(); };
  }
  Event event;
};

Task<void> submit(File* file, AwaitedOp* op) {
  file->submit(*Shard::current(), *op);
  EXPECT_FALSE(op->event.is_set());
  co_await op->event;
}

class UringFileTest : public testing::TestWithParam<bool> {
 protected:
  UringFileTest() {
    // Next to the tests' binary: /tmp is often a tmpfs.
    std::string pattern = (fs::current_path() / "uring_file_test.XXXXXX").string();
    EXPECT_NE(mkdtemp(pattern.data()), nullptr);
    directory_ = pattern;
    ShardGroupOptions options;
    options.pool_bytes = 8 * kMiB;
    group_ = std::move(*ShardGroup::start(options));
  }
  ~UringFileTest() override { fs::remove_all(directory_); }

  static constexpr std::size_t kSize = 1 << 20;
  [[nodiscard]] static bool direct() { return GetParam(); }
  [[nodiscard]] std::string path(const char* name = "disk") const { return directory_ / name; }
  Result<std::unique_ptr<File>> open(std::uint64_t size = kSize) {
    FileOptions options;
    options.direct = direct();
    options.create = true;
    options.size = size;
    return io_.open(path(), options);
  }
  std::int64_t run(File& file, AwaitedOp& op) {
    group_->run_on(0, [&] { return submit(&file, &op); });
    return op.result;
  }
  std::int64_t transfer(File& file, FileOpKind kind, std::uint64_t offset, std::size_t length,
                        std::size_t pieces = 1) {
    std::vector<iovec> iov;
    for (std::size_t i = 0; i < pieces; ++i)
      iov.push_back({memory_ + i * (length / pieces), length / pieces});
    AwaitedOp op;
    op.kind = kind;
    op.iov = iov.data();
    op.iov_count = static_cast<std::uint32_t>(pieces);
    op.offset = offset;
    return run(file, op);
  }
  std::int64_t control(File& file, FileOpKind kind, std::uint64_t offset = 0,
                       std::uint64_t length = 0) {
    AwaitedOp op;
    op.kind = kind;
    op.offset = offset;
    op.length = length;
    return run(file, op);
  }
  [[nodiscard]] bool memory_is(int value, std::size_t length) const {
    return std::all_of(memory_, memory_ + length,
                       [&](std::byte b) { return b == static_cast<std::byte>(value); });
  }
  void fill(int value) { std::memset(memory_, value, sizeof memory_); }

  UringFileIo io_{{}, std::chrono::milliseconds(50)};
  fs::path directory_;
  std::unique_ptr<ShardGroup> group_;
  alignas(4096) std::byte memory_[64 * 1024] = {};
};

// Opens a file, or skips the test if the file system has no O_DIRECT.
#define OPEN_OR_SKIP(file)                                                    \
  auto file##_opened = open();                                                \
  if (!file##_opened && file##_opened.error().code == ErrorCode::unsupported) \
    GTEST_SKIP() << file##_opened.error().message;                            \
  ASSERT_TRUE(file##_opened) << file##_opened.error().message;                \
  File& file = **file##_opened

TEST_P(UringFileTest, CreatesPrivatelyWithItsSize) {
  OPEN_OR_SKIP(file);
  EXPECT_EQ(file.info().size, kSize);
  EXPECT_FALSE(file.info().block_device);
  EXPECT_EQ(fs::file_size(path()), kSize);
  EXPECT_EQ(fs::status(path()).permissions(), fs::perms::owner_read | fs::perms::owner_write);
  if (!direct()) {
    EXPECT_EQ(file.info().memory_alignment, 1U);
  }
}

TEST_P(UringFileTest, ReadsWhatWasWritten) {
  OPEN_OR_SKIP(file);
  fill(0x11);
  EXPECT_EQ(transfer(file, FileOpKind::write, 8192, 65536), 65536);
  fill(0x22);
  EXPECT_EQ(transfer(file, FileOpKind::write, 16384, 8192, 2), 8192);
  fill(0x33);
  EXPECT_EQ(transfer(file, FileOpKind::write_dsync, 24576, 4096), 4096);
  EXPECT_EQ(control(file, FileOpKind::sync_data), 0);
  EXPECT_EQ(transfer(file, FileOpKind::read, 16384, 8192, 2), 8192);
  EXPECT_TRUE(memory_is(0x22, 8192));
  EXPECT_EQ(transfer(file, FileOpKind::read, 24576, 4096), 4096);
  EXPECT_TRUE(memory_is(0x33, 4096));
  EXPECT_EQ(transfer(file, FileOpKind::read, 8192, 8192), 8192);
  EXPECT_TRUE(memory_is(0x11, 8192));
}

// Buffers of the shard's pool, for which direct I/O uses pinned memory (UringDriver::is_pinned).
TEST_P(UringFileTest, MovesBuffersOfThePool) {
  OPEN_OR_SKIP(file);
  constexpr std::size_t kBytes = 8192;
  const auto steps = [](File* disk) -> Task<void> {
    Buffer out = Shard::current()->buffers().try_allocate(kBytes);
    Buffer in = Shard::current()->buffers().try_allocate(kBytes);
    std::memset(out.data(), 0x55, kBytes);
    for (const auto& [kind, buffer] :
         {std::pair(FileOpKind::write, &out), std::pair(FileOpKind::read, &in)}) {
      iovec piece{buffer->data(), kBytes};
      AwaitedOp op;
      op.kind = kind;
      op.iov = &piece;
      op.iov_count = 1;
      op.offset = 4096;
      auto moved = submit(disk, &op);
      co_await moved;
      EXPECT_EQ(op.result, static_cast<std::int64_t>(kBytes));
    }
    EXPECT_EQ(std::memcmp(out.data(), in.data(), kBytes), 0);
  };
  group_->run_on(0, [&] { return steps(&file); });
}

TEST_P(UringFileTest, ReadsShortAtTheEnd) {
  OPEN_OR_SKIP(file);
  EXPECT_EQ(transfer(file, FileOpKind::read, kSize - 4096, 8192), 4096);
  EXPECT_EQ(transfer(file, FileOpKind::read, kSize, 4096), 0);
}

TEST_P(UringFileTest, ClearsRangesAndTellsItsAllocation) {
  OPEN_OR_SKIP(file);
  fill(0x44);
  ASSERT_EQ(transfer(file, FileOpKind::write, 65536, 65536), 65536);
  ASSERT_EQ(control(file, FileOpKind::sync_data), 0);
  auto extent = file.extent_at(0, kSize);
  ASSERT_TRUE(extent);
  EXPECT_FALSE(extent->allocated);
  EXPECT_EQ(extent->length, 65536U);
  extent = file.extent_at(65536, kSize - 65536);
  EXPECT_TRUE(extent->allocated);
  EXPECT_EQ(extent->length, 65536U);
  EXPECT_EQ(file.extent_at(65536, 4096)->length, 4096U) << "no longer than asked";
  extent = file.extent_at(131072, 8192);
  EXPECT_FALSE(extent->allocated);
  EXPECT_EQ(extent->length, 8192U);

  const std::int64_t punched = control(file, FileOpKind::deallocate, 65536, 32768);
  if (punched == -EOPNOTSUPP) GTEST_SKIP() << "the file system punches no holes";
  ASSERT_EQ(punched, 0);
  EXPECT_FALSE(file.extent_at(65536, 4096)->allocated);
  ASSERT_EQ(transfer(file, FileOpKind::read, 65536, 65536), 65536);
  EXPECT_TRUE(memory_is(0, 32768));
  EXPECT_EQ(memory_[32768], std::byte{0x44});
  const std::int64_t zeroed = control(file, FileOpKind::zero, 98304, 8192);
  if (zeroed == -EOPNOTSUPP) GTEST_SKIP() << "the file system zeroes no ranges";
  ASSERT_EQ(zeroed, 0);
  ASSERT_EQ(transfer(file, FileOpKind::read, 98304, 16384), 16384);
  EXPECT_TRUE(memory_is(0, 8192));
  EXPECT_EQ(memory_[8192], std::byte{0x44});
}

TEST_P(UringFileTest, OneWriterOrManyReaders) {
  {
    OPEN_OR_SKIP(file);
    (void)file;
    const auto second = open();
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, ErrorCode::busy);
    EXPECT_NE(second.error().message.find(path()), std::string::npos);
    EXPECT_NE(second.error().message.find("locked"), std::string::npos);
    const auto reader = io_.open(path(), {.writable = false, .direct = direct()});
    EXPECT_EQ(reader.error().code, ErrorCode::busy);
  }
  const FileOptions read_only{.writable = false, .direct = direct()};
  const auto first = io_.open(path(), read_only);
  const auto second = io_.open(path(), read_only);
  EXPECT_TRUE(first && second);
  EXPECT_EQ(open().error().code, ErrorCode::busy);
  EXPECT_EQ(transfer(**first, FileOpKind::read, 0, 4096), 4096);
  EXPECT_EQ(transfer(**first, FileOpKind::write, 0, 4096), -EBADF);
}

// Releases the lock late, like a killed process.
TEST_P(UringFileTest, WaitsForALockThatIsLetGo) {
  {
    OPEN_OR_SKIP(file);
    (void)file;
  }
  const int holder = ::open(path().c_str(), O_RDWR | O_CLOEXEC);
  ASSERT_EQ(flock(holder, LOCK_EX | LOCK_NB), 0);
  Result<std::unique_ptr<File>> opened = fail(ErrorCode::busy, "not yet");
  std::thread opener([&] {
    const FileOptions options{.writable = true, .direct = direct()};
    opened = UringFileIo({}, std::chrono::minutes(1)).open(path(), options);
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(30));  // so that it mostly finds it locked
  close(holder);
  opener.join();
  EXPECT_TRUE(opened) << opened.error().message;
}

TEST_P(UringFileTest, MakesAFileWholeOrNotAtAll) {
  {
    FileOptions options{.direct = direct(), .create = true, .size = kSize, .begin = "marked"};
    const auto file = io_.open(path(), options);
    if (!file && file.error().code == ErrorCode::unsupported) GTEST_SKIP() << file.error().message;
    ASSERT_TRUE(file) << file.error().message;
    EXPECT_TRUE((*file)->info().created);
  }
  std::string begin(7, '?');
  std::ifstream(path()).read(begin.data(), 7);
  EXPECT_EQ(begin, std::string("marked\0", 7));
  EXPECT_EQ(fs::file_size(path()), kSize);
  const auto again = open(2 * kSize);
  ASSERT_TRUE(again);
  EXPECT_FALSE((*again)->info().created);
  EXPECT_EQ((*again)->info().size, kSize) << "a file that is there keeps its size";
  EXPECT_EQ(std::distance(fs::directory_iterator(directory_), {}), 1) << "and nothing beside it";
}

TEST_P(UringFileTest, LeavesNothingOfAFileThatTheLimitForbids) {
  // As serve() does: otherwise the signal ends the process.
  const auto before = std::signal(SIGXFSZ, SIG_IGN);
  rlimit limit{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &limit), 0);
  const rlimit small{kSize, limit.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  const auto file = open(2 * kSize);
  std::int64_t beyond = 0;
  if (const auto fits = open(); fits) {
    beyond = transfer(**fits, FileOpKind::write, kSize, 4096);
  } else {
    beyond = fits.error().code == ErrorCode::unsupported ? -EFBIG : 0;  // no direct I/O here
  }
  setrlimit(RLIMIT_FSIZE, &limit);
  std::signal(SIGXFSZ, before);
  ASSERT_FALSE(file);
  EXPECT_EQ(file.error().code, ErrorCode::no_resource) << file.error().message;
  EXPECT_NE(file.error().message.find(path()), std::string::npos) << file.error().message;
  EXPECT_EQ(beyond, -EFBIG);
}

TEST_P(UringFileTest, ResizesAndKnowsWhatOthersHaveMadeOfIt) {
  OPEN_OR_SKIP(file);
  EXPECT_EQ(file.resize(2 * kSize), 2 * kSize);
  EXPECT_EQ(fs::file_size(path()), 2 * kSize);
  EXPECT_EQ(file.size_now(), 2 * kSize);
  fs::resize_file(path(), 4096);
  EXPECT_EQ(file.size_now(), 4096U);
  EXPECT_EQ(file.info().size, 2 * kSize) << "until it is told to look";
  EXPECT_EQ(file.resize(0), 4096U);
}

TEST_P(UringFileTest, AnotherFileInItsPlaceIsKnown) {
  std::string first;
  {
    OPEN_OR_SKIP(file);
    first = file.info().signs.object;
    EXPECT_EQ(file.info().name, "");
  }
  EXPECT_FALSE(first.empty());
  EXPECT_EQ((*open())->info().signs.object, first);
  // Birth times use the kernel's coarse clock: wait for its next tick.
  timespec tick{};
  clock_gettime(CLOCK_REALTIME_COARSE, &tick);
  for (timespec now = tick; now.tv_sec == tick.tv_sec && now.tv_nsec == tick.tv_nsec;)
    clock_gettime(CLOCK_REALTIME_COARSE, &now);
  fs::copy_file(path(), path("copy"));
  fs::rename(path("copy"), path());
  EXPECT_NE((*open())->info().signs.object, first);
}

TEST_P(UringFileTest, KeepsAttributesOverReopen) {
  {
    OPEN_OR_SKIP(file);
    const auto kept = file.set_attribute("user.lunar.test", "value");
    if (!kept && kept.error().code == ErrorCode::unsupported) GTEST_SKIP() << kept.error().message;
    ASSERT_TRUE(kept) << kept.error().message;
  }
  const auto file = open();
  EXPECT_EQ((*file)->attribute("user.lunar.test").value(), "value");
  EXPECT_EQ((*file)->attribute("user.lunar.none").error().code, ErrorCode::not_found);
  const auto again = (*file)->set_attribute("user.lunar.test", "other", true);
  EXPECT_EQ(again.error().code, ErrorCode::already_exists);
  EXPECT_EQ((*file)->attribute("user.lunar.test").value(), "value");
}

TEST_P(UringFileTest, NamesWhatCannotBeOpened) {
  const FileOptions plain{.direct = direct()};
  const auto missing = io_.open(path("none"), plain);
  EXPECT_EQ(missing.error().code, ErrorCode::not_found);
  EXPECT_NE(missing.error().message.find("none"), std::string::npos);
  EXPECT_EQ(io_.open(directory_, plain).error().code, ErrorCode::invalid_argument);
  EXPECT_EQ(io_.open("/dev/null", plain).error().code, ErrorCode::invalid_argument);
  EXPECT_FALSE(io_.open(path("no/where"), {.direct = direct(), .create = true}));
}

INSTANTIATE_TEST_SUITE_P(Cache, UringFileTest, testing::Bool(), [](const auto& parameter) {
  return parameter.param ? "Direct" : "Buffered";
});

// procfs never supports O_DIRECT.
TEST(UringFile, RefusedDirectIsUnsupported) {
  const auto file = UringFileIo().open("/proc/self/status", {.writable = false, .direct = true});
  ASSERT_FALSE(file);
  EXPECT_EQ(file.error().code, ErrorCode::unsupported);
  EXPECT_NE(file.error().message.find("O_DIRECT"), std::string::npos);
}

}  // namespace
}  // namespace lunar::engine
