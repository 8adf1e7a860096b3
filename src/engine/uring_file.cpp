#include "engine/uring_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <thread>

#include "base/bytes.h"
#include "engine/descriptor.h"
#include "engine/shard.h"
#include "engine/uring_driver.h"

namespace lunar::engine {
namespace {

constexpr std::size_t kMaxAttributeBytes = 256;

ErrorCode code_of(int error) {
  switch (error) {
    case ENOENT:
    case ENOTDIR:
    case ENXIO: return ErrorCode::not_found;
    case EACCES:
    case EPERM:
    case EROFS: return ErrorCode::permission;
    case EBUSY:
    case EWOULDBLOCK: return ErrorCode::busy;
    case ENOSPC:
    case EDQUOT:
    case EFBIG: return ErrorCode::no_resource;
    case ENOTSUP: return ErrorCode::unsupported;
    case ENODATA: return ErrorCode::not_found;
    case EEXIST: return ErrorCode::already_exists;
    default: return ErrorCode::io;
  }
}

std::unexpected<Error> os_error(std::string_view what, const std::string& path, int error) {
  return fail(code_of(error), fmt::format("cannot {} {}: {}", what, path, std::strerror(error)));
}

// Repeats a call that a signal interrupted.
template <class Call>
auto until_done(Call call) {
  for (;;) {
    const auto result = call();
    if (result != -1 || errno != EINTR) return result;
  }
}

// A number in the queue folder of a block device in sysfs. 0: there is none.
std::uint64_t queue_attribute(dev_t device, const char* name) {
  // A partition has no queue folder; its parent has one.
  for (const char* level : {"", "/.."}) {
    std::ifstream file(
        fmt::format("/sys/dev/block/{}:{}{}/queue/{}", major(device), minor(device), level, name));
    std::uint64_t value = 0;
    if (file >> value) return value;
  }
  return 0;
}

Result<void> give_size(int fd, std::uint64_t bytes, const std::string& path) {
  if (until_done([&] { return ftruncate(fd, static_cast<off_t>(bytes)); }) == 0) return {};
  return os_error("give its size to", path, errno);
}

// An operation in the ring. Comes from a free list of the thread: no allocation in steady state.
struct Submission : RingOp {
  FileOp* op = nullptr;
  Submission* next_free = nullptr;
};

class SubmissionPool {
 public:
  SubmissionPool() = default;
  SubmissionPool(const SubmissionPool&) = delete;
  SubmissionPool& operator=(const SubmissionPool&) = delete;
  ~SubmissionPool() {
    while (free_ != nullptr) delete std::exchange(free_, free_->next_free);
  }
  Submission& take() {
    if (free_ == nullptr) return *new Submission;
    --free_count_;
    return *std::exchange(free_, free_->next_free);
  }
  void give_back(Submission& submission) {
    if (free_count_ == kMaxFree) [[unlikely]] {
      delete &submission;  // left over from a peak
      return;
    }
    ++free_count_;
    submission.next_free = free_;
    free_ = &submission;
  }

 private:
  static constexpr std::size_t kMaxFree = 1024;
  Submission* free_ = nullptr;
  std::size_t free_count_ = 0;
};

thread_local SubmissionPool submissions;

class UringFile final : public File {
 public:
  UringFile(Descriptor descriptor, const FileInfo& info, std::string path, bool direct)
      : descriptor_(std::move(descriptor)), info_(info), path_(std::move(path)), direct_(direct) {}

  [[nodiscard]] const FileInfo& info() const override { return info_; }

  Result<std::uint64_t> resize(std::uint64_t bytes) override {
    const int fd = descriptor_.get();
    std::uint64_t size = 0;
    if (info_.block_device) {
      if (ioctl(fd, BLKGETSIZE64, &size) != 0) return os_error("look at", path_, errno);
      if (bytes != 0 && bytes != size) {
        return fail(ErrorCode::unsupported,
                    fmt::format("{} is a block device of {} bytes: its size is set elsewhere",
                                path_, size));
      }
    } else {
      if (bytes != 0) LUNAR_TRY(give_size(fd, bytes, path_));
      struct stat status = {};
      if (fstat(fd, &status) != 0) return os_error("look at", path_, errno);
      size = static_cast<std::uint64_t>(status.st_size);
    }
    info_.size = size;
    return size;
  }

  [[nodiscard]] std::optional<std::uint64_t> size_now() const override {
    if (info_.block_device) return std::nullopt;
    // Called on a shard, so it must not wait for anybody, such as the server of a network file
    // system.
    struct statx now{};
    if (statx(descriptor_.get(), "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_SIZE, &now) != 0 ||
        (now.stx_mask & STATX_SIZE) == 0) {
      return std::nullopt;
    }
    return now.stx_size;
  }

  void submit(Shard& shard, FileOp& op) override {
    auto& driver = static_cast<UringDriver&>(shard.driver());
    Submission& submission = submissions.take();
    submission.op = &op;
    submission.complete = [](RingOp& ring_op, std::int32_t result, std::uint32_t) noexcept {
      auto& self = static_cast<Submission&>(ring_op);
      FileOp& done = *self.op;
      submissions.give_back(self);
      done.result = result;
      done.run = [](Runnable& runnable) noexcept {
        auto& file_op = static_cast<FileOp&>(runnable);
        file_op.done(file_op);
      };
      Shard::current()->enqueue(done);
    };
    io_uring_sqe* entry = driver.sqe();
    prepare(entry, op, is_pinned(shard, driver, op));
    UringDriver::own(entry, submission);
  }

  [[nodiscard]] Result<FileExtent> extent_at(std::uint64_t offset,
                                             std::uint64_t length) const override {
    if (info_.block_device) return FileExtent{offset, length, true};
    const off_t data = lseek(descriptor_.get(), static_cast<off_t>(offset), SEEK_DATA);
    if (data < 0 && errno == ENXIO)
      return FileExtent{offset, length, false};  // a hole up to the end
    if (data < 0) return os_error("find the allocated parts of", path_, errno);
    if (const auto start = static_cast<std::uint64_t>(data); start > offset) {
      return FileExtent{offset, std::min(length, start - offset), false};
    }
    const off_t hole = lseek(descriptor_.get(), static_cast<off_t>(offset), SEEK_HOLE);
    if (hole < 0) return os_error("find the allocated parts of", path_, errno);
    return FileExtent{offset, std::min(length, static_cast<std::uint64_t>(hole) - offset), true};
  }

  [[nodiscard]] Result<std::string> attribute(const std::string& name) const override {
    std::array<char, kMaxAttributeBytes> value{};
    const ssize_t size = fgetxattr(descriptor_.get(), name.c_str(), value.data(), value.size());
    if (size < 0) return os_error("read an extended attribute of", path_, errno);
    return std::string(value.data(), static_cast<std::size_t>(size));
  }
  Result<void> set_attribute(const std::string& name, const std::string& value,
                             bool only_new) override {
    if (fsetxattr(descriptor_.get(), name.c_str(), value.data(), value.size(),
                  only_new ? XATTR_CREATE : 0) != 0) {
      return os_error("write an extended attribute of", path_, errno);
    }
    return {};
  }

 private:
  // Direct I/O only: otherwise the kernel copies, and pinning saves nothing.
  [[nodiscard]] bool is_pinned(Shard& shard, UringDriver& driver, const FileOp& op) const {
    const bool moves = op.kind == FileOpKind::read || op.kind == FileOpKind::write;
    return direct_ && moves && op.iov_count == 1 &&
           driver.is_pinned(shard.buffers(),
                            {static_cast<const std::byte*>(op.iov->iov_base), op.iov->iov_len});
  }

  void prepare(io_uring_sqe* entry, const FileOp& op, bool pinned) const {
    const int fd = descriptor_.get();
    switch (op.kind) {
      case FileOpKind::read:
        if (pinned) {
          io_uring_prep_read_fixed(entry, fd, op.iov->iov_base,
                                   static_cast<unsigned>(op.iov->iov_len), op.offset,
                                   UringDriver::kPinnedIndex);
        } else if (op.iov_count == 1) {
          io_uring_prep_read(entry, fd, op.iov->iov_base, static_cast<unsigned>(op.iov->iov_len),
                             op.offset);
        } else {
          io_uring_prep_readv(entry, fd, op.iov, op.iov_count, op.offset);
        }
        return;
      case FileOpKind::write:
        if (pinned) {
          io_uring_prep_write_fixed(entry, fd, op.iov->iov_base,
                                    static_cast<unsigned>(op.iov->iov_len), op.offset,
                                    UringDriver::kPinnedIndex);
        } else if (op.iov_count == 1) {
          io_uring_prep_write(entry, fd, op.iov->iov_base, static_cast<unsigned>(op.iov->iov_len),
                              op.offset);
        } else {
          io_uring_prep_writev(entry, fd, op.iov, op.iov_count, op.offset);
        }
        return;
      case FileOpKind::write_dsync:
        io_uring_prep_writev2(entry, fd, op.iov, op.iov_count, op.offset, RWF_DSYNC);
        return;
      case FileOpKind::sync_data: io_uring_prep_fsync(entry, fd, IORING_FSYNC_DATASYNC); return;
      // On a block device the kernel turns both into commands that guarantee zeroes, or refuses.
      case FileOpKind::deallocate:
        io_uring_prep_fallocate(entry, fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                                static_cast<off_t>(op.offset), static_cast<off_t>(op.length));
        return;
      case FileOpKind::zero:
        io_uring_prep_fallocate(entry, fd, FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE,
                                static_cast<off_t>(op.offset), static_cast<off_t>(op.length));
        return;
    }
  }

  Descriptor descriptor_;
  FileInfo info_;
  std::string path_;
  bool direct_;
};

using Deadline = std::chrono::steady_clock::time_point;

// open() with patience: O_EXCL locks a block device, so it is retried like flock().
int open_patiently(const char* path, int flags, Deadline deadline) {
  for (;;) {
    const int fd = until_done([&] { return ::open(path, flags); });
    if (fd >= 0 || errno != EBUSY || std::chrono::steady_clock::now() >= deadline) return fd;
    std::this_thread::sleep_for(kRestartRetry);
  }
}

Result<Descriptor> open_descriptor(const std::string& path, const FileOptions& options,
                                   bool block_device, Deadline deadline) {
  int flags = O_CLOEXEC | (options.writable ? O_RDWR : O_RDONLY);
  if (options.direct) flags |= O_DIRECT;
  if (block_device && options.writable) flags |= O_EXCL;  // refuses a mounted device
  const int fd = open_patiently(path.c_str(), flags, deadline);
  if (fd < 0 && errno == EINVAL && options.direct) {
    return fail(ErrorCode::unsupported, fmt::format("{} does not take O_DIRECT", path));
  }
  if (fd < 0 && errno == EBUSY) {
    return fail(ErrorCode::busy,
                fmt::format("cannot open {}: it is mounted or used by another program", path));
  }
  if (fd < 0) return os_error("open", path, errno);
  Descriptor descriptor(fd);
  if (!lock_patiently(fd, options.writable ? LOCK_EX : LOCK_SH, deadline)) {
    if (errno != EWOULDBLOCK) return os_error("lock", path, errno);
    return fail(
        ErrorCode::busy,
        fmt::format("cannot open {}: another process has it locked (is it served already?)", path));
  }
  return descriptor;
}

Result<void> write_beginning(int fd, std::string_view begin, const std::string& path) {
  while (!begin.empty()) {
    const ssize_t count = until_done([&] { return write(fd, begin.data(), begin.size()); });
    if (count <= 0) return os_error("write to", path, count < 0 ? errno : EIO);
    begin.remove_prefix(static_cast<std::size_t>(count));
  }
  return {};
}

Result<void> sync(int fd, const std::string& path) {
  if (until_done([&] { return fsync(fd); }) == 0) return {};
  return os_error("sync", path, errno);
}

// Makes the names in the folder durable.
Result<void> sync_folder_of(const std::string& path) {
  const std::filesystem::path folder = std::filesystem::path(path).parent_path();
  const std::string name = folder.empty() ? "." : folder.string();
  const Descriptor descriptor(
      until_done([&] { return open(name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); }));
  if (descriptor.get() < 0) return os_error("open", name, errno);
  return sync(descriptor.get(), name);
}

// Renames without replacing: another process may have created the file meanwhile.
Result<void> rename_new(const std::string& from, const std::string& to) {
  int result = renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE);
  // Some file systems do not support that flag.
  if (result != 0 && errno == EINVAL) result = std::rename(from.c_str(), to.c_str());
  if (result == 0) return {};
  return os_error("make", to, errno);
}

// The file gets its name when it is complete, so a crash or an error leaves no partial file.
Result<void> make_file(const std::string& path, const FileOptions& options) {
  std::string beside = path + ".XXXXXX";
  const Descriptor file(mkostemp(beside.data(), O_CLOEXEC));  // 0600: disks hold private data
  if (file.get() < 0) return os_error("make", path, errno);
  const auto fill = [&]() -> Result<void> {
    LUNAR_TRY(write_beginning(file.get(), options.begin, path));
    LUNAR_TRY(give_size(file.get(), options.size, path));
    LUNAR_TRY(sync(file.get(), path));
    return rename_new(beside, path);
  };
  if (Result<void> filled = fill(); !filled) {
    unlink(beside.c_str());
    return filled;
  }
  if (Result<void> synced = sync_folder_of(path); !synced) {
    unlink(path.c_str());
    return synced;
  }
  return {};
}

Result<FileInfo> describe_block_device(int fd, const struct stat& status, const std::string& path,
                                       const SystemRoots& roots) {
  FileInfo info;
  info.block_device = true;
  int logical = 0;
  unsigned physical = 0;
  if (ioctl(fd, BLKGETSIZE64, &info.size) != 0 || ioctl(fd, BLKSSZGET, &logical) != 0 ||
      ioctl(fd, BLKPBSZGET, &physical) != 0) {
    return os_error("read the geometry of", path, errno);
  }
  info.logical_block_size = static_cast<std::uint32_t>(logical);
  info.physical_block_size = physical;
  info.memory_alignment = info.logical_block_size;
  info.discard_granularity =
      static_cast<std::uint32_t>(queue_attribute(status.st_rdev, "discard_granularity"));
  info.rotational = queue_attribute(status.st_rdev, "rotational") != 0;
  info.name = medium_name(status.st_rdev, roots);
  info.signs = medium_signs(status.st_rdev, roots);
  return info;
}

// The birth time comes first: file systems without stable inode numbers have one.
std::string object_sign(const struct statx& status) {
  if ((status.stx_mask & STATX_BTIME) == 0) return fmt::format("inode {}", status.stx_ino);
  return fmt::format("made {}.{:09}", status.stx_btime.tv_sec, status.stx_btime.tv_nsec);
}

Result<FileInfo> describe_regular_file(int fd, const FileOptions& options,
                                       const std::string& path) {
  FileInfo info;
  struct stat status{};
  if (fstat(fd, &status) != 0) return os_error("look at", path, errno);
  info.size = static_cast<std::uint64_t>(status.st_size);
  info.discard_granularity = static_cast<std::uint32_t>(status.st_blksize);
  info.physical_block_size = std::clamp(static_cast<std::uint32_t>(status.st_blksize), 512U, 4096U);
  struct statx extended{};
  constexpr unsigned kWanted = STATX_INO | STATX_BTIME | STATX_DIOALIGN;
  if (statx(fd, "", AT_EMPTY_PATH, kWanted, &extended) == 0) {
    info.signs.object = object_sign(extended);
    if ((extended.stx_mask & STATX_DIOALIGN) != 0 && extended.stx_dio_offset_align != 0) {
      info.logical_block_size = extended.stx_dio_offset_align;
      info.memory_alignment = extended.stx_dio_mem_align;
    }
  }
  if (!options.direct) info.logical_block_size = info.memory_alignment = 1;
  return info;
}

}  // namespace

Result<std::unique_ptr<File>> UringFileIo::open(const std::string& path,
                                                const FileOptions& options) {
  struct stat status{};
  const bool exists = stat(path.c_str(), &status) == 0;
  const bool block_device = exists && S_ISBLK(status.st_mode);
  if (exists && !block_device && !S_ISREG(status.st_mode)) {
    return fail(ErrorCode::invalid_argument,
                fmt::format("{} is neither a regular file nor a block device", path));
  }
  const bool makes = !exists && options.create && options.writable;
  if (makes) LUNAR_TRY(make_file(path, options));
  const Deadline deadline = std::chrono::steady_clock::now() + patience_;
  LUNAR_TRY_ASSIGN(Descriptor descriptor, open_descriptor(path, options, block_device, deadline));
  LUNAR_TRY_ASSIGN(FileInfo info,
                   block_device ? describe_block_device(descriptor.get(), status, path, roots_)
                                : describe_regular_file(descriptor.get(), options, path));
  info.created = makes;
  return std::make_unique<UringFile>(std::move(descriptor), info, path, options.direct);
}

}  // namespace lunar::engine
