// Serial number arithmetic (RFC 1982, SERIAL_BITS = 32) for CmdSN, StatSN, DataSN and R2TSN (RFC
// 7143 §4.2.2.1). Numbers 2**31 apart are unordered: neither is less.
#pragma once

#include <cstdint>

namespace lunar::iscsi::spec {

[[nodiscard]] constexpr bool sn_less(std::uint32_t a, std::uint32_t b) {
  const std::uint32_t distance = b - a;
  return distance != 0 && distance < 0x80000000U;
}
[[nodiscard]] constexpr bool sn_less_equal(std::uint32_t a, std::uint32_t b) {
  return a == b || sn_less(a, b);
}
[[nodiscard]] constexpr bool sn_greater(std::uint32_t a, std::uint32_t b) { return sn_less(b, a); }
// Whether `sn` lies in [first, last]. A target advertises the empty window, last = first - 1, to
// close its command window (RFC 7143 §4.2.2.1).
[[nodiscard]] constexpr bool sn_in_window(std::uint32_t sn, std::uint32_t first,
                                          std::uint32_t last) {
  return sn_less_equal(first, sn) && sn_less_equal(sn, last);
}

}  // namespace lunar::iscsi::spec
