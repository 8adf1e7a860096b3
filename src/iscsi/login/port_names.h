// Names of SCSI ports (RFC 7143 §4.4.1).
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "iscsi/login/login_negotiation.h"

namespace lunar::iscsi {

inline std::string initiator_port_name(const LoginIdentity& identity) {
  const auto& i = identity.isid.bytes;
  return fmt::format("{},i,0x{:02x}{:02x}{:02x}{:02x}{:02x}{:02x}", identity.initiator_name, i[0],
                     i[1], i[2], i[3], i[4], i[5]);
}
inline std::string target_port_name(std::string_view target_name, std::uint16_t tag) {
  return fmt::format("{},t,0x{:04x}", target_name, tag);
}

}  // namespace lunar::iscsi
