// Ends the process where continuing would corrupt data: misuse of an interface that cannot return
// an error. Never used for input from a peer, a file or a user.
#pragma once

#include <string_view>

namespace lunar {

// Writes "lunar: LINE" to standard error and calls abort(). Bypasses the log, whose lines may still
// be queued.
[[noreturn]] void fatal(std::string_view line);

}  // namespace lunar
