// How long to wait for resources that a killed process still holds: a listening address, the lock
// of a file. The kernel releases them when it has ended the I/O of the process's ring, possibly
// after the process is gone. A user who restarts at once must not be told that they are in use.
#pragma once

#include <chrono>

namespace lunar::engine {

constexpr std::chrono::milliseconds kRestartPatience{3000};
constexpr std::chrono::milliseconds kRestartRetry{10};

// Retries flock(fd, operation) until `deadline` while another owner holds the lock. Blocks: not for
// shards. False: see errno.
bool lock_patiently(int fd, int operation, std::chrono::steady_clock::time_point deadline);

}  // namespace lunar::engine
