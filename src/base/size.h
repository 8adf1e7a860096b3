// Sizes as people write them: "512", "4k", "1GiB", "10 GiB", "10G", "1.5TiB".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "lunar/result.h"

namespace lunar {

// Result in bytes. The suffixes K M G T P, in either case, with or without "iB" and with or without
// a blank before, are powers of 1024. invalid_argument: malformed, too large, or ambiguous ("MB":
// some mean 1000 by it, others 1024).
Result<std::uint64_t> parse_size(std::string_view text);
// The shortest exact form: 1 GiB, 1536 MiB, 513 B.
std::string format_size(std::uint64_t bytes);

}  // namespace lunar
