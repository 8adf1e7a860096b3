// CRC32C (Castagnoli), as iSCSI digests use it (RFC 7143 §13.1). The machine's own instruction
// where it has one (through ISA-L).
#pragma once

#include <cstdint>

#include "base/bytes.h"

namespace lunar {

// Running form: start with kCrc32cSeed, feed pieces in order, finish once.
constexpr std::uint32_t kCrc32cSeed = 0xffffffffU;
[[nodiscard]] std::uint32_t crc32c_update(std::uint32_t state, Bytes bytes);
[[nodiscard]] constexpr std::uint32_t crc32c_finish(std::uint32_t state) { return ~state; }

[[nodiscard]] inline std::uint32_t crc32c(Bytes bytes) {
  return crc32c_finish(crc32c_update(kCrc32cSeed, bytes));
}

}  // namespace lunar
