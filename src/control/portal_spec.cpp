// What stands behind --listen, and what holds for all portals.
#include <fmt/format.h>

#include "control/config.h"
#include "iscsi/service/portals.h"

namespace lunar::control {
namespace {

std::unexpected<Error> bad(std::string why) {
  return fail(ErrorCode::invalid_argument, std::move(why));
}

Result<iscsi::Portal> portal_of(const PortalConfig& config) {
  return iscsi::make_portal(config.listen, config.tag, config.ipv4_too, config.advertise);
}

Result<void> apply(PortalConfig& portal, std::string_view option) {
  constexpr std::string_view kAdvertise = "advertise=";
  if (option == "ipv4") {
    if (portal.ipv4_too) return bad("ipv4 is given twice");
    portal.ipv4_too = true;
  } else if (option.starts_with(kAdvertise)) {
    portal.advertise.emplace_back(option.substr(kAdvertise.size()));
  } else {
    return bad(
        fmt::format("a portal has no option '{}' (it has ipv4 and advertise=ADDR:PORT)", option));
  }
  return {};
}

Result<PortalConfig> parse(std::string_view spec) {
  PortalConfig portal;
  std::size_t comma = spec.find(',');
  portal.listen = spec.substr(0, comma);
  while (comma != std::string_view::npos) {
    spec.remove_prefix(comma + 1);
    comma = spec.find(',');
    LUNAR_TRY(apply(portal, spec.substr(0, comma)));
  }
  LUNAR_TRY(check_portal(portal, {}));
  return portal;
}

}  // namespace

Result<PortalConfig> parse_portal(std::string_view spec) {
  std::string origin = fmt::format("--listen {}", spec);
  auto portal = parse(spec);
  if (!portal) return wrap(portal.error(), origin);
  portal->origin = std::move(origin);
  return portal;
}

Result<void> check_portal(const PortalConfig& portal, std::span<const PortalConfig> others) {
  LUNAR_TRY_ASSIGN(const iscsi::Portal ours, portal_of(portal));
  for (const PortalConfig& other : others) {
    LUNAR_TRY_ASSIGN(const iscsi::Portal theirs, portal_of(other));
    LUNAR_TRY(iscsi::check_beside(ours, theirs));
  }
  return {};
}

}  // namespace lunar::control
