// The file backend's I/O: a Request becomes one FileOp, or more when the kernel transfers less.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>

#include "block/iov.h"
#include "engine/file_io.h"
#include "engine/shard.h"
#include "lunar/block/device.h"

namespace lunar::backends {

// What the kernel has refused for this file; then it is not asked again. Set by any shard, never
// reset.
struct FileRefusals {
  std::atomic<bool> deallocate{false};
  std::atomic<bool> zero{false};
};

// What a failed operation (-errno) means for `op`.
[[nodiscard]] block::Status status_of_error(std::int64_t negative_errno, block::Op op);

class FileChannel final : public block::Channel {
 public:
  FileChannel(engine::File& file, engine::Shard& shard, FileRefusals& refusals,
              std::uint32_t block_size)
      : file_(file), shard_(shard), refusals_(refusals), block_size_(block_size) {}

  void submit(block::Request& request) override;

 private:
  // One request in flight. Pooled.
  struct Transfer : engine::FileOp {
    FileChannel* channel = nullptr;
    block::Request* request = nullptr;
    std::uint64_t transferred = 0;
    std::optional<block::IovWindow> rest;  // after a short transfer
    Transfer* next_free = nullptr;
  };

  Transfer& take();
  void give_back(Transfer& transfer);
  // The operation that does the request, unless the kernel has refused what it needs.
  [[nodiscard]] std::optional<engine::FileOpKind> kind_for(const block::Request& request) const;
  void start(Transfer& transfer);
  void continue_rest(Transfer& transfer);
  void finish(Transfer& transfer, block::Status status);
  void moved(Transfer& transfer);
  void cleared(Transfer& transfer);
  static void done(engine::FileOp& op) noexcept;

  engine::File& file_;
  engine::Shard& shard_;
  FileRefusals& refusals_;
  const std::uint64_t block_size_;
  std::deque<Transfer>
      transfers_;  // all of them, at stable addresses; as many as were ever in flight
  Transfer* free_ = nullptr;
};

}  // namespace lunar::backends
