// Durations as people write them: "200us", "1.5 ms", "30s".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "lunar/result.h"

namespace lunar::schema {

// Result in nanoseconds. Units: ns, us, ms, s, min. invalid_argument: no number, no unit, too
// large.
Result<std::uint64_t> parse_duration(std::string_view text);
// The shortest exact form: "200us", "1s".
[[nodiscard]] std::string format_duration(std::uint64_t ns);

}  // namespace lunar::schema
