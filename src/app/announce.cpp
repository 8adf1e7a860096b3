#include "app/announce.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <map>

#include "app/server_internals.h"
#include "base/size.h"

namespace lunar::app {

using control::DeviceConfig;

std::string describe(const DeviceConfig& config, const block::Device& device) {
  const block::Limits& limits = device.limits();
  std::string text(config.kind->name());
  if (config.is_layer()) {
    text += fmt::format(" over {}", config.base());
  } else if (const std::string location = device.location(); !location.empty()) {
    text += fmt::format(" {}", location);
  }
  text += fmt::format(" {}", format_size(limits.size().value));
  if (const std::string note = config.kind->note(device); !note.empty())
    text += fmt::format(", {}", note);
  if (limits.block_size != block::kMinBlockSize)
    text += fmt::format(", {}-byte blocks", limits.block_size);
  if (!device.capabilities().writable) text += ", read-only";
  return text;
}

std::string reachable(std::string_view listening) {
  constexpr std::string_view kAny4 = "0.0.0.0:";
  constexpr std::string_view kAny6 = "[::]:";
  if (listening.starts_with(kAny4))
    return fmt::format("127.0.0.1:{}", listening.substr(kAny4.size()));
  if (listening.starts_with(kAny6)) return fmt::format("[::1]:{}", listening.substr(kAny6.size()));
  return std::string(listening);
}

namespace {

// "127.0.0.1:3260", and what is special about it.
std::string describe_portal(const std::string& listening, const control::PortalConfig& portal) {
  std::string text = listening;
  if (portal.ipv4_too) text += " and IPv4";
  if (!portal.advertise.empty())
    text += fmt::format(" advertised as {}", fmt::join(portal.advertise, " and "));
  if (portal.tag != iscsi::kDefaultPortalGroupTag)
    text += fmt::format(" in portal group {}", portal.tag);
  return text;
}

// How the target is reached by each portal group; nothing where there is nothing to choose.
std::string describe_paths(const control::TargetConfig& target, const control::Config& config) {
  std::map<std::uint16_t, control::PortGroupConfig> groups;
  for (const control::PortalConfig& portal : config.portals) groups[portal.tag].tag = portal.tag;
  for (const control::PortGroupConfig& group : target.port_groups) {
    if (groups.contains(group.tag)) groups[group.tag] = group;
  }
  if (groups.size() == 1 && target.port_groups.empty()) return {};
  std::string text;
  for (const auto& [tag, group] : groups) {
    text += fmt::format("  portal group {}: {}{}\n", tag, to_string(group.state),
                        group.preferred ? ", preferred" : "");
  }
  return text;
}

}  // namespace

std::string announcement(Server& server, const control::Config& config) {
  const block::Registry& registry = *server.internals().registry;
  std::map<std::string_view, const DeviceConfig*> devices;
  for (const DeviceConfig& device : config.devices) devices[device.name] = &device;
  const auto line_of = [&](const control::LunConfig& lun, std::string_view indent) {
    const DeviceConfig& device = *devices.at(lun.device);
    const bool protects = lun.read_only && !device.facts().read_only;
    return fmt::format("{}LUN {}: {}{}\n", indent, lun.lun,
                       describe(device, registry.find(lun.device)->device()),
                       protects ? ", read-only" : "");
  };
  std::vector<std::string> portals;
  for (std::size_t i = 0; i < config.portals.size(); ++i)
    portals.push_back(describe_portal(server.listening()[i], config.portals[i]));
  std::string text =
      fmt::format("lunar serves on {}, {} {}\n", fmt::join(portals, ", "), server.shard_count(),
                  server.shard_count() == 1 ? "shard" : "shards");
  for (const control::TargetConfig& target : config.targets) {
    text += fmt::format("{}\n", target.name) + describe_paths(target, config);
    for (const control::LunConfig& lun : target.luns) text += line_of(lun, "  ");
    for (const control::HostConfig& host : target.hosts) {
      text += fmt::format("  host {}\n", host.name);
      for (const control::LunConfig& lun : host.luns) text += line_of(lun, "    ");
    }
  }
  text += fmt::format("Try it: iscsi-ls -s iscsi://{}/\n", reachable(server.listening().front()));
  return text;
}

}  // namespace lunar::app
