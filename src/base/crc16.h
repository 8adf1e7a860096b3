// CRC-16 with polynomial 8BB7h: the LOGICAL BLOCK GUARD of protection information (SBC-4 §4.21.4).
// Computed by ISA-L, with carry-less multiplication where the CPU has it.
#pragma once

#include <cstdint>

#include "base/bytes.h"

namespace lunar {

[[nodiscard]] std::uint16_t crc16_t10dif(Bytes bytes);

}  // namespace lunar
