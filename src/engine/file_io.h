// Interface to files and block devices, so that tests can simulate them.
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

// Operations of a File.
enum class FileOpKind : std::uint8_t {
  read,         // iov from offset
  write,        // iov to offset
  write_dsync,  // as write, durable when complete (RWF_DSYNC)
  sync_data,    // fdatasync
  deallocate,   // [offset, offset + length): no storage, reads as zeroes (PUNCH_HOLE or BLKDISCARD)
  zero,  // [offset, offset + length): reads as zeroes, storage kept (ZERO_RANGE or BLKZEROOUT)
};

// One operation. The submitter owns it and keeps it alive until `done`, which is called from the
// shard's loop, never inside submit().
struct FileOp : Runnable {
  using Done = void (*)(FileOp&) noexcept;

  FileOpKind kind = FileOpKind::read;
  iovec* iov = nullptr;
  std::uint32_t iov_count = 0;
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
  std::int64_t result = 0;  // bytes transferred (may be fewer than requested), or 0; or -errno
  Done done = nullptr;
};

struct FileOptions {
  bool writable = true;
  bool direct = true;  // O_DIRECT; open() fails with `unsupported` if the file system refuses it
  // Creates a missing file of `size` bytes that starts with `begin`. Durable and atomic: the file
  // exists with all of that or not at all.
  bool create = false;
  std::uint64_t size = 0;
  std::string_view begin{};
};

// Properties of an open file or block device.
struct FileInfo {
  std::uint64_t size = 0;
  bool block_device = false;
  bool created = false;  // by this open()
  std::string name{};   // name of the medium, see medium_name(); empty: none, as for a regular file
  MediumSigns signs{};  // other signs of the medium's identity
  std::uint32_t logical_block_size = 512;  // smallest unit of direct transfer
  std::uint32_t physical_block_size = 512;
  std::uint32_t memory_alignment = 512;   // required of buffers, if opened with O_DIRECT
  std::uint32_t discard_granularity = 0;  // bytes; 0: unknown
  bool rotational = false;
};

// A range of bytes that all have storage, or all have none.
struct FileExtent {
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
  bool allocated = true;
};

// An open file. Opened once per process and shared by all shards. All methods are thread-safe,
// except the destructor. An operation completes on the shard that submitted it.
class File {
 public:
  virtual ~File() = default;
  [[nodiscard]] virtual const FileInfo& info() const = 0;
  // Blocking. Regular file: sets its size to `bytes` (0: keeps it). Block device: reads its current
  // size again. Returns the size; info() gives it from then on. One call at a time, and no info()
  // meanwhile. unsupported: a block device has another size than `bytes`.
  virtual Result<std::uint64_t> resize(std::uint64_t bytes) = 0;
  // Non-blocking, any thread: current size of a regular file, which others may have changed. Unset:
  // a block device, or the kernel would have to ask a server.
  [[nodiscard]] virtual std::optional<std::uint64_t> size_now() const = 0;
  // Called on the thread of `shard`.
  virtual void submit(Shard& shard, FileOp& op) = 0;
  // Blocking. SEEK_DATA and SEEK_HOLE.
  [[nodiscard]] virtual Result<FileExtent> extent_at(std::uint64_t offset,
                                                     std::uint64_t length) const = 0;
  // A small value stored with the file (an extended attribute); works on files opened read-only,
  // too. attribute(): not_found: no such attribute; unsupported: no attributes here.
  // set_attribute(): unsupported, permission; already_exists: only with `only_new`.
  [[nodiscard]] virtual Result<std::string> attribute(const std::string& name) const = 0;
  virtual Result<void> set_attribute(const std::string& name, const std::string& value,
                                     bool only_new = false) = 0;
};

class FileIo {
 public:
  virtual ~FileIo() = default;
  // Blocking; called before the shards run, or off them. Locks the file: exclusively for writing,
  // shared for reading. busy: another process or File has held it for kRestartPatience. (A killed
  // process releases it when the kernel has ended its I/O.)
  virtual Result<std::unique_ptr<File>> open(const std::string& path,
                                             const FileOptions& options) = 0;
};

}  // namespace lunar::engine
