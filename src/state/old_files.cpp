#include "state/old_files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "base/bytes.h"
#include "base/crc32c.h"
#include "engine/descriptor.h"
#include "state/folder.h"

namespace lunar::state {
namespace {

constexpr std::size_t kMaxFileBytes = 16UL * 1024 * 1024;

std::unexpected<Error> damaged(const std::string& path, const char* how) {
  return fail(ErrorCode::malformed,
              fmt::format("state {}: it is damaged: {}; restore it, or remove it to start without",
                          path, how));
}

Result<std::string> read_all(int fd, const std::string& path) {
  std::string text;
  char piece[4096];
  while (text.size() <= kMaxFileBytes) {
    const ssize_t count = read(fd, piece, sizeof(piece));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return system_error(path, "cannot be read");
    if (count == 0) return text;
    text.append(piece, static_cast<std::size_t>(count));
  }
  return damaged(path, "it is too long");
}

}  // namespace

bool is_there(const std::string& path) {
  struct stat info{};
  return stat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode);
}

Result<std::optional<OldText>> read_old_file(const std::string& path) {
  const engine::Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) {
    if (errno == ENOENT) return std::nullopt;
    return system_error(path, "cannot be read");
  }
  LUNAR_TRY_ASSIGN(const std::string whole, read_all(file.get(), path));
  const std::size_t end = whole.find('\n');
  if (end == std::string::npos) return damaged(path, "length or checksum do not fit");
  OldText old{whole.substr(0, end), whole.substr(end + 1)};
  if (old.header != fmt::format("lunar state 1 {} {:08x}", old.text.size(),
                                crc32c(as_bytes(std::string_view(old.text)))))
    return damaged(path, "length or checksum do not fit");
  return old;
}

Result<void> put_aside(const std::string& path) {
  if (std::rename(path.c_str(), (path + ".old").c_str()) != 0)
    return system_error(path, "cannot be renamed");
  return sync_folder(path.substr(0, path.find_last_of('/')));
}

}  // namespace lunar::state
