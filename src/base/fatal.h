// The end of the process where going on would corrupt data: misuse of an interface that cannot
// return an error. Never for what a peer, a file or a user controls.
#pragma once

#include <string_view>

namespace lunar {

// "lunar: LINE" on standard error, written at once and not through the log, whose lines may still
// wait; then abort().
[[noreturn]] void fatal(std::string_view line);

}  // namespace lunar
