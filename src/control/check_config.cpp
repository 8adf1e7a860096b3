// What contradicts itself in a whole configuration, the command line's part in it included.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>

#include "control/config.h"
#include "lunar/block/request.h"

namespace lunar::control {
namespace {

std::unexpected<Error> wrong(const std::string& origin, std::string_view what) {
  return fail(ErrorCode::invalid_argument,
              origin.empty() ? std::string(what) : fmt::format("{}: {}", origin, what));
}

std::string in_brackets(const std::string& origin) {
  return origin.empty() ? "" : fmt::format(" ({})", origin);
}

class Checker {
 public:
  explicit Checker(const Config& config) : config_(config) {}

  Result<std::vector<std::string>> check() {
    for (const DeviceConfig& device : config_.devices) LUNAR_TRY(add_device(device));
    for (const TargetConfig& target : config_.targets) {
      LUNAR_TRY(add_luns(target, target.luns));
      for (const HostConfig& host : target.hosts) LUNAR_TRY(add_luns(target, host.luns));
      LUNAR_TRY(check_port_groups(target));
    }
    LUNAR_TRY(check_identities());
    return remarks();
  }

 private:
  struct Known {
    const DeviceConfig* config = nullptr;
    const Known* base = nullptr;  // of a layer
    std::size_t layers = 0;
    bool writable = true;
    bool used = false;
    std::string writer;                // who writes to it; empty: nobody
    const LunConfig* first = nullptr;  // the LUN that shows it first

    [[nodiscard]] const Known& medium() const { return base == nullptr ? *this : base->medium(); }
    [[nodiscard]] const std::string& name() const { return config->name; }
  };

  // There is one writer, a layer or a target.
  static Result<void> write_to(Known& device, const std::string& origin, std::string who) {
    if (!device.writable) {
      return wrong(
          origin, fmt::format("device '{}' is read-only, and {} writes to it", device.name(), who));
    }
    if (!device.writer.empty()) {
      return wrong(origin, fmt::format("device '{}' has one writer, which is {}: {} cannot have it",
                                       device.name(), device.writer, who));
    }
    device.writer = std::move(who);
    return {};
  }

  Result<void> add_device(const DeviceConfig& device) {
    Known known{.config = &device,
                .base = nullptr,
                .layers = 0,
                .writable = !device.facts().read_only,
                .used = false,
                .writer = {},
                .first = nullptr};
    if (device.is_layer()) {
      Known& base = devices_.at(device.base());
      base.used = true;
      known.base = &base;
      known.layers = base.layers + 1;
      if (known.layers > block::kMaxDeviceLayers) {
        return wrong(device.origin,
                     fmt::format("device '{}' makes a stack of {} layers; at most "
                                 "{} can stand on a device",
                                 device.name, known.layers, block::kMaxDeviceLayers));
      }
      LUNAR_TRY(
          write_to(base, device.origin, fmt::format("{} '{}'", device.kind->name(), device.name)));
    }
    devices_[device.name] = std::move(known);
    return {};
  }

  Result<void> add_luns(const TargetConfig& target, const std::vector<LunConfig>& luns) {
    for (const LunConfig& lun : luns) {
      Known& device = devices_.at(lun.device);
      device.used = true;
      if (device.first != nullptr) {
        const LunConfig& other = *device.first;
        if (other.read_only == lun.read_only && other.removable == lun.removable) continue;
        return wrong(lun.origin,
                     fmt::format("device '{}' is one logical unit, which LUN {}{} shows with other "
                                 "options (readonly, removable)",
                                 lun.device, other.lun, in_brackets(other.origin)));
      }
      device.first = &lun;
      if (!lun.read_only && device.writable)
        LUNAR_TRY(write_to(device, lun.origin, fmt::format("target {}", target.name)));
    }
    return {};
  }

  // Initiators would take two logical units for one disk.
  Result<void> check_identities() const {
    std::map<const Known*, const Known*> by_medium;
    std::map<Uuid, const Known*> by_uuid;
    for (const DeviceConfig& config : config_.devices) {
      const Known& device = devices_.at(config.name);
      if (device.first == nullptr) continue;
      const auto [same, is_first] = by_medium.emplace(&device.medium(), &device);
      if (!is_first) {
        return wrong(device.first->origin,
                     fmt::format("devices '{}' and '{}' are one medium, so that initiators would "
                                 "take their LUNs for one disk: show one of them",
                                 same->second->name(), device.name()));
      }
      const auto uuid = device.medium().config->facts().uuid;
      if (!uuid) continue;
      if (const auto [other, is_new] = by_uuid.emplace(*uuid, &device); !is_new) {
        return wrong(config.origin, fmt::format("device '{}' has the uuid of device '{}'{}: give "
                                                "each its own",
                                                device.name(), other->second->name(),
                                                in_brackets(other->second->config->origin)));
      }
    }
    return {};
  }

  Result<void> check_port_groups(const TargetConfig& target) const {
    std::set<std::uint16_t> tags;
    for (const PortalConfig& portal : config_.portals) tags.insert(portal.tag);
    for (const PortGroupConfig& group : target.port_groups) {
      if (tags.contains(group.tag)) continue;
      return wrong(group.origin, fmt::format("target.port_group.tag: no portal has the tag {} "
                                             "(there are {})",
                                             group.tag, fmt::join(tags, ", ")));
    }
    return {};
  }

  [[nodiscard]] std::vector<std::string> remarks() const {
    std::vector<std::string> lines;
    for (const DeviceConfig& device : config_.devices) {
      if (!devices_.at(device.name).used) {
        lines.push_back(fmt::format("{}: device '{}' is no LUN, and nothing stands on it",
                                    device.origin, device.name));
      }
    }
    return lines;
  }

  const Config& config_;
  std::map<std::string, Known, std::less<>> devices_;
};

}  // namespace

Result<std::vector<std::string>> check_config(const Config& config) {
  return Checker(config).check();
}

}  // namespace lunar::control
