// A disk in memory for tests: it lends its memory and opens write windows as the real RAM disk
// does, and holds requests back when told to.
#pragma once

#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "engine/shard.h"
#include "lunar/block/device.h"

namespace lunar::iscsi::testing {

class MemoryDevice final : public block::Device {
 public:
  // `direct`: lends its memory, as RAM does; else data goes through buffers, as with a file.
  MemoryDevice(const std::string& name, std::uint64_t blocks, bool direct)
      : Device(name, Uuid::from_name(name)), medium(blocks * kBlock) {
    limits_.capacity = BlockCount(blocks);
    limits_.max_atomic = BlockCount(block::kMaxTransferBytes / kBlock);
    capabilities_.fua = capabilities_.unmap = capabilities_.unmap_reads_zeroes = true;
    capabilities_.write_zeroes = true;
    capabilities_.lend = capabilities_.write_window = direct;
    capabilities_.takes_writes_at_once = direct;
  }
  static constexpr std::uint32_t kBlock = 512;

  [[nodiscard]] const char* kind() const override { return "memory"; }
  [[nodiscard]] const block::Limits& limits() const override { return limits_; }
  [[nodiscard]] const block::Capabilities& capabilities() const override { return capabilities_; }
  Result<std::unique_ptr<block::Channel>> open_channel(engine::Shard&) override {
    return std::make_unique<MemoryChannel>(*this);
  }

  // Completes what `hold` has kept back.
  void release() {
    hold = false;
    engine::Shard* bound = engine::Shard::current();
    for (block::Request* request : std::exchange(held, {})) {
      engine::Shard::bind(request->shard);
      request->complete(perform(*request));
    }
    engine::Shard::bind(bound);
  }

  std::vector<std::byte> medium;
  bool hold = false;
  bool deaf = false;  // held requests cannot be aborted either
  std::vector<block::Request*> held;

 private:
  class MemoryChannel final : public block::Channel {
   public:
    explicit MemoryChannel(MemoryDevice& device) : device_(device) {}
    void submit(block::Request& request) override {
      if (device_.hold) {
        device_.held.push_back(&request);
      } else {
        request.complete(device_.perform(request));
      }
    }
    void abort(block::Request& request) override {
      if (!device_.deaf && std::erase(device_.held, &request) != 0)
        request.complete(block::Status::aborted);
    }
    std::span<std::byte> write_window(Lba lba, BlockCount count) override {
      return {device_.medium.data() + lba.value * kBlock, count.value * kBlock};
    }

   private:
    MemoryDevice& device_;
  };

  block::Status perform(block::Request& request) {
    std::byte* at = medium.data() + request.lba.value * kBlock;
    const std::size_t length = request.count.value * kBlock;
    switch (request.op) {
      case block::Op::read:
        if ((request.flags & block::kLend) != 0) {
          request.set_buffer(at, length);
          return block::Status::ok;
        }
        for (const iovec& piece : request.buffers()) {
          std::memcpy(piece.iov_base, at, piece.iov_len);
          at += piece.iov_len;
        }
        return block::Status::ok;
      case block::Op::write:
        for (const iovec& piece : request.buffers()) {
          if (piece.iov_base != at) std::memcpy(at, piece.iov_base, piece.iov_len);
          at += piece.iov_len;
        }
        return block::Status::ok;
      case block::Op::flush: return block::Status::ok;
      case block::Op::unmap:
      case block::Op::write_zeroes: std::memset(at, 0, length); return block::Status::ok;
      case block::Op::write_same:
      case block::Op::compare: break;
    }
    return block::Status::unsupported;
  }

  block::Limits limits_;
  block::Capabilities capabilities_;
};

}  // namespace lunar::iscsi::testing
