#include "backends/file/file_device.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "backends/file/file_channel.h"
#include "base/bytes.h"
#include "base/log.h"
#include "block/check_device.h"
#include "lunar/shard.h"

namespace lunar::backends {
namespace {

constexpr const char* kSizeAttribute = "user.lunar.size";

}  // namespace

std::optional<std::uint64_t> last_size(const engine::File& file) {
  const Result<std::string> text = file.attribute(kSizeAttribute);
  if (!text) return std::nullopt;
  std::uint64_t bytes = 0;
  const auto parsed = std::from_chars(text->data(), text->data() + text->size(), bytes);
  if (parsed.ec != std::errc()) return std::nullopt;
  return bytes;
}

void remember_size(engine::File& file, std::uint64_t bytes) {
  if (last_size(file) != bytes) (void)file.set_attribute(kSizeAttribute, std::to_string(bytes));
}

FileDevice::FileDevice(std::string name, Uuid uuid, Parts parts)
    : Device(std::move(name), uuid), parts_(std::move(parts)) {
  const bool writable = parts_.writable;
  capabilities_ = {.writable = writable,
                   .volatile_cache = writable,
                   .fua = true,
                   .unmap = writable,
                   .unmap_reads_zeroes = writable,
                   .write_zeroes = writable,
                   .lend = false,
                   .write_window = false,
                   .keeps_uuid = true};
}

block::ProtectionRoom FileDevice::protection_room() {
  return {parts_.protection_area.get(), parts_.protection_type, true};
}

std::shared_ptr<FileMedium> FileDevice::medium() const {
  const std::scoped_lock lock(mutex_);
  return parts_.medium;
}

void FileDevice::begin_open_channel(engine::Shard& shard,
                                    block::Reply<std::unique_ptr<block::Channel>> reply) {
  const std::uint32_t block_size = parts_.limits.block_size;
  if (auto there = medium())
    return reply.send(std::make_unique<FileChannel>(std::move(there), shard, block_size));
  engine::run_blocking(shard, [this, &shard, block_size, reply = std::move(reply)]() mutable {
    auto came = block::without_exceptions<std::shared_ptr<FileMedium>>(
        [this] { return wait_for_medium(); });
    if (!came) return reply.send(std::unexpected(came.error()));
    reply.send(std::make_unique<FileChannel>(std::move(*came), shard, block_size));
  });
}

// Of all shards that ask, the first opens it.
Result<std::shared_ptr<FileMedium>> FileDevice::wait_for_medium() {
  const std::scoped_lock opening(opening_);
  if (auto there = medium()) return there;
  LUNAR_TRY_ASSIGN(auto opened, parts_.open());
  log::warning("file {}: it is there: the disk is served", parts_.path);
  {
    const std::scoped_lock lock(mutex_);
    parts_.medium = opened;
  }
  if (opened->file->info().size > size_bytes()) tell(block::DeviceEvent::resized);
  return opened;
}

Result<BlockCount> FileDevice::resize(std::optional<ByteCount> size) {
  const std::uint64_t block_size = parts_.limits.block_size;
  if (parts_.protection_area != nullptr)
    return fail(ErrorCode::unsupported, "a disk with protection information keeps its size");
  if (size && (size->value == 0 || size->value % block_size != 0)) {
    return fail(ErrorCode::invalid_argument,
                fmt::format("a size of {} bytes is not one or more whole blocks of {}", size->value,
                            block_size));
  }
  const std::shared_ptr<FileMedium> medium = this->medium();
  if (medium == nullptr) return fail(ErrorCode::io, "its file is missing");
  FileCondition& condition = medium->condition;
  if (size && condition.look()) {
    return fail(ErrorCode::io,
                fmt::format("somebody has truncated {}: resize it without a size to take what is "
                            "left",
                            parts_.path));
  }
  const std::uint64_t before = size_bytes();
  auto bytes = resize_file(*medium, size);
  // What no whole block covers is not there.
  if (bytes && *bytes < block_size) bytes = fail(ErrorCode::io, "the medium has no block any more");
  if (!bytes) {
    condition.set_size(before);
    return std::unexpected(bytes.error());
  }
  parts_.limits.capacity = BlockCount(*bytes / block_size);
  condition.set_size(size_bytes());
  condition.forget_truncation();
  if (parts_.remember) parts_.remember(parts_.limits);
  return parts_.limits.capacity;
}

// What is remembered is never more than the file has, wherever a crash comes between.
Result<std::uint64_t> FileDevice::resize_file(FileMedium& medium, std::optional<ByteCount> size) {
  engine::File& file = *medium.file;
  if (size && size->value < size_bytes()) {
    medium.condition.set_size(size->value);
    if (!file.info().block_device) remember_size(file, size->value);
  }
  const auto bytes = file.resize(size ? size->value : 0);
  if (!file.info().block_device && parts_.writable) remember_size(file, file.info().size);
  return bytes;
}

Result<block::Extent> FileDevice::extent_at(Lba lba, BlockCount count) const {
  // What is missing is no hole: whoever skips it would take it for zeroes.
  const std::shared_ptr<FileMedium> medium = this->medium();
  if (medium == nullptr) return fail(ErrorCode::io, "its file is missing");
  if (medium->condition.look()) return block::Extent{lba, count, true};
  const std::uint64_t block_size = parts_.limits.block_size;
  LUNAR_TRY_ASSIGN(const engine::FileExtent extent,
                   medium->file->extent_at(lba.value * block_size, count.value * block_size));
  // A block that is allocated in part is allocated.
  const std::uint64_t blocks = extent.allocated ? round_up(extent.length, block_size) / block_size
                                                : extent.length / block_size;
  if (blocks == 0) return block::Extent{lba, BlockCount(1), true};
  return block::Extent{lba, BlockCount(std::min(blocks, count.value)), extent.allocated};
}

}  // namespace lunar::backends
