#include "state/object_locks.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>

#include <cerrno>
#include <utility>

#include "engine/restart_patience.h"
#include "state/folder.h"

namespace lunar::state {

ObjectLocks::ObjectLocks(std::string folder, std::chrono::milliseconds patience)
    : folder_(std::move(folder)), patient_until_(std::chrono::steady_clock::now() + patience) {}

Result<void> ObjectLocks::lock(const std::string& object) {
  if (locks_.contains(object)) return {};
  const std::string own = fmt::format("{}/{}", folder_, object);
  LUNAR_TRY(make_folder(own));
  const std::string path = own + "/lock";
  engine::Descriptor file(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (file.get() < 0) return system_error(path, "cannot be made");
  if (!engine::lock_patiently(file.get(), LOCK_EX, patient_until_)) {
    if (errno != EWOULDBLOCK) return system_error(path, "cannot be locked");
    return fail(ErrorCode::busy,
                fmt::format("state {}: another process uses it; give this one a folder of its own "
                            "(--state), or the device another UUID",
                            path));
  }
  locks_.emplace(object, std::move(file));
  return {};
}

}  // namespace lunar::state
