// Memory kept back for when the system has no more.
//
// Serving a peer allocates in many places: coroutine frames, lists in a command's parameters. Not
// every place could undo what it has begun. So when an allocation fails, a piece of the reserve is
// freed and the allocation is retried. The work goes on, and its starter learns from ran_short()
// that it must soon end something: a connection. operator new throws only when the reserve is used
// up.
#pragma once

#include <utility>

namespace lunar::memory_reserve {

namespace detail {
extern constinit thread_local bool short_of_memory;
}

// Allocates the reserve and installs the process's new_handler. Call before threads start.
void install();
// Fills the reserve again, as far as memory is available. From any thread.
void refill() noexcept;
// Tries to refill the reserve. True if part of it is still in use: then start nothing new. False
// without install().
[[nodiscard]] bool is_in_use() noexcept;
// Whether this thread has used the reserve since its last call.
[[nodiscard]] inline bool ran_short() {
  if (!detail::short_of_memory) [[likely]]
    return false;
  return std::exchange(detail::short_of_memory, false);
}

}  // namespace lunar::memory_reserve
