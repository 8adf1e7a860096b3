#include "block/check_device.h"

#include <fmt/format.h>

#include "base/bytes.h"
#include "engine/buffer_pool.h"

namespace lunar::block {
namespace {

std::string called(const Device& device) {
  return fmt::format("device {} ({})", device.name(), device.kind());
}

// What is wrong with the limits, or null.
const char* fault_in(const Limits& limits) {
  if (limits.block_size != kMinBlockSize && limits.block_size != kMaxBlockSize)
    return "the block size is neither 512 nor 4096";
  if (!is_power_of_two(limits.physical_block_size) ||
      limits.physical_block_size < limits.block_size) {
    return "the physical block size is no power of two multiple of the block size";
  }
  if (limits.physical_block_size / limits.block_size > kMaxBlocksPerPhysicalBlock)
    return "the physical block is larger than 32768 blocks";
  if (limits.capacity.value == 0) return "it has no blocks: the capacity is 0";
  if (limits.capacity.value > UINT64_MAX / limits.block_size) return "the capacity is too large";
  if (!is_power_of_two(limits.buffer_alignment) ||
      limits.buffer_alignment > engine::kMinBufferBytes) {
    return "the buffer alignment is no power of two up to a page";
  }
  return nullptr;
}

// What the limits do not let the device promise, or null.
const char* fault_in(const Capabilities& capabilities, const Limits& limits) {
  // Lent, and taken at once: one piece of memory, so nothing to split, to align or to flush.
  const bool emulates_writes = limits.max_transfer.value != 0 || limits.buffer_alignment != 1 ||
                               (capabilities.volatile_cache && !capabilities.fua);
  if (capabilities.takes_writes_at_once && emulates_writes)
    return "it takes writes at once but needs help with some";
  if (capabilities.lend && (limits.max_transfer.value != 0 || limits.buffer_alignment != 1))
    return "it lends memory but limits transfers";
  return nullptr;
}

}  // namespace

Result<void> check_device(const Device& device) {
  const char* fault = fault_in(device.limits());
  if (fault == nullptr) fault = fault_in(device.capabilities(), device.limits());
  if (fault != nullptr)
    return fail(ErrorCode::invalid_argument, fmt::format("{}: {}", called(device), fault));
  if (device.layers() > kMaxDeviceLayers) {
    return fail(ErrorCode::invalid_argument,
                fmt::format("{}: it makes a stack of {} layers; at most {} can stand on a device",
                            called(device), device.layers(), kMaxDeviceLayers));
  }
  return {};
}

}  // namespace lunar::block
