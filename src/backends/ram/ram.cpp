#include "backends/ram/ram.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "backends/ram/sparse_memory.h"
#include "base/medium_access.h"
#include "base/size.h"

namespace lunar::backends {
namespace {

// What one unmap or write_zeroes frees at once: well under a millisecond of the shard's time.
constexpr std::uint64_t kMaxDiscardBytes = 4 * kMiB;

Result<void> check_size(std::uint64_t bytes, std::uint32_t block_size) {
  if (bytes != 0 && bytes % block_size == 0 && bytes <= kMaxRamBytes) return {};
  return fail(ErrorCode::invalid_argument,
              fmt::format("ram: a size of {} bytes is no multiple of {} between one block and {}",
                          bytes, block_size, format_size(kMaxRamBytes)));
}

class RamChannel final : public block::Channel {
 public:
  RamChannel(SparseMemory& memory, std::uint32_t block_size)
      : memory_(memory), block_size_(block_size) {}

  void submit(block::Request& request) override { request.complete(perform(request)); }

  std::span<std::byte> write_window(Lba lba, BlockCount count) override {
    // Marked already now: the data may come piece by piece, or only in part.
    memory_.mark(bytes(lba.value), bytes(count.value));
    return {memory_.at(bytes(lba.value)), bytes(count.value)};
  }

 private:
  [[nodiscard]] std::uint64_t bytes(std::uint64_t blocks) const { return blocks * block_size_; }

  block::Status perform(block::Request& request) {
    const std::uint64_t offset = bytes(request.lba.value);
    const std::uint64_t length = bytes(request.count.value);
    switch (request.op) {
      case block::Op::read: read(request, offset, length); return block::Status::ok;
      case block::Op::write: write(request, offset, length); return block::Status::ok;
      case block::Op::unmap: memory_.discard(offset, length); return block::Status::ok;
      case block::Op::write_zeroes:
        memory_.discard(offset, length);
        if ((request.flags & block::kMayUnmap) == 0) memory_.mark(offset, length);
        return block::Status::ok;
      case block::Op::flush: return block::Status::ok;
      case block::Op::write_same:
      case block::Op::compare: return block::Status::unsupported;
    }
    return block::Status::unsupported;
  }

  void read(block::Request& request, std::uint64_t offset, std::uint64_t length) {
    const std::byte* from = memory_.at(offset);
    if ((request.flags & block::kLend) != 0) {
      request.set_buffer(memory_.at(offset), length);
      return;
    }
    for (const iovec& piece : request.buffers()) {
      // memmove: the submitter may pass memory that it was lent.
      copy_medium(static_cast<std::byte*>(piece.iov_base), from, piece.iov_len);
      from += piece.iov_len;
    }
  }
  void write(block::Request& request, std::uint64_t offset, std::uint64_t length) {
    std::byte* to = memory_.at(offset);
    for (const iovec& piece : request.buffers()) {
      // The very memory: received through a write window.
      if (piece.iov_base != to)
        copy_medium(to, static_cast<const std::byte*>(piece.iov_base), piece.iov_len);
      to += piece.iov_len;
    }
    memory_.mark(offset, length);
  }

  SparseMemory& memory_;
  const std::uint32_t block_size_;
};

class RamDevice final : public block::Device {
 public:
  // `area`: for protection information, or null.
  RamDevice(const RamOptions& options, SparseMemory memory, std::unique_ptr<block::Device> area)
      : Device(options.name, options.uuid),
        memory_(std::move(memory)),
        protection_area_(std::move(area)),
        protection_type_(options.protection) {
    limits_.block_size = options.block_size;
    limits_.physical_block_size = options.block_size;  // no write has to read first
    limits_.capacity = BlockCount(options.size.value / options.block_size);
    limits_.max_unmap = BlockCount(kMaxDiscardBytes / options.block_size);
    limits_.unmap_granularity = BlockCount(SparseMemory::kPageBytes / options.block_size);
    // A power loss takes all of it, never a part.
    limits_.max_atomic = BlockCount(block::kMaxTransferBytes / options.block_size);
    // A completed write is as durable as it will ever be: there is nothing to flush.
    capabilities_ = {.writable = true,
                     .volatile_cache = false,
                     .fua = true,
                     .unmap = true,
                     .unmap_reads_zeroes = true,
                     .write_zeroes = true,
                     .lend = true,
                     .write_window = true,
                     .takes_writes_at_once = true,
                     .keeps_uuid = options.keeps_uuid};
  }

  [[nodiscard]] const char* kind() const override { return "ram"; }
  [[nodiscard]] const block::Limits& limits() const override { return limits_; }
  [[nodiscard]] const block::Capabilities& capabilities() const override { return capabilities_; }

  [[nodiscard]] block::ProtectionRoom protection_room() override {
    return {protection_area_.get(), protection_type_};
  }

  Result<std::unique_ptr<block::Channel>> open_channel(engine::Shard&) override {
    return std::make_unique<RamChannel>(memory_, limits_.block_size);
  }

  Result<BlockCount> resize(std::optional<ByteCount> size) override {
    if (!size) return limits_.capacity;
    if (protection_area_ != nullptr) {
      return fail(ErrorCode::unsupported, "ram: a disk with protection information keeps its size");
    }
    LUNAR_TRY(check_size(size->value, limits_.block_size));
    if (size->value > memory_.reserved()) {
      return fail(ErrorCode::no_resource,
                  fmt::format("ram: a disk that was made with less grows to {} at most",
                              format_size(memory_.reserved())));
    }
    memory_.resize(size->value);
    limits_.capacity = BlockCount(size->value / limits_.block_size);
    return limits_.capacity;
  }

  [[nodiscard]] Result<block::Extent> extent_at(Lba lba, BlockCount count) const override {
    const std::uint64_t block_size = limits_.block_size;
    const auto run = memory_.run_at(lba.value * block_size, count.value * block_size);
    return block::Extent{lba, BlockCount(run.length / block_size), run.allocated};
  }

 private:
  SparseMemory memory_;
  std::unique_ptr<block::Device> protection_area_;
  std::uint8_t protection_type_;
  block::Limits limits_;
  block::Capabilities capabilities_;
};

Pages pages_of(const RamOptions& options) {
  switch (options.pages) {
    case RamPages::small: return Pages::small;
    case RamPages::huge: return Pages::huge;
    case RamPages::automatic: break;
  }
  const auto memory = static_cast<std::uint64_t>(sysconf(_SC_PHYS_PAGES)) *
                      static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
  return options.size.value <= memory / kHugeShare ? Pages::huge : Pages::small;
}

Result<std::unique_ptr<block::Device>> create_protection_area(const RamOptions& options) {
  constexpr std::uint8_t kLastType = 3;
  if (options.protection == 0) return nullptr;
  if (options.protection > kLastType) {
    return fail(ErrorCode::invalid_argument,
                fmt::format("ram: a protection type of {} is not 1, 2 or 3", options.protection));
  }
  return create_ram(
      {.name = options.name + ".protection",
       .size = block::protection_area_size(BlockCount(options.size.value / options.block_size)),
       .block_size = block::kProtectionAreaBlockBytes,
       .keeps_uuid = options.keeps_uuid,
       .pages = options.pages});
}

}  // namespace

Result<std::unique_ptr<block::Device>> create_ram(const RamOptions& options) {
  if (options.block_size != 512 && options.block_size != 4096) {
    return fail(ErrorCode::invalid_argument,
                fmt::format("ram: a block size of {} is neither 512 nor 4096", options.block_size));
  }
  LUNAR_TRY(check_size(options.size.value, options.block_size));
  const std::uint64_t room = std::min(options.size.value * kRamGrowth, kMaxRamBytes);
  auto memory = SparseMemory::create(options.size.value, room, pages_of(options));
  if (!memory) return wrap(memory.error(), "ram");
  LUNAR_TRY_ASSIGN(std::unique_ptr<block::Device> area, create_protection_area(options));
  return std::make_unique<RamDevice>(options, std::move(*memory), std::move(area));
}

}  // namespace lunar::backends
