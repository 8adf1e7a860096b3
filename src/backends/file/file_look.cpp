#include "backends/file/file_look.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>
#include <span>

#include "base/size.h"

namespace lunar::backends {
namespace {

std::unexpected<Error> wrong(ErrorCode code, const std::string& path, std::string_view what) {
  return fail(code, fmt::format("file {}: {}", path, what));
}

std::unexpected<Error> cannot(const char* what, const std::string& path, int error) {
  const bool denied = error == EACCES || error == EPERM || error == EROFS;
  return wrong(denied ? ErrorCode::permission : ErrorCode::not_found, path,
               fmt::format("cannot {}: {}", what, std::strerror(error)));
}

// A file that is not there: somebody has to make it.
Result<void> check_missing(const FileBackendOptions& options) {
  if (options.missing == MissingFile::wait) return {};
  if (options.read_only || !options.size) {
    return wrong(ErrorCode::not_found, options.path,
                 options.read_only
                     ? "it does not exist, and what is read-only is not made"
                     : "it does not exist; give its size to have it made (size=10GiB)");
  }
  const std::filesystem::path parent = std::filesystem::path(options.path).parent_path();
  const std::string folder = parent.empty() ? "." : parent.string();
  if (faccessat(AT_FDCWD, folder.c_str(), W_OK | X_OK, AT_EACCESS) == 0) return {};
  const int error = errno;
  return wrong(error == ENOENT || error == ENOTDIR ? ErrorCode::not_found : ErrorCode::permission,
               options.path, fmt::format("cannot make it in {}: {}", folder, std::strerror(error)));
}

// The type that the file beside it, which holds protection information, was made for; nothing: it
// does not say.
std::optional<std::uint8_t> protection_of(const std::string& beside,
                                          const kinds::Looking& looking) {
  std::array<char, block::kProtectionAreaBlockBytes> beginning{};
  std::ifstream file(beside, std::ios::binary);
  if (!looking.protection_type || !file.read(beginning.data(), std::ssize(beginning))) return {};
  return looking.protection_type(std::as_bytes(std::span(beginning)));
}

Result<void> check_protection(const FileBackendOptions& options, const kinds::Looking& looking) {
  const std::string beside = protection_path(options.path);
  struct stat status = {};
  if (stat(beside.c_str(), &status) != 0) return {};
  const auto type = protection_of(beside, looking);
  const std::string made = type ? fmt::format("protection={}", *type) : "protection=";
  if (options.protection == 0) {
    return wrong(ErrorCode::invalid_argument, options.path,
                 fmt::format("{} holds its protection information: serve it with {}, or remove "
                             "that file to give the information up",
                             beside, made));
  }
  if (!type || *type == options.protection) return {};
  return wrong(
      ErrorCode::invalid_argument, options.path,
      fmt::format("{} was made with {}, not with protection={}", beside, made, options.protection));
}

Result<void> check_whole_blocks(const FileBackendOptions& options, std::uint64_t file_bytes) {
  const std::uint64_t wanted = options.read_only ? 0 : options.size.value_or(ByteCount(0)).value;
  const std::uint64_t bytes = std::max(file_bytes, wanted);
  const std::uint32_t block_size = options.block_size.value_or(block::kMinBlockSize);
  if (bytes == 0)
    return wrong(ErrorCode::invalid_argument, options.path, "it is empty: give its size (size=)");
  if (bytes % block_size == 0) return {};
  return wrong(
      ErrorCode::invalid_argument, options.path,
      fmt::format("its size of {} bytes is no multiple of the block size {}", bytes, block_size));
}

Result<void> check_file(const FileBackendOptions& options, const kinds::Looking& looking) {
  struct stat status = {};
  if (stat(options.path.c_str(), &status) != 0) {
    if (errno != ENOENT) return cannot("look at it", options.path, errno);
    return check_missing(options);
  }
  const bool regular = S_ISREG(status.st_mode);
  if (!regular && !S_ISBLK(status.st_mode)) {
    return wrong(ErrorCode::invalid_argument, options.path,
                 S_ISDIR(status.st_mode) ? "it is a folder"
                                         : "it is neither a regular file nor a block device");
  }
  const int mode = options.read_only ? R_OK : R_OK | W_OK;
  if (faccessat(AT_FDCWD, options.path.c_str(), mode, AT_EACCESS) != 0) {
    const int error = errno;
    if (!options.read_only && faccessat(AT_FDCWD, options.path.c_str(), R_OK, AT_EACCESS) == 0) {
      return wrong(ErrorCode::permission, options.path,
                   fmt::format("cannot write to it: {} (readonly serves it as it is)",
                               std::strerror(error)));
    }
    return cannot("open it", options.path, error);
  }
  if (!regular) return {};
  LUNAR_TRY(check_whole_blocks(options, static_cast<std::uint64_t>(status.st_size)));
  return check_protection(options, looking);
}

// A size never shrinks a file, and is no business of a block device.
std::vector<std::string> remarks_on_size(const FileBackendOptions& options) {
  struct stat status = {};
  if (!options.size || stat(options.path.c_str(), &status) != 0) return {};
  if (S_ISBLK(status.st_mode)) {
    return {fmt::format("file {}: a block device has its own size: size is ignored", options.path)};
  }
  const auto bytes = static_cast<std::uint64_t>(status.st_size);
  if (bytes <= options.size->value) return {};
  return {fmt::format("file {}: it is larger than size says, {} instead of {}, and served whole",
                      options.path, format_size(bytes), format_size(options.size->value))};
}

std::string key_of(const std::string& path) {
  struct stat status = {};
  if (stat(path.c_str(), &status) == 0) {
    if (S_ISBLK(status.st_mode)) return fmt::format("block device {}", status.st_rdev);
    return fmt::format("file {} of {}", status.st_ino, status.st_dev);
  }
  std::error_code failed;
  // A path that is not there yet stays relative, unless it is made absolute before.
  const auto canonical =
      std::filesystem::weakly_canonical(std::filesystem::absolute(path, failed), failed);
  return fmt::format("path {}", failed ? path : canonical.string());
}

}  // namespace

kinds::Medium medium_of(const std::string& path) {
  return {.key = key_of(path), .path = path, .called = fmt::format("file {}", path)};
}

Result<std::vector<std::string>> look_at_file(const FileBackendOptions& options,
                                              const kinds::Looking& looking) {
  LUNAR_TRY(check_file(options, looking));
  return remarks_on_size(options);
}

}  // namespace lunar::backends
