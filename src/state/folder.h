// The folder that a database lies in: made durably, and looked at before anything is made.
#pragma once

#include <string>

#include "lunar/result.h"

namespace lunar::state {

// Whether something could be kept there, as far as a look tells; nothing is made. permission;
// invalid_argument: there is no folder; not_found: `path` is empty.
[[nodiscard]] Result<void> check_usable(const std::string& path);

// With all above it, each of them durable. permission, no_resource, io.
Result<void> make_folder(const std::string& path);
// The names in it are durable.
Result<void> sync_folder(const std::string& path);

// "state PATH: WHAT: " and errno's text.
[[nodiscard]] std::unexpected<Error> system_error(const std::string& path, const char* what);
// There is neither a folder that was named nor a default one.
[[nodiscard]] std::unexpected<Error> no_folder();

}  // namespace lunar::state
