#include "state/folder.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "engine/descriptor.h"

namespace lunar::state {
namespace {

// Repeats a call that a signal interrupted.
int sync_file(int fd) {
  for (;;) {
    const int result = fsync(fd);
    if (result == 0 || errno != EINTR) return result;
  }
}

std::string parent_of(const std::string& path) {
  const std::size_t slash = path.find_last_of('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace

std::unexpected<Error> system_error(const std::string& path, const char* what) {
  const int error = errno;
  ErrorCode code = ErrorCode::io;
  if (error == EACCES || error == EPERM || error == EROFS) code = ErrorCode::permission;
  if (error == ENOSPC || error == EDQUOT || error == EMFILE) code = ErrorCode::no_resource;
  return fail(code, fmt::format("state {}: {}: {}", path, what, std::strerror(error)));
}

std::unexpected<Error> no_folder() {
  return fail(ErrorCode::not_found,
              "there is no state folder: neither HOME nor XDG_STATE_HOME is set, nor --state");
}

Result<void> check_usable(const std::string& path) {
  if (path.empty()) return no_folder();
  // Check the nearest existing parent: the rest would be created in it.
  std::string there = path;
  struct stat info{};
  errno = 0;
  while (stat(there.c_str(), &info) != 0 && errno == ENOENT && there != "/" && there != ".")
    there = parent_of(there);
  if (S_ISDIR(info.st_mode)) {
    if (faccessat(AT_FDCWD, there.c_str(), R_OK | W_OK | X_OK, AT_EACCESS) == 0) return {};
    return system_error(there, there == path ? "cannot be written" : "nothing can be made in it");
  }
  if (errno == EACCES) return system_error(path, "cannot be used");
  return fail(ErrorCode::invalid_argument,
              fmt::format("state {}: cannot be used: it, or one above it, is no folder", path));
}

Result<void> make_folder(const std::string& path) {
  struct stat info{};
  if (stat(path.c_str(), &info) == 0) {
    if (S_ISDIR(info.st_mode)) return {};
    errno = ENOTDIR;
    return system_error(path, "cannot be used");
  }
  const std::string parent = parent_of(path);
  LUNAR_TRY(make_folder(parent));
  if (mkdir(path.c_str(), 0700) != 0 && errno != EEXIST)
    return system_error(path, "cannot be made");
  Result<void> synced = sync_folder(parent);
  if (!synced) rmdir(path.c_str());  // else the next change would find it and take it for durable
  return synced;
}

Result<void> sync_folder(const std::string& path) {
  const engine::Descriptor folder(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder.get() < 0 || sync_file(folder.get()) != 0)
    return system_error(path, "cannot be synced");
  return {};
}

}  // namespace lunar::state
