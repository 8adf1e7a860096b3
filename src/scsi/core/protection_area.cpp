#include "scsi/core/protection_area.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <new>
#include <string_view>

#include "base/endian.h"
#include "block/iov.h"
#include "scsi/core/logical_unit.h"
#include "scsi/core/memory.h"
#include "scsi/core/own_request.h"

namespace lunar::scsi {
namespace {

using block::kProtectionAreaBlockBytes;
using block::kProtectionEntriesPerBlock;
using spec::ProtectionInformation;
using spec::ProtectionType;

// As it lies on the medium.
struct StoredFormat {
  std::array<char, 8> magic{};
  std::uint8_t version = 0;
  std::uint8_t made = 0;
  std::uint8_t now = 0;
  std::uint8_t reserved = 0;
  be32 block_bytes;
};
static_assert(sizeof(StoredFormat) == kStoredProtectionFormatBytes);

constexpr std::string_view kMagic = block::kProtectionAreaMark;
static_assert(kMagic.size() == sizeof(StoredFormat::magic));
constexpr std::uint8_t kVersion = 1;
constexpr std::uint8_t kLastType = static_cast<std::uint8_t>(ProtectionType::type_3);

block::Range blocks_of(const block::Range& range) {
  const std::uint64_t first = range.lba.value / kProtectionEntriesPerBlock;
  const std::uint64_t end =
      round_up(range.lba.value + range.count.value, kProtectionEntriesPerBlock) /
      kProtectionEntriesPerBlock;
  return {Lba(block::kProtectionFormatBlocks + first), BlockCount(end - first)};
}

// The mark of a new area, and nothing yet.
bool is_new(Bytes block) {
  const Bytes mark = as_bytes(kMagic);
  return std::ranges::equal(block.first(mark.size()), mark) &&
         block::is_zero(block.subspan(mark.size()));
}

std::unexpected<Error> io_error(block::Status status) {
  return fail(ErrorCode::io,
              fmt::format("its protection information: {}", block::to_string(status)));
}

}  // namespace

std::optional<ProtectionFormat> parse_protection_format(Bytes bytes) {
  const auto stored = load<StoredFormat>(bytes);
  if (!stored || std::string_view(stored->magic.data(), kMagic.size()) != kMagic ||
      stored->version != kVersion || stored->made == 0 || stored->made > kLastType ||
      stored->now > kLastType) {
    return std::nullopt;
  }
  return ProtectionFormat{static_cast<ProtectionType>(stored->made),
                          static_cast<ProtectionType>(stored->now), stored->block_bytes};
}

Result<std::unique_ptr<ProtectionArea>> ProtectionArea::open(block::Device& area,
                                                             engine::Shard& shard,
                                                             block::DeviceStatistics& statistics) {
  LUNAR_TRY_ASSIGN(std::unique_ptr<block::Front> front,
                   block::Front::open(area, shard, statistics));
  try {
    return std::unique_ptr<ProtectionArea>(new ProtectionArea(std::move(front), shard));
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::no_resource, "out of memory for its protection information");
  }
}

engine::Task<Result<ProtectionFormat>> ProtectionArea::load_format(ProtectionType wanted,
                                                                   std::uint32_t block_bytes,
                                                                   bool marked) {
  alignas(kProtectionAreaBlockBytes) std::array<std::byte, kProtectionAreaBlockBytes> block;
  OwnRequest request({});
  request.prepare(block::Op::read, Lba(0), BlockCount(1));
  request.set_buffer(block.data(), block.size());
  const block::Status status = co_await request.submit_to(*front_);
  if (status != block::Status::ok) co_return io_error(status);
  const ProtectionFormat format{wanted, wanted, block_bytes};
  const bool blank = block::is_zero(block);
  if (blank && marked) {
    co_return fail(ErrorCode::malformed,
                   "its protection information has been zeroed: restore it, or remove it to begin "
                   "without");
  }
  if (blank || is_new(block)) {
    if (!front_->capabilities().writable) co_return format;
    const block::Status stored = co_await store_format({}, format);
    if (stored != block::Status::ok) co_return io_error(stored);
    co_return format;
  }
  const std::optional<ProtectionFormat> stored = parse_protection_format(block);
  if (!stored) co_return fail(ErrorCode::malformed, "its protection information is not lunar's");
  if (stored->made != wanted || stored->block_bytes != block_bytes) {
    co_return fail(ErrorCode::invalid_argument,
                   fmt::format("it was made with protection={} and blocks of {} bytes",
                               static_cast<unsigned>(stored->made), stored->block_bytes));
  }
  co_return *stored;
}

engine::Task<block::Status> ProtectionArea::store_format(Behalf behalf,
                                                         const ProtectionFormat& format) {
  StoredFormat stored;
  std::ranges::copy(kMagic, stored.magic.begin());
  stored.version = kVersion;
  stored.made = static_cast<std::uint8_t>(format.made);
  stored.now = static_cast<std::uint8_t>(format.now);
  stored.block_bytes = format.block_bytes;
  alignas(kProtectionAreaBlockBytes) std::array<std::byte, kProtectionAreaBlockBytes> block{};
  std::memcpy(block.data(), &stored, sizeof(stored));
  OwnRequest request(behalf);
  request.prepare(block::Op::write, Lba(0), BlockCount(1), block::kFua);
  request.set_buffer(block.data(), block.size());
  co_return co_await request.submit_to(*front_);
}

engine::Task<block::Status> ProtectionArea::clear(Behalf behalf, block::Range range,
                                                  block::RequestFlags flags) {
  constexpr ProtectionInformation kNothing{std::uint16_t{0xffff}, spec::kNoApplicationTag,
                                           spec::kNoReferenceTag};
  const std::uint64_t end = range.lba.value + range.count.value;
  std::uint64_t at = range.lba.value;
  while (at != end) {
    const std::uint64_t whole_end = end / kProtectionEntriesPerBlock * kProtectionEntriesPerBlock;
    if (at % kProtectionEntriesPerBlock == 0 && at < whole_end) {
      const block::Range blocks = blocks_of({Lba(at), BlockCount(whole_end - at)});
      OwnRequest request(behalf);
      request.prepare(block::Op::write_zeroes, blocks.lba, blocks.count,
                      static_cast<block::RequestFlags>(flags | block::kMayUnmap));
      const block::Status status = co_await request.submit_to(*front_);
      if (status != block::Status::ok) co_return status;
      at = whole_end;
      continue;
    }
    // Some entries of a block.
    const std::uint64_t next = std::min(end, round_up(at + 1, kProtectionEntriesPerBlock));
    auto taking = take_work(behalf, work_, ProtectionEntries::bytes_for(next - at));
    const auto lease = co_await taking;
    if (!lease) co_return block::Status::aborted;
    ProtectionEntries entries(behalf, {Lba(at), BlockCount(next - at)}, lease->bytes());
    block::Status status = co_await entries.read_neighbours();
    if (status != block::Status::ok) co_return status;
    for (std::uint64_t i = 0; i < next - at; ++i) entries.set(i, kNothing);
    status = co_await entries.write(flags);
    if (status != block::Status::ok) co_return status;
    at = next;
  }
  co_return block::Status::ok;
}

ProtectionEntries::ProtectionEntries(const Behalf& behalf, block::Range range, MutableBytes memory)
    : behalf_(behalf),
      range_(range),
      blocks_(blocks_of(range)),
      memory_(
          memory.first(static_cast<std::size_t>(blocks_.count.value * kProtectionAreaBlockBytes))) {
}

engine::Task<block::Status> ProtectionEntries::transfer(block::Op op, block::Range blocks,
                                                        block::RequestFlags flags) {
  const std::size_t at =
      static_cast<std::size_t>((blocks.lba - blocks_.lba).value) * kProtectionAreaBlockBytes;
  const std::size_t bytes =
      static_cast<std::size_t>(blocks.count.value) * kProtectionAreaBlockBytes;
  using enum OwnRequest::Effort;
  OwnRequest request(behalf_, op == block::Op::write ? insists : ordinary);
  request.prepare(op, blocks.lba, blocks.count, flags);
  request.set_buffer(memory_.subspan(at, bytes).data(), bytes);
  co_return co_await request.submit_to(behalf_.part->protection_area()->front());
}

engine::Task<block::Status> ProtectionEntries::read() { return transfer(block::Op::read, blocks_); }

engine::Task<block::Status> ProtectionEntries::read_neighbours() {
  const std::uint64_t end = range_.lba.value + range_.count.value;
  const bool before = range_.lba.value % kProtectionEntriesPerBlock != 0;
  const bool behind = end % kProtectionEntriesPerBlock != 0;
  const bool one_block = blocks_.count.value == 1;
  if (before || (behind && one_block)) {
    const block::Range first{blocks_.lba, BlockCount(1)};
    const block::Status status = co_await transfer(block::Op::read, first);
    if (status != block::Status::ok || one_block) co_return status;
  }
  if (!behind || one_block) co_return block::Status::ok;
  const block::Range last{Lba(blocks_.lba.value + blocks_.count.value - 1), BlockCount(1)};
  co_return co_await transfer(block::Op::read, last);
}

engine::Task<block::Status> ProtectionEntries::write(block::RequestFlags flags) {
  return transfer(block::Op::write, blocks_, flags);
}

ProtectionInformation ProtectionEntries::get(std::uint64_t index) const {
  const std::uint64_t entry = range_.lba.value % kProtectionEntriesPerBlock + index;
  std::array<std::byte, spec::kProtectionBytes> bytes;
  std::memcpy(bytes.data(), memory_.data() + entry * bytes.size(), bytes.size());
  for (std::byte& byte : bytes) byte = ~byte;
  return *load<ProtectionInformation>(bytes);
}

void ProtectionEntries::set(std::uint64_t index, const ProtectionInformation& information) {
  const std::uint64_t entry = range_.lba.value % kProtectionEntriesPerBlock + index;
  std::array<std::byte, spec::kProtectionBytes> bytes;
  std::memcpy(bytes.data(), &information, bytes.size());
  for (std::byte& byte : bytes) byte = ~byte;
  std::memcpy(memory_.data() + entry * bytes.size(), bytes.data(), bytes.size());
}

block::Range protected_range(block::Range range, BlockCount capacity) {
  const std::uint64_t first =
      range.lba.value / kProtectionEntriesPerBlock * kProtectionEntriesPerBlock;
  const std::uint64_t end = std::min(
      capacity.value, round_up(range.lba.value + range.count.value, kProtectionEntriesPerBlock));
  return {Lba(first), BlockCount(end - first)};
}

}  // namespace lunar::scsi
