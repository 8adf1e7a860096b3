// The contents that --verify writes: each eight bytes name the run and their own place on the disk,
// so that a block that is stale, lost, misplaced or torn is told from the right one.
#pragma once

#include <cstdint>
#include <optional>

#include "base/bytes.h"

namespace lunar::bench {

// `offset_bytes` (of the disk) and the length are multiples of 8.
void fill_pattern(std::uint64_t run, std::uint64_t offset_bytes, MutableBytes into);
// The offset on the disk of the first wrong eight bytes, or nothing.
[[nodiscard]] std::optional<std::uint64_t> find_mismatch(std::uint64_t run,
                                                         std::uint64_t offset_bytes, Bytes bytes);

}  // namespace lunar::bench
