// What a configuration asks of this machine, looked at before anything is opened or made: whoever
// has to correct it finds everything as it was.
#pragma once

#include <string>
#include <vector>

#include "control/config.h"
#include "lunar/result.h"

namespace lunar::app {

// Errors begin with the origin of what is wrong, and say what helps. What another process holds (an
// address in use, a locked file) is no fault of the configuration, and shows when it is opened. The
// result: what is odd and served all the same, a line each.
Result<std::vector<std::string>> check_machine(const control::Config& config);

}  // namespace lunar::app
