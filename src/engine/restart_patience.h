// For how long one waits for what a killed process still holds: its listening address, its lock of
// a file. The kernel lets go of them when it has ended the I/O of the process's ring, which may be
// after the process is gone, and whoever restarts it at once must not be told that they are in use.
#pragma once

#include <chrono>

namespace lunar::engine {

constexpr std::chrono::milliseconds kRestartPatience{3000};
constexpr std::chrono::milliseconds kRestartRetry{10};

// flock(fd, operation), tried again until `deadline` while another holds it. Blocks, so it is not
// for a shard. False: errno tells why.
bool lock_patiently(int fd, int operation, std::chrono::steady_clock::time_point deadline);

}  // namespace lunar::engine
