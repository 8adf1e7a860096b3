// The eight-byte logical unit number of SAM-5 §4.7, with one level.
#pragma once

#include <cstdint>
#include <optional>
#include <variant>

#include "lunar/types.h"

namespace lunar::scsi::spec {

// SAM-5 §4.7, well known logical unit numbers
enum class WellKnownLun : std::uint8_t {
  report_luns = 0x01,
  access_controls = 0x02,
  target_log_pages = 0x03,
  security_protocol = 0x04,
  management_protocol = 0x05,
};

using LunAddress = std::variant<Lun, WellKnownLun>;

constexpr std::uint16_t kMaxLun = 0x3fff;          // limit of the flat space method
constexpr std::uint16_t kMaxPeripheralLun = 0xff;  // limit of the peripheral device method

// `wire`: the eight bytes as a big-endian integer (be64). Nothing for an address that this target
// cannot have: another method, another bus, a second level, a reserved well known logical unit. The
// answer is then LOGICAL UNIT NOT SUPPORTED. Below 256 both methods are accepted, as some
// initiators build the flat form themselves.
[[nodiscard]] constexpr std::optional<LunAddress> decode_lun(std::uint64_t wire) {
  if ((wire & 0x0000'ffff'ffff'ffffULL) != 0) return std::nullopt;  // a lower level
  const auto first = static_cast<std::uint8_t>(wire >> 56);
  const auto second = static_cast<std::uint8_t>(wire >> 48);
  constexpr std::uint8_t kWellKnown = 0xc1;  // extended, length 0, method 1
  if (first == 0) return Lun(second);        // peripheral device, bus identifier 0
  if ((first & 0xc0) == 0x40) {              // flat space
    return Lun(static_cast<std::uint16_t>(((first & 0x3f) << 8) | second));
  }
  if (first == kWellKnown) {
    const auto well_known = static_cast<WellKnownLun>(second);
    switch (well_known) {
      case WellKnownLun::report_luns:
      case WellKnownLun::access_controls:
      case WellKnownLun::target_log_pages:
      case WellKnownLun::security_protocol:
      case WellKnownLun::management_protocol: return well_known;
    }
  }
  return std::nullopt;
}

// Peripheral device method below 256, flat space method above. `lun` is at most kMaxLun.
[[nodiscard]] constexpr std::uint64_t encode_lun(Lun lun) {
  const std::uint64_t method = lun.value <= kMaxPeripheralLun ? 0 : 0x4000;
  return (method | (lun.value & kMaxLun)) << 48;
}

[[nodiscard]] constexpr std::uint64_t encode_lun(WellKnownLun lun) {
  return (0xc100ULL | static_cast<std::uint8_t>(lun)) << 48;
}

}  // namespace lunar::scsi::spec
