// The data that --verify writes. Each eight bytes encode the run and their offset on the disk, so
// that stale, lost, misplaced and torn blocks are detected.
#pragma once

#include <cstdint>
#include <optional>

#include "base/bytes.h"

namespace lunar::bench {

// `offset_bytes` (on the disk) and the length must be multiples of 8.
void fill_pattern(std::uint64_t run, std::uint64_t offset_bytes, MutableBytes into);
// Offset on the disk of the first wrong eight bytes. Nothing: all are right.
[[nodiscard]] std::optional<std::uint64_t> find_mismatch(std::uint64_t run,
                                                         std::uint64_t offset_bytes, Bytes bytes);

}  // namespace lunar::bench
