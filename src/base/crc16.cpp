#include "base/crc16.h"

#include <isa-l/crc.h>

namespace lunar {

std::uint16_t crc16_t10dif(Bytes bytes) {
  // ISA-L reads only, but its prototype lacks the const.
  auto* data = const_cast<unsigned char*>(reinterpret_cast<const unsigned char*>(bytes.data()));
  return ::crc16_t10dif(0, data, bytes.size());
}

}  // namespace lunar
