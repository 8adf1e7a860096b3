// Help and reference pages, generated from declarations.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "schema/parameter.h"

namespace lunar::schema {

// For a terminal: one line per parameter of a spec, with its key, meaning and default.
[[nodiscard]] std::string help_lines(const std::vector<Parameter>& parameters);

// For Markdown: a table of keys, types, defaults and meanings. `path` names the configuration
// table, such as "device". Arrays of tables in it get a table of their own below.
[[nodiscard]] std::string markdown(const std::vector<Parameter>& parameters, std::string_view path);

}  // namespace lunar::schema
