#include "engine/restart_patience.h"

#include <sys/file.h>

#include <cerrno>
#include <thread>

namespace lunar::engine {

bool lock_patiently(int fd, int operation, std::chrono::steady_clock::time_point deadline) {
  while (flock(fd, operation | LOCK_NB) != 0) {
    if (errno == EINTR) continue;
    if (errno != EWOULDBLOCK || std::chrono::steady_clock::now() >= deadline) return false;
    std::this_thread::sleep_for(kRestartRetry);
  }
  return true;
}

}  // namespace lunar::engine
