// What can be told of a file before it is opened: whoever has to correct something finds everything
// as it was.
#pragma once

#include <string>
#include <vector>

#include "backends/file/file.h"
#include "kinds/device_kind.h"
#include "lunar/result.h"

namespace lunar::backends {

// The same for all names of a file: links, ways to a folder, nodes of one block device.
[[nodiscard]] kinds::Medium medium_of(const std::string& path);

// Whether it can be served with these options, as far as a look tells. The result: what is odd and
// served all the same, a line each. not_found, permission, invalid_argument.
Result<std::vector<std::string>> look_at_file(const FileBackendOptions& options,
                                              const kinds::Looking& looking);

}  // namespace lunar::backends
