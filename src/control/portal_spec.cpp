// What stands behind --listen, and what holds for all portals.
#include <fmt/format.h>

#include "control/declarations.h"
#include "iscsi/service/portals.h"
#include "iscsi/spec/names.h"
#include "schema/spec.h"

namespace lunar::control {
namespace {

Result<iscsi::Portal> portal_of(const PortalConfig& config) {
  return iscsi::make_portal(config.listen, config.tag, config.ipv4_too, config.advertise);
}

Result<PortalConfig> parse(std::string_view spec) {
  const schema::Record<PortalConfig>& declaration = portal_declaration();
  // An address that is empty is as wrong as any other.
  LUNAR_TRY(iscsi::spec::parse_portal_address(spec.substr(0, spec.find(','))));
  LUNAR_TRY_ASSIGN(const schema::Table table,
                   schema::parse_spec(declaration.parameters(), "a portal", spec));
  auto portal = declaration.read(table);
  if (portal) return std::move(*portal);
  return fail(ErrorCode::invalid_argument,
              fmt::format("{}: {}", portal.error().key, portal.error().why));
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
