// What a device is and can do. Constant while the device is open, but the capacity (see
// Device::resize). Limits outside of what is told here are refused when the device is added.
#pragma once

#include <cstdint>
#include <optional>

#include "lunar/types.h"

namespace lunar::block {

// What a backend does natively. The waist (block::Front) provides the rest by emulation.
struct Capabilities {
  bool writable = true;
  bool volatile_cache = false;  // completed writes need flush to survive a power loss
  bool fua = false;             // obeys kFua on write
  bool unmap = false;
  bool unmap_reads_zeroes = false;
  bool write_zeroes = false;
  bool lend = false;          // answers reads with kLend
  bool write_window = false;  // Channel::write_window gives memory
  // The buffers of a write are free again when Channel::submit returns, whenever it completes.
  bool takes_writes_at_once = false;
  // Device::uuid() is the same after a restart, so that what initiators want to be remembered (such
  // as persistent reservations) can be kept under it.
  bool keeps_uuid = false;
};

struct Limits {
  std::uint32_t block_size = 512;           // bytes of a logical block: 512 or 4096
  std::uint32_t physical_block_size = 512;  // bytes; a power of two multiple of block_size
  BlockCount capacity;                      // logical blocks; not 0
  std::uint32_t buffer_alignment = 1;  // bytes: address alignment that read and write buffers need
  BlockCount max_transfer;             // largest read or write; 0: no limit. The waist splits.
  BlockCount optimal_transfer;         // 0: not known
  BlockCount max_unmap;  // largest unmap or write_zeroes; 0: no limit. The waist splits.
  BlockCount unmap_granularity = BlockCount(1);  // blocks that are freed together
  // Blocks of the largest write that the medium takes whole or not at all, also when the power
  // fails. Unset: a physical block, whole and in its place; 0: not even that. More than a physical
  // block: any number up to it, anywhere. One at a time of the same blocks is the waist's care.
  std::optional<BlockCount> max_atomic;
  bool rotational = false;

  [[nodiscard]] ByteCount size() const { return ByteCount(capacity.value * block_size); }
};

// The extremes that the waist accepts from a backend.
constexpr std::uint32_t kMinBlockSize = 512;
constexpr std::uint32_t kMaxBlockSize = 4096;
// READ CAPACITY (16) tells a power of two in four bits.
constexpr std::uint32_t kMaxBlocksPerPhysicalBlock = 1U << 15;
// The largest single read or write that a consumer may submit: what one buffer of the pool holds.
constexpr std::uint64_t kMaxTransferBytes = 8 * kMiB;

}  // namespace lunar::block
