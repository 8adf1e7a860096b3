#include "backends/null/null.h"

#include <fmt/format.h>

#include <cstring>

#include "block/zero_area.h"

namespace lunar::backends {
namespace {

class NullChannel final : public block::Channel {
 public:
  explicit NullChannel(std::uint32_t block_size) : block_size_(block_size) {}

  void submit(block::Request& request) override { request.complete(perform(request)); }

 private:
  block::Status perform(block::Request& request) const {
    switch (request.op) {
      case block::Op::read: return read(request);
      case block::Op::write:
      case block::Op::flush:
      case block::Op::unmap:
      case block::Op::write_zeroes: return block::Status::ok;
      case block::Op::write_same:
      case block::Op::compare: return block::Status::unsupported;
    }
    return block::Status::unsupported;
  }
  block::Status read(block::Request& request) const {
    if ((request.flags & block::kLend) == 0) {
      for (const iovec& piece : request.buffers()) std::memset(piece.iov_base, 0, piece.iov_len);
      return block::Status::ok;
    }
    const Bytes zeroes = block::zero_area();
    const std::uint64_t length = request.count.value * block_size_;
    if (length > zeroes.size()) return block::Status::out_of_range;  // above kMaxTransferBytes
    request.set_buffer(const_cast<std::byte*>(zeroes.data()), length);
    return block::Status::ok;
  }

  const std::uint32_t block_size_;
};

class NullDevice final : public block::Device {
 public:
  explicit NullDevice(const NullOptions& options) : Device(options.name, options.uuid) {
    limits_.block_size = options.block_size;
    limits_.physical_block_size = options.block_size;
    limits_.capacity = BlockCount(options.size.value / options.block_size);
    limits_.max_atomic = BlockCount(block::kMaxTransferBytes / options.block_size);
    capabilities_ = {.writable = true,
                     .volatile_cache = false,
                     .fua = true,
                     .unmap = true,
                     .unmap_reads_zeroes = true,
                     .write_zeroes = true,
                     .lend = true,
                     .write_window = false,
                     .takes_writes_at_once = true,
                     .keeps_uuid = options.keeps_uuid};
  }

  [[nodiscard]] const char* kind() const override { return "null"; }
  [[nodiscard]] const block::Limits& limits() const override { return limits_; }
  [[nodiscard]] const block::Capabilities& capabilities() const override { return capabilities_; }
  Result<std::unique_ptr<block::Channel>> open_channel(engine::Shard&) override {
    return std::make_unique<NullChannel>(limits_.block_size);
  }
  [[nodiscard]] Result<block::Extent> extent_at(Lba lba, BlockCount count) const override {
    return block::Extent{lba, count, false};
  }

 private:
  block::Limits limits_;
  block::Capabilities capabilities_;
};

}  // namespace

Result<std::unique_ptr<block::Device>> create_null(const NullOptions& options) {
  if (options.block_size != 512 && options.block_size != 4096) {
    return fail(
        ErrorCode::invalid_argument,
        fmt::format("null: a block size of {} is neither 512 nor 4096", options.block_size));
  }
  if (options.size.value == 0 || options.size.value % options.block_size != 0) {
    return fail(ErrorCode::invalid_argument,
                fmt::format("null: a size of {} bytes is no multiple of {}", options.size.value,
                            options.block_size));
  }
  return std::make_unique<NullDevice>(options);
}

}  // namespace lunar::backends
