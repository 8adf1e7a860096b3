// The seam for files and block devices.
#pragma once

#include <sys/uio.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "engine/medium_name.h"
#include "lunar/result.h"
#include "lunar/runnable.h"

namespace lunar::engine {

// What a File does for a FileOp.
enum class FileOpKind : std::uint8_t {
  read,         // iov from offset
  write,        // iov to offset
  write_dsync,  // as write, durable when complete (RWF_DSYNC)
  sync_data,    // fdatasync
  deallocate,   // [offset, offset + length): no storage, reads as zeroes (PUNCH_HOLE or BLKDISCARD)
  zero,  // [offset, offset + length): reads as zeroes, storage kept (ZERO_RANGE or BLKZEROOUT)
};

// Owned by the submitter, alive until `done`, which is called on the shard's loop and never inside
// submit().
struct FileOp : Runnable {
  using Done = void (*)(FileOp&) noexcept;

  FileOpKind kind = FileOpKind::read;
  iovec* iov = nullptr;
  std::uint32_t iov_count = 0;
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
  std::int64_t result = 0;  // bytes transferred (perhaps fewer than asked), or 0; negative: -errno
  Done done = nullptr;
};

struct FileOptions {
  bool writable = true;
  bool direct =
      true;  // O_DIRECT; open fails with ErrorCode::unsupported where the file system refuses it
  // When missing: with `size` bytes, of which the first are `begin`, and durably so. Whoever finds
  // it finds all of that.
  bool create = false;
  std::uint64_t size = 0;
  std::string_view begin{};
};

// What the medium turned out to be.
struct FileInfo {
  std::uint64_t size = 0;
  bool block_device = false;
  bool created = false;  // by this opening
  std::string name{};    // of the medium: medium_name(); empty: it has none, as a regular file
  MediumSigns signs{};   // what else tells it from others
  std::uint32_t logical_block_size = 512;  // smallest unit of direct transfer
  std::uint32_t physical_block_size = 512;
  std::uint32_t memory_alignment = 512;   // of buffers, when direct
  std::uint32_t discard_granularity = 0;  // bytes; 0: not known
  bool rotational = false;
};

// A run of bytes with or without storage.
struct FileExtent {
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
  bool allocated = true;
};

// One file, open once a process and shared by all its shards: every method but the destructor is
// thread-safe, and an op completes on the shard that submitted it.
class File {
 public:
  virtual ~File() = default;
  [[nodiscard]] virtual const FileInfo& info() const = 0;
  // Blocking: makes a regular file `bytes` large (0: as it is), or looks how large a block device
  // has become. Gives its size, which info() tells from then on; one call at a time, while nobody
  // asks info(). unsupported: a block device of another size.
  virtual Result<std::uint64_t> resize(std::uint64_t bytes) = 0;
  // At once, on any thread: how large a regular file is, which anybody may have changed. Unset: a
  // block device, or the kernel cannot tell without asking somebody else.
  [[nodiscard]] virtual std::optional<std::uint64_t> size_now() const = 0;
  // On a shard's thread.
  virtual void submit(Shard& shard, FileOp& op) = 0;
  // Blocking. SEEK_DATA and SEEK_HOLE.
  [[nodiscard]] virtual Result<FileExtent> extent_at(std::uint64_t offset,
                                                     std::uint64_t length) const = 0;
  // A small value kept with the file (an extended attribute), also with one that is open for
  // reading only. attribute(): not_found: it has none; unsupported: nor can it. set_attribute():
  // unsupported, permission; with `only_new`: already_exists.
  [[nodiscard]] virtual Result<std::string> attribute(const std::string& name) const = 0;
  virtual Result<void> set_attribute(const std::string& name, const std::string& value,
                                     bool only_new = false) = 0;
};

class FileIo {
 public:
  virtual ~FileIo() = default;
  // Blocking; before the shards run, or off them. Locks the file: for writing exclusively, for
  // reading shared; ErrorCode::busy when another process or File holds it and does not let go for
  // kRestartPatience (a killed process does, once the kernel has ended its I/O).
  virtual Result<std::unique_ptr<File>> open(const std::string& path,
                                             const FileOptions& options) = 0;
};

}  // namespace lunar::engine
