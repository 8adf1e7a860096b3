// `LEADING,key=value,flag`: a table in one word, for command lines.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lunar/result.h"
#include "schema/parameter.h"

namespace lunar::schema {

// Parses the part after "KIND:" into a table for read_parameters(), which checks the values. A flag
// (a key without a value) means true. A parameter of type texts may be repeated. Values cannot
// contain commas. Errors name `kind`. invalid_argument: an unknown or repeated key, a key without a
// value, no leading value.
Result<Table> parse_spec(const std::vector<Parameter>& parameters, std::string_view kind,
                         std::string_view text);

// The error for a spec without its leading value: "ram has no size: ram:1GiB".
[[nodiscard]] std::string no_leading_value(const Parameter& leading, std::string_view kind);

// "ram:SIZE[,block=512|4096][,uuid=UUID]". Without options: "ram:SIZE".
[[nodiscard]] std::string spec_form(const std::vector<Parameter>& parameters, std::string_view kind,
                                    bool with_options = true);

// Null: no parameter is leading.
[[nodiscard]] const Parameter* leading_of(const std::vector<Parameter>& parameters);

}  // namespace lunar::schema
