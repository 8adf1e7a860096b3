// Where a device keeps protection information (SBC-4 §4.21): eight bytes a logical block, beside
// the blocks, in an area that is a Device of its own.
//
// The area has blocks of 512 bytes. The first eight of them are for whoever formats the medium to
// keep its format in (scsi/core/protection_area.h); then come eight bytes for each logical block,
// in order, each with all of its bits inverted: so an area that was never written to says FFFFFFFF
// FFFFFFFFh of every block, which is what the standard wants, and takes no storage.
#pragma once

#include <cstdint>
#include <string_view>

#include "lunar/types.h"

namespace lunar::block {

class Device;

constexpr std::uint32_t kProtectionAreaBlockBytes = 512;
constexpr std::uint32_t kProtectionEntryBytes = 8;
constexpr std::uint64_t kProtectionEntriesPerBlock =
    kProtectionAreaBlockBytes / kProtectionEntryBytes;
constexpr std::uint64_t kProtectionFormatBlocks = 8;  // before the first entry

// What an area begins with whose device can tell a new one from one that has lost what it said.
// Then zeroes.
constexpr std::string_view kProtectionAreaMark = "lunar-PI";

// How large the area of a device with `capacity` blocks is.
[[nodiscard]] constexpr ByteCount protection_area_size(BlockCount capacity) {
  const std::uint64_t blocks =
      (capacity.value + kProtectionEntriesPerBlock - 1) / kProtectionEntriesPerBlock;
  return ByteCount((kProtectionFormatBlocks + blocks) * kProtectionAreaBlockBytes);
}

// What a Device has for it.
struct ProtectionRoom {
  Device* area = nullptr;  // null: no room; else it lives as long as the device
  std::uint8_t type = 0;   // 1, 2 or 3: what a medium that is new is formatted to
  bool marked = false;     // a new area begins with kProtectionAreaMark; unset: it is all zeroes
};

}  // namespace lunar::block
