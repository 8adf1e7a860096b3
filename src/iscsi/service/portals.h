// Portals: where a node listens, and which addresses discovery tells an initiator (RFC 7143 §4.1,
// Appendix C).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "engine/network.h"
#include "iscsi/connection/connection_owner.h"
#include "iscsi/login/text_request.h"
#include "iscsi/spec/names.h"
#include "lunar/result.h"

namespace lunar::iscsi {

constexpr std::uint16_t kDefaultPortalGroupTag = 1;

constexpr std::size_t kMaxPortals = 1024;  // of a node; each costs a descriptor

struct Portal {
  spec::PortalAddress address{};  // port 0: any that is free, until it is open
  std::uint16_t portal_group_tag = kDefaultPortalGroupTag;
  bool ipv4_too = false;  // of [::]
  // What initiators are told instead of `address`: how they reach it through NAT or a balancer.
  // Port 0: that of the portal.
  std::vector<spec::PortalAddress> advertised{};
  PortalId id{};  // once it is open
};

// As users write it: "0.0.0.0:3260", and without a port 3260; `advertised` likewise, but that a
// missing port is the portal's. invalid_argument: no address, a tag of 0, `ipv4_too` of another
// address than [::], an advertised address that nobody can connect to or that comes twice.
Result<Portal> make_portal(const std::string& listen, std::uint16_t portal_group_tag, bool ipv4_too,
                           std::span<const std::string> advertised);

// Whether `portal` can stand beside `other`. invalid_argument: both would listen on one address, or
// one address would lead to two portal groups.
Result<void> check_beside(const Portal& portal, const Portal& other);

// What discovery tells an initiator that reached us at `reached`: no wildcard, nothing twice. A
// wildcard portal stands for the address that was reached, if it takes connections of that family;
// of its other addresses nobody knows which of them the initiator can reach.
[[nodiscard]] std::vector<TargetRecord::Portal> told_portals(std::span<const Portal> portals,
                                                             const engine::Endpoint& reached);

// "192.0.2.1:3260,1", as TargetAddress has it (RFC 7143 §13.8).
[[nodiscard]] std::string to_string(const Portal& portal);

[[nodiscard]] engine::Endpoint endpoint_of(const spec::PortalAddress& address);

}  // namespace lunar::iscsi
