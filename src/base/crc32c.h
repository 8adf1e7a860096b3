// CRC32C (Castagnoli), the digest of iSCSI (RFC 7143 §13.1). Computed by ISA-L, with the CPU's
// instruction where it has one.
#pragma once

#include <cstdint>

#include "base/bytes.h"

namespace lunar {

// Incremental form: start with kCrc32cSeed, update piece by piece in order, finish once.
constexpr std::uint32_t kCrc32cSeed = 0xffffffffU;
[[nodiscard]] std::uint32_t crc32c_update(std::uint32_t state, Bytes bytes);
[[nodiscard]] constexpr std::uint32_t crc32c_finish(std::uint32_t state) { return ~state; }

[[nodiscard]] inline std::uint32_t crc32c(Bytes bytes) {
  return crc32c_finish(crc32c_update(kCrc32cSeed, bytes));
}

}  // namespace lunar
