// The command line on top of the configuration file.
#include <fmt/format.h>

#include <algorithm>

#include "app/device_kinds.h"
#include "app/serve.h"
#include "engine/medium_name.h"
#include "engine/shard_group.h"
#include "iscsi/spec/names.h"

namespace lunar::app {
namespace {

using control::Config;
using control::DeviceConfig;
using control::TargetConfig;

// disk0, disk1, …: the first that no device of the file has.
std::string free_device_name(const Config& config) {
  for (std::size_t i = 0;; ++i) {
    std::string name = fmt::format("disk{}", i);
    if (std::ranges::count(config.devices, name, &DeviceConfig::name) == 0) return name;
  }
}

Result<std::string> target_name(const ServeOptions& options) {
  if (options.target.empty()) return default_target(engine::machine_token());
  auto name = iscsi::spec::parse_name(options.target);
  if (!name) return wrap(name.error(), "--target");
  return name;
}

Result<void> add_disks(Config& config, const ServeOptions& options) {
  const bool named = !options.target.empty();
  if (options.disks.empty() && !named) return {};
  auto name = target_name(options);
  if (!name) return std::unexpected(name.error());
  if (options.disks.empty()) {
    return fail(ErrorCode::invalid_argument,
                fmt::format("--target {}: it says where --disk goes, and there is no --disk",
                            options.target));
  }
  auto target = std::ranges::find(config.targets, *name, &TargetConfig::name);
  if (target == config.targets.end()) {
    config.targets.push_back({.origin = named ? fmt::format("--target {}", options.target) : "",
                              .name = std::move(*name),
                              .alias = {},
                              .luns = {},
                              .hosts = {}});
    target = std::prev(config.targets.end());
  }
  for (const std::string& spec : options.disks) {
    LUNAR_TRY_ASSIGN(DeviceConfig device, control::parse_disk(spec, device_kinds()));
    if (auto based = check_base(device, config.devices); !based)
      return wrap(based.error(), device.origin);
    const auto lun = next_lun(*target);
    if (!lun) return wrap(lun.error(), device.origin);
    device.name = free_device_name(config);
    device.name_is_made_up = true;
    target->luns.push_back({.origin = device.origin,
                            .lun = *lun,
                            .device = device.name,
                            .read_only = false,
                            .removable = false});
    config.devices.push_back(std::move(device));
  }
  return {};
}

Result<void> add_portals(Config& config, const ServeOptions& options) {
  for (const std::string& listen : options.listen) {
    LUNAR_TRY_ASSIGN(control::PortalConfig portal, control::parse_portal(listen));
    if (auto fits = control::check_portal(portal, config.portals); !fits)
      return wrap(fits.error(), portal.origin);
    config.portals.push_back(std::move(portal));
  }
  if (config.portals.empty())
    config.portals.push_back({.origin = {}, .listen = std::string(control::kDefaultListen)});
  return {};
}

}  // namespace

Result<std::string> default_target(std::string_view machine_token) {
  if (!machine_token.empty())
    return fmt::format("{}{}", control::kDefaultTargetPrefix, machine_token);
  return fail(ErrorCode::invalid_argument,
              "this machine has no /etc/machine-id to name a target after: give --target "
              "iqn.YYYY-MM.DOMAIN:NAME");
}

Result<Config> merge(const ServeOptions& options) {
  Config config;
  if (!options.config_path.empty()) {
    LUNAR_TRY_ASSIGN(config, control::load_config(options.config_path, device_kinds()));
  }
  if (!options.shards.empty()) {
    if (auto cores = engine::parse_cores(options.shards); !cores)
      return wrap(cores.error(), "--shards");
    config.shards = options.shards;
  }
  if (!options.log_level.empty()) {
    auto level = log::parse_level(options.log_level);
    if (!level) return wrap(level.error(), "--log-level");
    config.log_level = *level;
  }
  if (!options.state.empty()) config.state = options.state;
  LUNAR_TRY(add_disks(config, options));
  LUNAR_TRY(add_portals(config, options));
  const bool serves = std::ranges::any_of(config.targets, [](const TargetConfig& target) {
    const auto has_luns = [](const control::HostConfig& host) { return !host.luns.empty(); };
    return !target.luns.empty() || std::ranges::any_of(target.hosts, has_luns);
  });
  if (serves) {
    LUNAR_TRY_ASSIGN(const std::vector<std::string> remarks, control::check_config(config));
    for (const std::string& remark : remarks) config.remarks.push_back(remark);
    return config;
  }
  if (!options.config_path.empty()) {
    return fail(
        ErrorCode::invalid_argument,
        fmt::format("{}: nothing to serve: no target has a [[target.lun]]", options.config_path));
  }
  return fail(ErrorCode::invalid_argument,
              "nothing to serve: add a disk (--disk ram:1GiB) or a file (--config lunar.toml)");
}

}  // namespace lunar::app
