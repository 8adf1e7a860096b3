// The folder of a database: checks whether it is usable, and creates it durably.
#pragma once

#include <string>

#include "lunar/result.h"

namespace lunar::state {

// Checks, without creating anything, whether files could be stored there. permission;
// invalid_argument: not a folder; not_found: `path` is empty.
[[nodiscard]] Result<void> check_usable(const std::string& path);

// Creates the folder and its parents, durably. permission, no_resource, io.
Result<void> make_folder(const std::string& path);
// Makes the names in the folder durable.
Result<void> sync_folder(const std::string& path);

// An Error with "state PATH: WHAT: " and the text of errno.
[[nodiscard]] std::unexpected<Error> system_error(const std::string& path, const char* what);
// An Error: no folder was named, and there is no default one.
[[nodiscard]] std::unexpected<Error> no_folder();

}  // namespace lunar::state
