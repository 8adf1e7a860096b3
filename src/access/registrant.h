// Whom a registration belongs to.
#pragma once

#include <compare>
#include <cstdint>
#include <string>

namespace lunar::access {

// Names that outlive connections. A protocol gives them, and only that protocol reads them.
//
// SCSI registers an I_T nexus: `name` is the initiator port's, `port` the target port's. NVMe
// registers a host: `name` is the host identifier, and `port` is empty, since the registration
// holds at every controller. So names of two protocols are never equal.
struct Registrant {
  std::string name{};
  std::string port{};             // empty: registered at every port
  std::uint16_t port_number = 0;  // follows from `port`

  [[nodiscard]] bool is_at_every_port() const { return port.empty(); }

  friend bool operator==(const Registrant& a, const Registrant& b) {
    return a.name == b.name && a.port == b.port;
  }
  friend std::strong_ordering operator<=>(const Registrant& a, const Registrant& b) {
    if (const auto order = a.name <=> b.name; order != 0) return order;
    return a.port <=> b.port;
  }
};

}  // namespace lunar::access
