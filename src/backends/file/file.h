// A disk in a regular file or a block device.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "backends/file/identity.h"
#include "engine/file_io.h"
#include "engine/prng.h"
#include "lunar/block/device.h"

namespace lunar::backends {

enum class FileCache : std::uint8_t {
  direct,    // O_DIRECT; buffered, with a warning in the log, where the file system refuses it
  buffered,  // through the kernel's page cache
};

// What becomes of a disk whose file is not there.
enum class MissingFile : std::uint8_t {
  error,  // it is none
  wait,   // it is not ready until the file comes, if it has been served before
};

struct FileBackendOptions {
  std::string name{};
  std::string path{};
  // Creates the file with this size when it is missing, and grows it when it is smaller. Unset: it
  // must exist.
  std::optional<ByteCount> size{};
  // 512 or 4096. Unset: 512, or 4096 where the medium's own blocks are that large.
  std::optional<std::uint32_t> block_size{};
  FileCache cache = FileCache::direct;
  // wait: not with size, nor with protection.
  MissingFile missing = MissingFile::error;
  bool read_only = false;
  // Unset: the medium's own (identity.h).
  std::optional<Uuid> uuid{};
  // 1, 2, 3: with room for protection information, kept in a file beside this one
  // (protection_path()), and of that type when that file is made. 0: without; then there must be no
  // such file.
  std::uint8_t protection = 0;
  // For media that cannot keep their identity, by a key that the user has chosen. Null: those need
  // `uuid`. Also keeps what is shown of a file that is waited for. Used while it is opened, which
  // is later for such a file; outlives the device.
  kinds::IdentityStore* identities = nullptr;
  std::string identity_key{};
};

[[nodiscard]] inline std::string protection_path(const std::string& path) {
  return path + ".protection";
}

// Blocking: off the shards, or before they run. `files` outlives the device; `prng` gives new UUIDs
// and is not kept. Errors: those of FileIo::open (not_found, permission, busy when another process
// serves the file; not_found also for a file that is to be waited for and was never served);
// invalid_argument when size, block size or protection do not fit the medium,
// when somebody has truncated it, or when only the user can tell who it is; malformed: its identity
// cannot be read.
Result<std::unique_ptr<block::Device>> open_file(engine::FileIo& files, engine::Prng& prng,
                                                 const FileBackendOptions& options);

}  // namespace lunar::backends
