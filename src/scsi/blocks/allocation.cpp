#include "scsi/blocks/allocation.h"

#include <bit>

#include "block/allocation_map.h"
#include "scsi/core/logical_unit.h"

namespace lunar::scsi {
namespace {

// Limits the time spent on a map with many small extents.
constexpr std::size_t kMaxExtents = 16 * kKiB;

}  // namespace

unsigned threshold_exponent(std::uint64_t capacity_blocks) {
  constexpr unsigned kCountBits = 32;
  const auto bits = static_cast<unsigned>(std::bit_width(capacity_blocks));
  return bits > kCountBits ? bits - kCountBits : 0;
}

engine::Task<std::optional<std::uint64_t>> count_mapped_blocks(const LogicalUnit& unit,
                                                               std::uint64_t capacity_blocks) {
  std::uint64_t mapped = 0;
  std::uint64_t at = 0;
  for (std::size_t seen = 0; seen < kMaxExtents && at < capacity_blocks;) {
    auto looking = block::look_up_extents(unit.device(), Lba(at), BlockCount(capacity_blocks - at));
    const auto extents = co_await looking;
    if (!extents) co_return std::nullopt;
    for (const block::Extent& extent : *extents) {
      if (extent.allocated) mapped += extent.count.value;
      at += extent.count.value;
    }
    seen += extents->size();
  }
  if (at == capacity_blocks) co_return mapped;
  const double share = static_cast<double>(mapped) / static_cast<double>(at);
  co_return mapped + static_cast<std::uint64_t>(share * static_cast<double>(capacity_blocks - at));
}

}  // namespace lunar::scsi
