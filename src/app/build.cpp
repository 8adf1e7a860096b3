#include "app/build.h"

#include "app/device_kinds.h"
#include "app/server_internals.h"

namespace lunar::app {
namespace {

using control::DeviceConfig;

Result<void> set_port_group(Server& server, const control::TargetConfig& target,
                            const control::PortGroupConfig& group) {
  return server.set_port_group(target.name, group.tag,
                               {.state = group.state,
                                .preferred = group.preferred,
                                .implicit_changes = group.implicit_changes,
                                .explicit_changes = group.explicit_changes});
}

Result<void> map_all(Server& server, const control::TargetConfig& target,
                     const std::vector<control::LunConfig>& luns, const std::string& host) {
  for (const control::LunConfig& lun : luns) {
    auto mapped =
        server.map(target.name, Lun(lun.lun), lun.device,
                   {.read_only = lun.read_only, .removable = lun.removable, .host = host});
    if (!mapped) return wrap(mapped.error(), lun.origin);
  }
  return {};
}

}  // namespace

Result<void> build(Server& server, const control::Config& config) {
  for (const DeviceConfig& device : config.devices) {
    const Server::Internals::Call call(server.internals());
    LUNAR_TRY(server.internals().check_not_ended("build()"));
    if (auto added = make_and_add(server.internals(), device); !added)
      return wrap(added.error(), device.origin);
  }
  for (const control::TargetConfig& target : config.targets) {
    if (auto added = server.add_target(target.name, target.alias); !added)
      return wrap(added.error(), target.origin);
    LUNAR_TRY(map_all(server, target, target.luns, ""));
    for (const control::HostConfig& host : target.hosts) {
      auto host_added = server.add_host(
          target.name, host.name, {.initiators = host.initiators, .addresses = host.addresses});
      if (!host_added) return wrap(host_added.error(), host.origin);
      LUNAR_TRY(map_all(server, target, host.luns, host.name));
    }
  }
  for (const control::TargetConfig& target : config.targets) {
    for (const control::PortGroupConfig& group : target.port_groups) {
      if (auto set = set_port_group(server, target, group); !set)
        return wrap(set.error(), group.origin);
    }
  }
  for (const control::PortalConfig& portal : config.portals) {
    if (auto added = server.add_portal(portal.listen, {.portal_group_tag = portal.tag,
                                                       .ipv4_too = portal.ipv4_too,
                                                       .advertise = portal.advertise});
        !added)
      return wrap(added.error(), portal.origin);
  }
  return {};
}

}  // namespace lunar::app
