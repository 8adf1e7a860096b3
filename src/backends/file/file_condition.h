// What has become of a file disk's medium since it was opened, known to all of its channels.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "engine/file_io.h"
#include "lunar/block/request.h"
#include "lunar/block/status.h"

namespace lunar::backends {

// What a failed operation (-errno) means for `op`.
[[nodiscard]] block::Status status_of_error(std::int64_t negative_errno, block::Op op);

// Threading: any shard, at any time, but for set_size(). Each thing is told once in the log.
class FileCondition {
 public:
  // `bytes`: of the disk, which the file has at least.
  FileCondition(const engine::File& file, std::string path, std::uint64_t bytes)
      : file_(file), path_(std::move(path)), bytes_(bytes) {}

  // ---- What the kernel has refused to do for this file; it is not asked again.

  [[nodiscard]] bool refuses_to_deallocate() const { return is_set(refuses_to_deallocate_); }
  [[nodiscard]] bool refuses_to_zero() const { return is_set(refuses_to_zero_); }
  void refuses(engine::FileOpKind kind, std::int64_t negative_errno);

  // ---- The kernel tells once that it could not write back what it had taken, and calls the next
  // flush a success. Those data are lost all the same.

  void lost_writes(std::int64_t negative_errno);
  // ok, or that of each flush until the medium is opened again.
  [[nodiscard]] block::Status flush_status() const {
    return flush_status_.load(std::memory_order_relaxed);
  }

  // ---- A file that somebody else has truncated. Where it ended, the next write beyond puts
  // zeroes, so the disk is lost as a whole: every request fails until it is opened or resized.

  [[nodiscard]] bool is_truncated() const { return is_set(truncated_); }
  // Looks, by a system call.
  bool look();
  // Off the shards: the disk has been given this size, or is about to get this smaller one.
  void set_size(std::uint64_t bytes) { bytes_.store(bytes, std::memory_order_relaxed); }
  void forget_truncation() { truncated_.store(false, std::memory_order_relaxed); }

 private:
  static bool is_set(const std::atomic<bool>& flag) { return flag.load(std::memory_order_relaxed); }

  const engine::File& file_;
  const std::string path_;
  std::atomic<std::uint64_t> bytes_;
  std::atomic<bool> refuses_to_deallocate_{false};
  std::atomic<bool> refuses_to_zero_{false};
  std::atomic<bool> truncated_{false};
  std::atomic<block::Status> flush_status_{block::Status::ok};
};

}  // namespace lunar::backends
