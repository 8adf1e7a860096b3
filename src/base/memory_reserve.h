// Memory kept back for the moment when the system has no more.
//
// Much of the code that serves a peer may allocate: the frame of a coroutine, a list in a command's
// parameters. Not all of it could take back what it has begun. So when memory is refused, a piece
// of the reserve is freed and the allocation tried again; the work goes on, and whoever started it
// learns by ran_short() that it must end something soon: a connection. Only when the reserve is
// used up does operator new throw.
#pragma once

#include <utility>

namespace lunar::memory_reserve {

namespace detail {
extern constinit thread_local bool short_of_memory;
}

// Makes the reserve, for the process: sets its new_handler. Before the threads start.
void install();
// Takes back what was used, as far as there is memory again. From any thread.
void refill() noexcept;
// Tries to refill it, and says whether some is still in use: then nothing new should be begun.
// False without install().
[[nodiscard]] bool is_in_use() noexcept;
// Whether this thread has used some of it since it asked last.
[[nodiscard]] inline bool ran_short() {
  if (!detail::short_of_memory) [[likely]]
    return false;
  return std::exchange(detail::short_of_memory, false);
}

}  // namespace lunar::memory_reserve
