#include "app/check_machine.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <span>

#include "backends/ram/ram.h"
#include "base/size.h"
#include "engine/descriptor.h"
#include "iscsi/spec/names.h"
#include "scsi/core/protection_area.h"

namespace lunar::app {
namespace {

using control::DeviceConfig;
using control::DeviceType;

std::unexpected<Error> wrong(ErrorCode code, const std::string& path, std::string_view what) {
  return fail(code, fmt::format("file {}: {}", path, what));
}

std::unexpected<Error> cannot(const char* what, const std::string& path, int error) {
  const bool denied = error == EACCES || error == EPERM || error == EROFS;
  return wrong(denied ? ErrorCode::permission : ErrorCode::not_found, path,
               fmt::format("cannot {}: {}", what, std::strerror(error)));
}

// A file that is not there: somebody has to make it.
Result<void> check_missing(const backends::FileBackendOptions& options) {
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

// What the file beside it that holds protection information was made for; nothing: there is none,
// or it says nothing yet.
std::optional<scsi::ProtectionFormat> protection_of(const std::string& path) {
  std::array<char, scsi::kStoredProtectionFormatBytes> header{};
  std::ifstream file(backends::protection_path(path), std::ios::binary);
  if (!file.read(header.data(), std::ssize(header))) return {};
  return scsi::parse_protection_format(std::as_bytes(std::span(header)));
}

Result<void> check_protection(const backends::FileBackendOptions& options) {
  const std::string beside = backends::protection_path(options.path);
  struct stat status = {};
  if (stat(beside.c_str(), &status) != 0) return {};
  const auto format = protection_of(options.path);
  const std::string made =
      format ? fmt::format("protection={}", static_cast<unsigned>(format->made)) : "protection=";
  if (options.protection == 0) {
    return wrong(ErrorCode::invalid_argument, options.path,
                 fmt::format("{} holds its protection information: serve it with {}, or remove "
                             "that file to give the information up",
                             beside, made));
  }
  if (!format || static_cast<unsigned>(format->made) == options.protection) return {};
  return wrong(
      ErrorCode::invalid_argument, options.path,
      fmt::format("{} was made with {}, not with protection={}", beside, made, options.protection));
}

Result<void> check_whole_blocks(const backends::FileBackendOptions& options,
                                std::uint64_t file_bytes) {
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

}  // namespace

Result<void> check_file(const backends::FileBackendOptions& options) {
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
  return check_protection(options);
}

namespace {

std::unexpected<Error> at_origin(const std::string& origin, const Error& error) {
  if (origin.empty()) return std::unexpected(error);
  return wrap(error, origin);
}

// The same for all names of a file: links, and ways to a folder.
struct FileIdentity {
  dev_t device = 0;
  std::uint64_t number = 0;
  std::string path{};  // of one that is not there
  auto operator<=>(const FileIdentity&) const = default;
};

FileIdentity identity_of(const std::string& path) {
  struct stat status = {};
  if (stat(path.c_str(), &status) == 0) {
    if (S_ISBLK(status.st_mode)) return {.device = status.st_rdev, .number = 0, .path = "block"};
    return {.device = status.st_dev, .number = status.st_ino, .path = {}};
  }
  std::error_code failed;
  // A path that is not there yet stays relative, unless it is none before.
  const auto canonical =
      std::filesystem::weakly_canonical(std::filesystem::absolute(path, failed), failed);
  return {.device = 0, .number = 0, .path = failed ? path : canonical.string()};
}

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t length = 0;
};

SocketAddress socket_address_of(const iscsi::spec::PortalAddress& at) {
  SocketAddress place;
  if (at.family == iscsi::spec::PortalAddress::Family::ipv6) {
    auto& v6 = reinterpret_cast<sockaddr_in6&>(place.storage);
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(at.port);
    std::memcpy(&v6.sin6_addr, at.bytes.data(), sizeof v6.sin6_addr);
    place.length = sizeof v6;
  } else {
    auto& v4 = reinterpret_cast<sockaddr_in&>(place.storage);
    v4.sin_family = AF_INET;
    v4.sin_port = htons(at.port);
    std::memcpy(&v4.sin_addr, at.bytes.data(), sizeof v4.sin_addr);
    place.length = sizeof v4;
  }
  return place;
}

class Checker {
 public:
  explicit Checker(const control::Config& config) : config_(config) {}

  Result<std::vector<std::string>> check() {
    for (const DeviceConfig& device : config_.devices) {
      Result<void> good;
      if (device.type == DeviceType::file) good = check_disk(device);
      if (device.type == DeviceType::ram) good = check_ram(device);
      if (!good) return at_origin(device.origin, good.error());
    }
    for (const control::PortalConfig& portal : config_.portals) {
      if (auto good = check_portal(portal); !good) return at_origin(portal.origin, good.error());
    }
    return std::move(remarks_);
  }

 private:
  static Result<void> check_ram(const DeviceConfig& device) {
    if (device.size.value_or(0) <= backends::kMaxRamBytes) return {};
    return fail(ErrorCode::invalid_argument,
                fmt::format("ram: a size of {} is above {}", format_size(*device.size),
                            format_size(backends::kMaxRamBytes)));
  }

  Result<void> check_disk(const DeviceConfig& device) {
    backends::FileBackendOptions options;
    options.path = device.path;
    if (device.size) options.size = ByteCount(*device.size);
    options.block_size = device.block_size;
    options.read_only = device.read_only;
    options.protection = device.protection;
    LUNAR_TRY(check_only_use(device));
    LUNAR_TRY(check_file(options));
    remark_size(device);
    return {};
  }

  // A file is one disk. What is only read may be several.
  Result<void> check_only_use(const DeviceConfig& device) {
    const auto [found, is_first] = files_.emplace(identity_of(device.path), &device);
    const DeviceConfig& first = *found->second;
    if (is_first || (first.read_only && device.read_only)) return {};
    return wrong(ErrorCode::invalid_argument, device.path,
                 fmt::format("it is the disk of {} already",
                             first.origin.starts_with("--disk")
                                 ? first.origin
                                 : fmt::format("device '{}' ({})", first.name, first.origin)));
  }

  // A size never shrinks a file, and is no business of a block device.
  void remark_size(const DeviceConfig& device) {
    struct stat status = {};
    if (!device.size || stat(device.path.c_str(), &status) != 0) return;
    if (S_ISBLK(status.st_mode)) {
      remarks_.push_back(
          fmt::format("{}: file {}: a block device has its own size: size is ignored",
                      device.origin, device.path));
      return;
    }
    const auto bytes = static_cast<std::uint64_t>(status.st_size);
    if (bytes <= *device.size) return;
    remarks_.push_back(
        fmt::format("{}: file {}: it is larger than size says, {} instead of {}, and served whole",
                    device.origin, device.path, format_size(bytes), format_size(*device.size)));
  }

  // Binds a socket there for a moment, without listening.
  static Result<void> check_portal(const control::PortalConfig& portal) {
    LUNAR_TRY_ASSIGN(const auto at, iscsi::spec::parse_portal_address(portal.listen));
    const bool v6 = at.family == iscsi::spec::PortalAddress::Family::ipv6;
    const engine::Descriptor fd(socket(v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (fd.get() < 0) {
      if (errno != EAFNOSUPPORT) return {};
      return fail(ErrorCode::invalid_argument,
                  fmt::format("{}: this machine has no IPv{}", portal.listen, v6 ? 6 : 4));
    }
    const int on = 1;
    setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    const int v6_only = portal.ipv4_too ? 0 : 1;
    if (v6) setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &v6_only, sizeof v6_only);
    const SocketAddress place = socket_address_of(at);
    if (bind(fd.get(), reinterpret_cast<const sockaddr*>(&place.storage), place.length) == 0)
      return {};
    if (errno == EADDRNOTAVAIL) {
      return fail(ErrorCode::invalid_argument,
                  fmt::format("{}: no interface of this machine has this address", portal.listen));
    }
    if (errno == EACCES) {
      return fail(ErrorCode::permission, fmt::format("{}: this user may not listen on port {} (see "
                                                     "net.ipv4.ip_unprivileged_port_start)",
                                                     portal.listen, at.port));
    }
    return {};  // in use, perhaps by one that is about to end: listening will tell
  }

  const control::Config& config_;
  std::map<FileIdentity, const DeviceConfig*> files_;
  std::vector<std::string> remarks_;
};

}  // namespace

Result<std::vector<std::string>> check_machine(const control::Config& config) {
  return Checker(config).check();
}

}  // namespace lunar::app
