// A disk in this process's memory. Sparse: what was never written, and what was discarded, costs
// nothing.
#pragma once

#include <memory>
#include <string>

#include "lunar/block/device.h"

namespace lunar::backends {

constexpr std::uint64_t kMaxRamBytes = 16 * kTiB;

// Memory comes in pages of 2 MiB rather than 4 KiB where that is wanted and the kernel has them: an
// I/O then costs fewer look-ups of addresses (docs/PERFORMANCE.md), but each part of 2 MiB in which
// anything is written takes all of it.
enum class RamPages : std::uint8_t {
  automatic,  // huge when the disk is at most 1/kHugeShare of the machine's memory
  small,
  huge,
};
constexpr std::uint64_t kHugeShare = 32;

struct RamOptions {
  std::string name{};
  ByteCount size{};                // a multiple of block_size, at most kMaxRamBytes
  std::uint32_t block_size = 512;  // 512 or 4096
  Uuid uuid{};                     // whoever knows it gives it; a name is none
  bool keeps_uuid = false;         // the same after a restart
  std::uint8_t protection = 0;     // 1, 2, 3: with room for protection information, of that type
  RamPages pages = RamPages::automatic;
};

// It can be resized up to so many times its first size, where the address space allows; not with
// protection information.
constexpr std::uint64_t kRamGrowth = 4;

// invalid_argument: size, block size or protection. no_resource: the address space cannot be had.
Result<std::unique_ptr<block::Device>> create_ram(const RamOptions& options);

}  // namespace lunar::backends
