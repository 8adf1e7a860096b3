// The file backend's I/O: a Request becomes one FileOp, or more when the kernel transfers less.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>

#include "backends/file/file_medium.h"
#include "block/iov.h"
#include "engine/file_io.h"
#include "engine/shard.h"
#include "lunar/block/device.h"

namespace lunar::backends {

class FileChannel final : public block::Channel {
 public:
  FileChannel(std::shared_ptr<FileMedium> medium, engine::Shard& shard, std::uint32_t block_size)
      : medium_(std::move(medium)),
        file_(*medium_->file),
        shard_(shard),
        condition_(medium_->condition),
        block_size_(block_size),
        buffered_(medium_->buffered) {}

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
  [[nodiscard]] bool is_truncated(const block::Request& request);
  void start(Transfer& transfer);
  void continue_rest(Transfer& transfer);
  void finish(Transfer& transfer, block::Status status);
  void moved(Transfer& transfer);
  void move_failed(Transfer& transfer);
  void cleared(Transfer& transfer);
  void flushed(Transfer& transfer);
  static void done(engine::FileOp& op) noexcept;

  const std::shared_ptr<FileMedium> medium_;
  engine::File& file_;
  engine::Shard& shard_;
  FileCondition& condition_;
  const std::uint64_t block_size_;
  const bool buffered_;
  std::uint64_t looked_ns_ = 0;  // when it last looked whether the file is whole
  bool changed_since_ = false;   // the medium, by a request of this channel
  std::deque<Transfer>
      transfers_;  // all of them, at stable addresses; as many as were ever in flight
  Transfer* free_ = nullptr;
};

}  // namespace lunar::backends
