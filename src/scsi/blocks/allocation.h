// How much of a thin provisioned logical unit is mapped, from the medium's own allocation map.
#pragma once

#include <cstdint>
#include <optional>

#include "engine/task.h"

namespace lunar::scsi {

class LogicalUnit;

// The size of the units in which resources are counted, as a power of two of blocks: the smallest
// with which a count of all blocks has 32 bits (SBC-4 §6.6.6, THRESHOLD EXPONENT).
[[nodiscard]] unsigned threshold_exponent(std::uint64_t capacity_blocks);

// An estimate where the map has very many pieces: what is beyond some thousands is taken to be like
// those before. Nothing: the map cannot be read. May take a while, beside the shard.
engine::Task<std::optional<std::uint64_t>> count_mapped_blocks(const LogicalUnit& unit,
                                                               std::uint64_t capacity_blocks);

}  // namespace lunar::scsi
