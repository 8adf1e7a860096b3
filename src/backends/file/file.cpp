#include "backends/file/file.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "backends/file/file_channel.h"
#include "base/bytes.h"
#include "base/log.h"
#include "base/size.h"

namespace lunar::backends {
namespace {

constexpr const char* kUuidAttribute = "user.lunar.uuid";
// What one unmap or write_zeroes covers, so that an abort need not wait for a whole disk's.
constexpr std::uint64_t kMaxClearBytes = kGiB;
constexpr std::uint32_t kMaxBufferAlignment = 4096;

class FileDevice final : public block::Device {
 public:
  // `area`: for protection information, or null.
  FileDevice(const FileBackendOptions& options, Uuid uuid, std::unique_ptr<engine::File> file,
             const block::Limits& limits, std::unique_ptr<block::Device> area)
      : Device(options.name, uuid),
        file_(std::move(file)),
        protection_area_(std::move(area)),
        protection_type_(options.protection),
        limits_(limits) {
    const bool writable = !options.read_only;
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

  [[nodiscard]] const char* kind() const override { return "file"; }
  [[nodiscard]] const block::Limits& limits() const override { return limits_; }
  [[nodiscard]] const block::Capabilities& capabilities() const override { return capabilities_; }

  [[nodiscard]] block::ProtectionRoom protection_room() override {
    return {protection_area_.get(), protection_type_};
  }

  Result<std::unique_ptr<block::Channel>> open_channel(engine::Shard& shard) override {
    return std::make_unique<FileChannel>(*file_, shard, refusals_, limits_.block_size);
  }

  Result<BlockCount> resize(std::optional<ByteCount> size) override {
    const std::uint64_t block_size = limits_.block_size;
    if (protection_area_ != nullptr)
      return fail(ErrorCode::unsupported, "a disk with protection information keeps its size");
    if (size && (size->value == 0 || size->value % block_size != 0)) {
      return fail(ErrorCode::invalid_argument,
                  fmt::format("a size of {} bytes is not one or more whole blocks of {}",
                              size->value, block_size));
    }
    LUNAR_TRY_ASSIGN(const std::uint64_t bytes, file_->resize(size ? size->value : 0));
    // What no whole block covers is not there.
    if (bytes < block_size) return fail(ErrorCode::io, "the medium has no block any more");
    limits_.capacity = BlockCount(bytes / block_size);
    return limits_.capacity;
  }

  [[nodiscard]] Result<block::Extent> extent_at(Lba lba, BlockCount count) const override {
    const std::uint64_t block_size = limits_.block_size;
    LUNAR_TRY_ASSIGN(const engine::FileExtent extent,
                     file_->extent_at(lba.value * block_size, count.value * block_size));
    // A block that is allocated in part is allocated.
    const std::uint64_t blocks = extent.allocated ? round_up(extent.length, block_size) / block_size
                                                  : extent.length / block_size;
    if (blocks == 0) return block::Extent{lba, BlockCount(1), true};
    return block::Extent{lba, BlockCount(std::min(blocks, count.value)), extent.allocated};
  }

 private:
  std::unique_ptr<engine::File> file_;
  std::unique_ptr<block::Device> protection_area_;
  std::uint8_t protection_type_;
  block::Limits limits_;
  block::Capabilities capabilities_;
  FileRefusals refusals_;
};

// What the medium turned out to be, and how it was opened.
struct OpenFile {
  std::unique_ptr<engine::File> file;
  bool direct;
};

Result<OpenFile> open_medium(engine::FileIo& files, const FileBackendOptions& options) {
  engine::FileOptions how;
  how.writable = !options.read_only;
  how.direct = options.cache == FileCache::direct;
  how.create = options.size.has_value();
  how.size = options.size.value_or(ByteCount(0)).value;
  auto file = files.open(options.path, how);
  if (!file && how.direct && file.error().code == ErrorCode::unsupported) {
    how.direct = false;
    file = files.open(options.path, how);
    if (file) {
      log::warning(
          "file {}: its file system has no direct I/O; using the page cache (cache=buffered)",
          options.path);
    }
  }
  if (!file) return std::unexpected(file.error());
  return OpenFile{std::move(*file), how.direct};
}

Result<std::uint32_t> choose_block_size(const FileBackendOptions& options,
                                        const engine::FileInfo& info) {
  const std::uint32_t smallest = std::max(info.logical_block_size, block::kMinBlockSize);
  const std::uint32_t block_size = options.block_size.value_or(smallest);
  if (smallest > block::kMaxBlockSize) {
    return fail(ErrorCode::unsupported,
                fmt::format("file {}: its medium has blocks of {} bytes; at most {} is supported",
                            options.path, smallest, block::kMaxBlockSize));
  }
  if (block_size != 512 && block_size != 4096) {
    return fail(ErrorCode::invalid_argument,
                fmt::format("file {}: a block size of {} is neither 512 nor 4096", options.path,
                            block_size));
  }
  if (block_size < smallest) {
    return fail(ErrorCode::invalid_argument,
                fmt::format("file {}: its medium has blocks of {} bytes, larger than block={}: use "
                            "block={}{}",
                            options.path, smallest, block_size, block::kMaxBlockSize,
                            info.block_device ? "" : " or cache=buffered"));
  }
  if (info.size == 0 || info.size % block_size != 0) {
    return fail(
        ErrorCode::invalid_argument,
        fmt::format("file {}: its size of {} bytes is no multiple of the block size {}{}",
                    options.path, info.size, block_size, info.size == 0 ? " (give size=)" : ""));
  }
  return block_size;
}

block::Limits limits_of(const engine::FileInfo& info, std::uint32_t block_size, bool direct) {
  block::Limits limits;
  limits.block_size = block_size;
  limits.physical_block_size = is_power_of_two(info.physical_block_size)
                                   ? std::max(info.physical_block_size, block_size)
                                   : block_size;
  limits.capacity = BlockCount(info.size / block_size);
  if (direct) {
    limits.buffer_alignment = is_power_of_two(info.memory_alignment)
                                  ? std::min(info.memory_alignment, kMaxBufferAlignment)
                                  : kMaxBufferAlignment;
    // Also asks for whole blocks in each piece; see block::is_aligned.
    limits.buffer_alignment = std::max(limits.buffer_alignment, 2U);
  }
  limits.max_unmap = BlockCount(kMaxClearBytes / block_size);
  limits.unmap_granularity = BlockCount(std::max(info.discard_granularity / block_size, 1U));
  limits.rotational = info.rotational;
  return limits;
}

// For media that cannot keep one. Stable as long as the file stays where it is.
Uuid uuid_from_path(const std::string& path) {
  std::error_code ignored;
  const auto canonical = std::filesystem::weakly_canonical(path, ignored);
  return Uuid::from_name("file:" + (ignored ? path : canonical.string()));
}

Uuid identify(engine::File& file, engine::Prng& prng, const FileBackendOptions& options) {
  if (options.uuid) return *options.uuid;
  const auto kept = file.attribute(kUuidAttribute);
  if (kept) {
    if (const auto uuid = Uuid::parse(*kept)) return *uuid;
    log::warning("file {}: its attribute {} is no UUID; using one made from its path", options.path,
                 kUuidAttribute);
  } else if (kept.error().code == ErrorCode::not_found && !options.read_only) {
    const auto random = prng.bytes16();
    const Uuid uuid = Uuid::from_random(random);
    if (file.set_attribute(kUuidAttribute, uuid.to_string())) return uuid;
  }
  return uuid_from_path(options.path);
}

// The file that would hold protection information is in nobody's way.
Result<void> check_no_protection(engine::FileIo& files, const FileBackendOptions& options) {
  engine::FileOptions how;
  how.writable = false;
  how.direct = false;
  const std::string path = protection_path(options.path);
  const auto file = files.open(path, how);
  if (!file && file.error().code != ErrorCode::busy) return {};
  return fail(
      ErrorCode::invalid_argument,
      fmt::format("file {}: {} holds its protection information: serve it with protection=, "
                  "or remove that file to give the information up",
                  options.path, path));
}

Result<std::unique_ptr<block::Device>> open_protection_area(engine::FileIo& files,
                                                            engine::Prng& prng,
                                                            const FileBackendOptions& options,
                                                            const engine::FileInfo& info,
                                                            BlockCount capacity) {
  constexpr std::uint8_t kLastType = 3;
  if (options.protection == 0) {
    LUNAR_TRY(check_no_protection(files, options));
    return nullptr;
  }
  if (options.protection > kLastType) {
    return fail(ErrorCode::invalid_argument,
                fmt::format("file {}: a protection type of {} is not 1, 2 or 3", options.path,
                            options.protection));
  }
  if (info.block_device) {
    return fail(ErrorCode::invalid_argument,
                fmt::format("file {}: a block device has no room for protection information",
                            options.path));
  }
  FileBackendOptions area;
  area.name = options.name + ".protection";
  area.path = protection_path(options.path);
  if (!options.read_only) area.size = block::protection_area_size(capacity);
  area.block_size = block::kProtectionAreaBlockBytes;
  // Entries are smaller than what direct I/O moves.
  area.cache = FileCache::buffered;
  area.read_only = options.read_only;
  // It has no identity of its own, and shows none.
  area.uuid = Uuid::from_name("protection:" + area.path);
  LUNAR_TRY_ASSIGN(std::unique_ptr<block::Device> device, open_file(files, prng, area));
  if (device->limits().size() < block::protection_area_size(capacity)) {
    return fail(ErrorCode::invalid_argument,
                fmt::format("file {}: too short for the {} blocks of {}", area.path, capacity.value,
                            options.path));
  }
  return device;
}

}  // namespace

Result<std::unique_ptr<block::Device>> open_file(engine::FileIo& files, engine::Prng& prng,
                                                 const FileBackendOptions& options) {
  LUNAR_TRY_ASSIGN(OpenFile open, open_medium(files, options));
  const engine::FileInfo& info = open.file->info();
  LUNAR_TRY_ASSIGN(const std::uint32_t block_size, choose_block_size(options, info));
  const block::Limits limits = limits_of(info, block_size, open.direct);
  LUNAR_TRY_ASSIGN(std::unique_ptr<block::Device> area,
                   open_protection_area(files, prng, options, info, limits.capacity));
  const Uuid uuid = identify(*open.file, prng, options);
  return std::make_unique<FileDevice>(options, uuid, std::move(open.file), limits, std::move(area));
}

}  // namespace lunar::backends
