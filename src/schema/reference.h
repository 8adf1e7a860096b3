// Pages that tell of parameters, made of their declaration.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "schema/parameter.h"

namespace lunar::schema {

// For a terminal: a line for each parameter of a spec, with its key, what it means and its default.
[[nodiscard]] std::string help_lines(const std::vector<Parameter>& parameters);

// For a Markdown page: a table of keys, types, defaults and meanings. `path` ("device") names the
// table in which they stand; arrays of tables in it get a table of their own below.
[[nodiscard]] std::string markdown(const std::vector<Parameter>& parameters, std::string_view path);

}  // namespace lunar::schema
