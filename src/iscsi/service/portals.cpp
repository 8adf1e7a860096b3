#include "iscsi/service/portals.h"

#include <fmt/format.h>

#include <algorithm>

namespace lunar::iscsi {
namespace {

using spec::PortalAddress;
using Family = PortalAddress::Family;

std::unexpected<Error> bad(std::string why) {
  return fail(ErrorCode::invalid_argument, std::move(why));
}

// "192.0.2.1:3260" has one, "192.0.2.1" and "[2001:db8::1]" have none.
bool has_port(const std::string& text) {
  return text.find(':', text.starts_with('[') ? text.find(']') : 0) != std::string::npos;
}

Result<PortalAddress> parse_advertised(const std::string& text) {
  LUNAR_TRY_ASSIGN(PortalAddress address, spec::parse_portal_address(text));
  if (address.is_wildcard())
    return bad(fmt::format("cannot advertise {}: nobody can connect to a wildcard", text));
  if (!has_port(text)) {
    address.port = 0;
  } else if (address.port == 0) {
    return bad(fmt::format("cannot advertise {}: nobody can connect to port 0", text));
  }
  return address;
}

PortalAddress with_port(PortalAddress address, std::uint16_t port) {
  if (address.port == 0) address.port = port;
  return address;
}

// The address that a Stream tells, without its port. Nothing for one of another family than IP.
Result<PortalAddress> parse_reached(const engine::Endpoint& reached) {
  const bool v6 = reached.address.contains(':');
  return spec::parse_portal_address(v6 ? fmt::format("[{}]", reached.address) : reached.address);
}

bool takes(const Portal& portal, Family family) {
  return portal.address.family == family || (portal.ipv4_too && family == Family::ipv4);
}

// Whether a connection could be meant for either.
bool listen_on_one_address(const Portal& one, const Portal& other) {
  if (one.address.port != other.address.port || one.address.port == 0) return false;
  if (one.address.is_wildcard() && takes(one, other.address.family)) return true;
  if (other.address.is_wildcard() && takes(other, one.address.family)) return true;
  return one.address == other.address;
}

// What it is reached by, as far as that is known before it is open.
std::vector<PortalAddress> known_addresses(const Portal& portal) {
  std::vector<PortalAddress> known;
  for (const PortalAddress& each : portal.advertised)
    known.push_back(with_port(each, portal.address.port));
  if (portal.advertised.empty() && !portal.address.is_wildcard()) known.push_back(portal.address);
  std::erase_if(known, [](const PortalAddress& each) { return each.port == 0; });
  return known;
}

}  // namespace

Result<Portal> make_portal(const std::string& listen, std::uint16_t portal_group_tag, bool ipv4_too,
                           std::span<const std::string> advertised) {
  if (portal_group_tag == 0) return bad("a portal group tag is 1 to 65535");
  Portal portal{.portal_group_tag = portal_group_tag, .ipv4_too = ipv4_too};
  LUNAR_TRY_ASSIGN(portal.address, spec::parse_portal_address(listen));
  if (ipv4_too && !(portal.address.is_wildcard() && portal.address.family == Family::ipv6))
    return bad(fmt::format("{} cannot take IPv4 too: only [::] can", listen));
  for (const std::string& text : advertised) {
    LUNAR_TRY_ASSIGN(const PortalAddress address, parse_advertised(text));
    if (std::ranges::count(portal.advertised, address) != 0)
      return bad(fmt::format("{} is advertised twice", text));
    portal.advertised.push_back(address);
  }
  return portal;
}

Result<void> check_beside(const Portal& portal, const Portal& other) {
  if (listen_on_one_address(portal, other)) {
    return bad(fmt::format("{} is taken by the portal on {}", portal.address.to_string(),
                           other.address.to_string()));
  }
  if (portal.portal_group_tag == other.portal_group_tag) return {};
  const std::vector<PortalAddress> theirs = known_addresses(other);
  for (const PortalAddress& ours : known_addresses(portal)) {
    if (std::ranges::count(theirs, ours) == 0) continue;
    return bad(fmt::format("{} would lead to portal group {} and to portal group {}",
                           ours.to_string(), other.portal_group_tag, portal.portal_group_tag));
  }
  return {};
}

std::vector<TargetRecord::Portal> told_portals(std::span<const Portal> portals,
                                               const engine::Endpoint& reached) {
  std::vector<TargetRecord::Portal> told;
  const auto tell = [&told](const PortalAddress& address, const Portal& portal) {
    if (std::ranges::count(told, address, &TargetRecord::Portal::address) == 0)
      told.push_back({.address = address, .portal_group_tag = portal.portal_group_tag});
  };
  const Result<PortalAddress> here = parse_reached(reached);
  for (const Portal& portal : portals) {
    const std::uint16_t port = portal.address.port;
    if (!portal.advertised.empty()) {
      for (const PortalAddress& each : portal.advertised) tell(with_port(each, port), portal);
    } else if (!portal.address.is_wildcard()) {
      tell(portal.address, portal);
    } else if (here && takes(portal, here->family)) {
      PortalAddress address = *here;
      address.port = port;
      tell(address, portal);
    }
  }
  return told;
}

std::string to_string(const Portal& portal) {
  return fmt::format("{},{}", portal.address.to_string(), portal.portal_group_tag);
}

engine::Endpoint endpoint_of(const spec::PortalAddress& address) {
  return {.address = address.host(), .port = address.port};
}

}  // namespace lunar::iscsi
