#include "base/crc32c.h"

#include <isa-l/crc.h>
#include <algorithm>

namespace lunar {

std::uint32_t crc32c_update(std::uint32_t state, Bytes bytes) {
  constexpr std::size_t kMaxPiece = 1U << 30;  // ISA-L takes the length as an int
  while (!bytes.empty()) {
    const Bytes piece = bytes.first(std::min(bytes.size(), kMaxPiece));
    // ISA-L reads only, but its prototype lacks the const.
    auto* data = const_cast<unsigned char*>(reinterpret_cast<const unsigned char*>(piece.data()));
    state = crc32_iscsi(data, static_cast<int>(piece.size()), state);
    bytes = bytes.subspan(piece.size());
  }
  return state;
}

}  // namespace lunar
