// What a configuration asks of this machine, looked at before anything is opened or made: whoever
// has to correct it finds everything as it was.
#pragma once

#include <string>
#include <vector>

#include "backends/file/file.h"
#include "control/config.h"
#include "lunar/result.h"

namespace lunar::app {

// Errors begin with the origin of what is wrong, and say what helps. What another process holds (an
// address in use, a locked file) is no fault of the configuration, and shows when it is opened. The
// result: what is odd and served all the same, a line each.
Result<std::vector<std::string>> check_machine(const control::Config& config);

// A file that can be served with these options, as far as a look tells. not_found, permission,
// invalid_argument.
Result<void> check_file(const backends::FileBackendOptions& options);

}  // namespace lunar::app
