// `LEADING,key=value,flag`: a table in one word, for command lines.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lunar/result.h"
#include "schema/parameter.h"

namespace lunar::schema {

// What stands behind "KIND:", as a table for read_parameters(), which judges the values. A flag (a
// key without a value) is a boolean that is true; a parameter of several texts may be repeated. No
// value holds a comma. Errors name `kind`.
// invalid_argument: an unknown or repeated key, a key without its value, no leading value.
Result<Table> parse_spec(const std::vector<Parameter>& parameters, std::string_view kind,
                         std::string_view text);

// "ram has no size: ram:1GiB", for a spec that ends before its leading value.
[[nodiscard]] std::string no_leading_value(const Parameter& leading, std::string_view kind);

// "ram:SIZE[,block=512|4096][,uuid=UUID]". Without options: "ram:SIZE".
[[nodiscard]] std::string spec_form(const std::vector<Parameter>& parameters, std::string_view kind,
                                    bool with_options = true);

// Null: a spec of these begins with nothing.
[[nodiscard]] const Parameter* leading_of(const std::vector<Parameter>& parameters);

}  // namespace lunar::schema
