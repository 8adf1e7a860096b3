// How many blocks of a thin provisioned logical unit are mapped, from the medium's allocation map.
#pragma once

#include <cstdint>
#include <optional>

#include "engine/task.h"

namespace lunar::scsi {

class LogicalUnit;

// THRESHOLD EXPONENT (SBC-4 §6.6.6): log2 of the unit, in blocks, in which resources are counted.
// It is the smallest with which the count of all blocks fits into 32 bits.
[[nodiscard]] unsigned threshold_exponent(std::uint64_t capacity_blocks);

// Counts the mapped blocks. Only the first thousands of extents are read; the rest is estimated
// from them. Nothing: the map cannot be read. May take long, but does not block the shard.
engine::Task<std::optional<std::uint64_t>> count_mapped_blocks(const LogicalUnit& unit,
                                                               std::uint64_t capacity_blocks);

}  // namespace lunar::scsi
