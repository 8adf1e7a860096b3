#include "scsi/blocks/allocation.h"

#include <algorithm>
#include <bit>

#include "engine/blocking_worker.h"
#include "scsi/core/logical_unit.h"

namespace lunar::scsi {
namespace {

// So that a map of many small pieces keeps the worker for a bounded time.
constexpr std::size_t kMaxExtents = 16 * kKiB;

// On the worker's thread.
std::optional<std::uint64_t> count(const block::Device& device, std::uint64_t capacity_blocks) {
  std::uint64_t mapped = 0;
  std::uint64_t at = 0;
  for (std::size_t i = 0; i < kMaxExtents && at < capacity_blocks; ++i) {
    const auto extent = device.extent_at(Lba(at), BlockCount(capacity_blocks - at));
    if (!extent || extent->count.value == 0) return std::nullopt;
    const std::uint64_t blocks = std::min(extent->count.value, capacity_blocks - at);
    if (extent->allocated) mapped += blocks;
    at += blocks;
  }
  if (at == capacity_blocks) return mapped;
  const double share = static_cast<double>(mapped) / static_cast<double>(at);
  return mapped + static_cast<std::uint64_t>(share * static_cast<double>(capacity_blocks - at));
}

}  // namespace

unsigned threshold_exponent(std::uint64_t capacity_blocks) {
  constexpr unsigned kCountBits = 32;
  const auto bits = static_cast<unsigned>(std::bit_width(capacity_blocks));
  return bits > kCountBits ? bits - kCountBits : 0;
}

engine::Task<std::optional<std::uint64_t>> count_mapped_blocks(const LogicalUnit& unit,
                                                               std::uint64_t capacity_blocks) {
  auto work = [&unit, capacity_blocks] { return count(unit.device(), capacity_blocks); };
  // A simulated world has no threads but its own, and nothing in it blocks.
  if (unit.options().blocking_worker == nullptr) co_return work();
  auto elsewhere = unit.options().blocking_worker->run(std::move(work));
  co_return co_await elsewhere;
}

}  // namespace lunar::scsi
