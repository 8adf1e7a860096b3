#include "backends/file/file.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <utility>

#include "backends/file/file_device.h"
#include "base/bytes.h"
#include "base/log.h"
#include "base/size.h"

namespace lunar::backends {
namespace {

// What one unmap or write_zeroes covers, so that an abort need not wait for a whole disk's.
constexpr std::uint64_t kMaxClearBytes = kGiB;
constexpr std::uint32_t kMaxBufferAlignment = 4096;

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

// How large it will be: a regular file grows to the size that was asked for.
std::uint64_t wanted_size(const FileBackendOptions& options, const engine::FileInfo& info) {
  if (info.block_device || options.read_only || !options.size) return info.size;
  return std::max(info.size, options.size->value);
}

Result<std::uint32_t> choose_block_size(const FileBackendOptions& options,
                                        const engine::FileInfo& info) {
  const std::uint64_t size = wanted_size(options, info);
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
  if (size == 0 || size % block_size != 0) {
    return fail(ErrorCode::invalid_argument,
                fmt::format("file {}: its size of {} bytes is no multiple of the block size {}{}",
                            options.path, size, block_size, size == 0 ? " (give size=)" : ""));
  }
  return block_size;
}

block::Limits limits_of(const engine::FileInfo& info, std::uint64_t size, std::uint32_t block_size,
                        bool direct) {
  block::Limits limits;
  limits.block_size = block_size;
  limits.physical_block_size = is_power_of_two(info.physical_block_size)
                                   ? std::max(info.physical_block_size, block_size)
                                   : block_size;
  limits.capacity = BlockCount(size / block_size);
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

// A file that has become shorter is not filled with zeroes where its data have been.
Result<void> check_whole(engine::File& file, const FileBackendOptions& options) {
  const std::uint64_t bytes = file.info().size;
  const auto before = last_size(file);
  if (file.info().block_device || !before || bytes >= *before) return {};
  if (wanted_size(options, file.info()) > bytes) {
    return fail(ErrorCode::invalid_argument,
                fmt::format("file {}: somebody has truncated it, from {} bytes to {}: size= would "
                            "put zeroes where data have been. Restore it, or serve what is left "
                            "once without size=",
                            options.path, *before, bytes));
  }
  log::warning("file {}: it has {} bytes, and had {} when it was last served: the disk is smaller",
               options.path, bytes, *before);
  return {};
}

Result<void> take_size(engine::File& file, const FileBackendOptions& options) {
  if (file.info().block_device || options.read_only) return {};
  if (const std::uint64_t size = wanted_size(options, file.info()); size > file.info().size)
    LUNAR_TRY(file.resize(size));
  remember_size(file, file.info().size);
  return {};
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

Result<void> check_protection(const FileBackendOptions& options, const engine::FileInfo& info) {
  constexpr std::uint8_t kLastType = 3;
  if (options.protection > kLastType) {
    return fail(ErrorCode::invalid_argument,
                fmt::format("file {}: a protection type of {} is not 1, 2 or 3", options.path,
                            options.protection));
  }
  if (!info.block_device) return {};
  return fail(
      ErrorCode::invalid_argument,
      fmt::format("file {}: a block device has no room for protection information", options.path));
}

// How many blocks a disk has, and had before this start made it larger.
struct Capacities {
  BlockCount before;
  BlockCount now;
};

// It grows before the disk does, so one that is too short for the disk as it was found has lost
// entries: what grows in their place would say of damaged blocks that nothing is known of them.
Result<void> fit_protection_area(engine::File& file, const FileBackendOptions& options,
                                 const std::string& path, Capacities capacities) {
  const std::uint64_t least = block::protection_area_size(capacities.before).value;
  const std::uint64_t wanted = block::protection_area_size(capacities.now).value;
  const std::uint64_t bytes = file.info().size;
  if (bytes < least) {
    return fail(ErrorCode::invalid_argument,
                fmt::format("file {}: too short for the {} blocks of {}, {} bytes instead of {}: "
                            "restore it, or remove it to begin without protection information",
                            path, capacities.before.value, options.path, bytes, least));
  }
  if (bytes < wanted) LUNAR_TRY(file.resize(wanted));
  return {};
}

Result<std::unique_ptr<block::Device>> open_protection_area(engine::FileIo& files,
                                                            const FileBackendOptions& options,
                                                            const engine::FileInfo& info,
                                                            Capacities capacities) {
  if (options.protection == 0) {
    LUNAR_TRY(check_no_protection(files, options));
    return nullptr;
  }
  LUNAR_TRY(check_protection(options, info));
  const std::string path = protection_path(options.path);
  engine::FileOptions how;
  how.writable = !options.read_only;
  how.direct = false;  // entries are smaller than what direct I/O moves
  how.create = how.writable;
  how.size = block::protection_area_size(capacities.now).value;
  how.begin = block::kProtectionAreaMark;
  LUNAR_TRY_ASSIGN(std::unique_ptr<engine::File> file, files.open(path, how));
  LUNAR_TRY(fit_protection_area(*file, options, path, capacities));
  const block::Limits limits =
      limits_of(file->info(), file->info().size, block::kProtectionAreaBlockBytes, false);
  auto medium = std::make_shared<FileMedium>(std::move(file), path, limits.size().value, true);
  // It has no identity of its own, and shows none.
  return std::make_unique<FileDevice>(options.name + ".protection", Uuid(),
                                      FileDevice::Parts{.medium = std::move(medium),
                                                        .path = path,
                                                        .writable = how.writable,
                                                        .limits = limits,
                                                        .protection_area = nullptr,
                                                        .protection_type = 0,
                                                        .open = {},
                                                        .remember = {}});
}

// ---- A file that is waited for

void remember(const FileBackendOptions& options, const kinds::KnownDisk& disk) {
  Result<void> saved = fail(ErrorCode::not_found, "there is no state folder");
  if (options.identities != nullptr)
    saved = options.identities->save_disk(options.identity_key, disk);
  if (saved) return;
  log::warning("file {}: what it is cannot be kept, so it must be there at the next start: {}",
               options.path, saved.error().message);
}

// What the disk is, as it changes.
std::function<void(const block::Limits&)> keeper(const FileBackendOptions& options,
                                                 const Uuid& uuid) {
  if (options.missing == MissingFile::error) return {};
  return [options, uuid](const block::Limits& limits) { remember(options, {uuid, limits}); };
}

std::unexpected<Error> is_not_it(const FileBackendOptions& options, std::string_view why) {
  return fail(
      ErrorCode::invalid_argument,
      fmt::format("file {}: it is not the disk that is served here: {}; a restart serves it",
                  options.path, why));
}

// That it is the disk, and can be served as that has been shown.
Result<void> check_is(engine::File& file, const FileBackendOptions& options,
                      const kinds::KnownDisk& disk, const block::Limits& limits) {
  const IdentityOptions who{options.path, options.uuid, options.identities, options.identity_key};
  LUNAR_TRY_ASSIGN(const std::optional<Uuid> uuid, recognise(file, who));
  if (uuid != disk.uuid)
    return is_not_it(options, uuid ? "its UUID is " + uuid->to_string() : "it has no identity");
  if (file.info().size < disk.limits.size().value) {
    return is_not_it(options, fmt::format("it has {} bytes, and had {}", file.info().size,
                                          disk.limits.size().value));
  }
  if (std::max(file.info().logical_block_size, block::kMinBlockSize) > disk.limits.block_size)
    return is_not_it(options, "its blocks are larger");
  if (limits.buffer_alignment > disk.limits.buffer_alignment)
    return is_not_it(options, "it asks for more alignment");
  return {};
}

Result<std::shared_ptr<FileMedium>> open_late(engine::FileIo& files,
                                              const FileBackendOptions& options,
                                              const kinds::KnownDisk& disk) {
  LUNAR_TRY_ASSIGN(OpenFile open, open_medium(files, options));
  const block::Limits limits =
      limits_of(open.file->info(), open.file->info().size, disk.limits.block_size, open.direct);
  LUNAR_TRY(check_is(*open.file, options, disk, limits));
  LUNAR_TRY(check_no_protection(files, options));
  return std::make_shared<FileMedium>(std::move(open.file), options.path, disk.limits.size().value,
                                      !open.direct);
}

Result<std::unique_ptr<block::Device>> wait_for_file(engine::FileIo& files,
                                                     const FileBackendOptions& options) {
  std::optional<kinds::KnownDisk> disk;
  if (options.identities != nullptr) {
    LUNAR_TRY_ASSIGN(disk, options.identities->load_disk(options.identity_key));
  }
  if (!disk) {
    return fail(ErrorCode::not_found,
                fmt::format("file {}: it does not exist, and has not been served with missing=wait "
                            "before, so that nothing is known of it",
                            options.path));
  }
  if (options.uuid) disk->uuid = *options.uuid;
  log::warning("file {}: it is missing: the disk is not ready until it is there", options.path);
  return std::make_unique<FileDevice>(
      options.name, disk->uuid,
      FileDevice::Parts{
          .medium = nullptr,
          .path = options.path,
          .writable = !options.read_only,
          .limits = disk->limits,
          .protection_area = nullptr,
          .protection_type = 0,
          .open = [&files, options, disk = *disk] { return open_late(files, options, disk); },
          .remember = keeper(options, disk->uuid)});
}

}  // namespace

Result<std::unique_ptr<block::Device>> open_file(engine::FileIo& files, engine::Prng& prng,
                                                 const FileBackendOptions& options) {
  auto opened = open_medium(files, options);
  if (!opened && options.missing == MissingFile::wait &&
      opened.error().code == ErrorCode::not_found)
    return wait_for_file(files, options);
  if (!opened) return std::unexpected(opened.error());
  OpenFile& open = *opened;
  engine::File& file = *open.file;
  LUNAR_TRY_ASSIGN(const std::uint32_t block_size, choose_block_size(options, file.info()));
  LUNAR_TRY(check_whole(file, options));
  const std::uint64_t size = wanted_size(options, file.info());
  const Capacities capacities{BlockCount(file.info().size / block_size),
                              BlockCount(size / block_size)};
  LUNAR_TRY_ASSIGN(std::unique_ptr<block::Device> area,
                   open_protection_area(files, options, file.info(), capacities));
  const IdentityOptions who{options.path, options.uuid, options.identities, options.identity_key};
  LUNAR_TRY_ASSIGN(const Uuid uuid, identify(file, prng, who));
  LUNAR_TRY(take_size(file, options));
  const block::Limits limits = limits_of(file.info(), size, block_size, open.direct);
  if (options.missing == MissingFile::wait) remember(options, {uuid, limits});
  auto medium = std::make_shared<FileMedium>(std::move(open.file), options.path,
                                             limits.size().value, !open.direct);
  return std::make_unique<FileDevice>(options.name, uuid,
                                      FileDevice::Parts{.medium = std::move(medium),
                                                        .path = options.path,
                                                        .writable = !options.read_only,
                                                        .limits = limits,
                                                        .protection_area = std::move(area),
                                                        .protection_type = options.protection,
                                                        .open = {},
                                                        .remember = keeper(options, uuid)});
}

}  // namespace lunar::backends
