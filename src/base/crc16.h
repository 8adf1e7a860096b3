// CRC-16 with the polynomial 8BB7h: the LOGICAL BLOCK GUARD of protection information (SBC-4
// §4.21.4). Through ISA-L, which uses the machine's carry-less multiplication where it has one.
#pragma once

#include <cstdint>

#include "base/bytes.h"

namespace lunar {

[[nodiscard]] std::uint16_t crc16_t10dif(Bytes bytes);

}  // namespace lunar
