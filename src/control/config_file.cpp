// The TOML form of a Config; docs/configuration.md lists its keys.
#include <fmt/format.h>

#include <algorithm>
#include <bitset>
#include <functional>
#include <set>

#include "control/config.h"
#include "control/toml_table.h"
#include "engine/shard_group.h"
#include "iscsi/spec/names.h"
#include "scsi/core/lun_map.h"
#include "scsi/spec/lun.h"

namespace lunar::control {
namespace {

using block::Op;
using block::Status;

template <class Value>
using Choice = std::pair<std::string_view, Value>;

constexpr Choice<DeviceType> kTypes[] = {
    {"ram", DeviceType::ram},           {"null", DeviceType::null},   {"file", DeviceType::file},
    {"passthru", DeviceType::passthru}, {"delay", DeviceType::delay}, {"error", DeviceType::error}};
constexpr Choice<bool> kCaches[] = {{"direct", false}, {"buffered", true}};
constexpr Choice<bool> kPages[] = {{"small", false}, {"huge", true}};
constexpr Choice<InjectAction> kActions[] = {
    {"fail", InjectAction::fail}, {"corrupt", InjectAction::corrupt}, {"hang", InjectAction::hang}};
constexpr Choice<std::optional<Op>> kOps[] = {
    {"any", std::nullopt},         {"read", Op::read},   {"write", Op::write},
    {"flush", Op::flush},          {"unmap", Op::unmap}, {"write_zeroes", Op::write_zeroes},
    {"write_same", Op::write_same}};
// What a medium can say; the rest of block::Status belongs to the waist.
constexpr Choice<Status> kStatuses[] = {{"aborted", Status::aborted},
                                        {"busy", Status::busy},
                                        {"gone", Status::gone},
                                        {"hardware_error", Status::hardware_error},
                                        {"no_space", Status::no_space},
                                        {"not_ready", Status::not_ready},
                                        {"read_error", Status::read_error},
                                        {"write_error", Status::write_error},
                                        {"write_protected", Status::write_protected}};

constexpr Choice<PortGroupState> kPortGroupStates[] = {
    {"active/optimized", PortGroupState::active_optimized},
    {"active/non-optimized", PortGroupState::active_non_optimized},
    {"standby", PortGroupState::standby},
    {"unavailable", PortGroupState::unavailable},
    {"transitioning", PortGroupState::transitioning}};

template <class Value, std::size_t N>
std::span<const Choice<Value>> all(const Choice<Value> (&choices)[N]) {
  return choices;
}

class Parser {
 public:
  explicit Parser(std::string_view source) : source_(source) {}

  Result<Config> parse(const toml::table& document) {
    TomlTable reader(document, source_, "");
    reader.parsed("log_level", config_.log_level,
                  [](const std::string& name) { return log::parse_level(name); });
    shards(document, reader);
    reader.text("state", config_.state);
    // Devices first: the rest refers to them.
    reader.tables("device", [this](const toml::table& table) { return device(table); });
    reader.tables("target", [this](const toml::table& table) { return target(table); });
    reader.tables("portal", [this](const toml::table& table) { return portal(table); });
    LUNAR_TRY(reader.finish());
    return std::move(config_);
  }

 private:
  // A count is a number or text, a list of cores is text.
  void shards(const toml::table& document, TomlTable& reader) {
    constexpr std::string_view kKey = "shards";
    if (const toml::node* node = document.get(kKey); node != nullptr && node->is_integer()) {
      std::uint32_t count = 0;
      reader.number(kKey, count, 1, UINT16_MAX);
      config_.shards = std::to_string(count);
    } else {
      reader.text(kKey, config_.shards);
    }
    if (reader.failed() || config_.shards.empty()) return;
    if (const auto cores = engine::parse_cores(config_.shards); !cores)
      reader.wrong(kKey, cores.error().message);
  }

  [[nodiscard]] bool has_device(std::string_view name) const {
    return device_names_.contains(name);
  }

  [[nodiscard]] std::size_t layers_of(std::string_view name) const {
    const auto found = std::ranges::find(config_.devices, name, &DeviceConfig::name);
    return is_layer(found->type) ? layers_of(found->base) + 1 : 0;
  }

  Result<void> device(const toml::table& table) {
    TomlTable reader(table, source_, "device");
    DeviceConfig device;
    device.origin = reader.where();
    reader.text("name", device.name);
    reader.choice("type", device.type, all(kTypes));
    reader.require("name");
    reader.require("type");
    if (has_device(device.name))
      reader.wrong("name", fmt::format("there is a device '{}' already", device.name));
    // The other keys depend on the type.
    if (reader.failed()) return reader.fault();
    if (is_layer(device.type)) {
      layer(reader, device);
    } else {
      medium(table, reader, device);
    }
    LUNAR_TRY(reader.finish());
    device_names_.insert(device.name);
    config_.devices.push_back(std::move(device));
    return {};
  }

  void medium(const toml::table& table, TomlTable& reader, DeviceConfig& device) {
    reader.size("size", device.size);
    block_size(table, reader, device);
    reader.parsed("uuid", device.uuid, [](const std::string& text) { return Uuid::parse(text); });
    if (device.type != DeviceType::null) {
      constexpr std::uint8_t kLastProtectionType = 3;
      reader.number("protection", device.protection, 1, kLastProtectionType);
    }
    if (device.type == DeviceType::ram) reader.choice("pages", device.huge_pages, all(kPages));
    if (device.type == DeviceType::file) {
      reader.text("path", device.path);
      reader.choice("cache", device.buffered, all(kCaches));
      reader.boolean("readonly", device.read_only);
      reader.require("path");
    } else {
      reader.require("size");
    }
    if (const auto fits = check_size(device); !fits) reader.wrong("size", fits.error().message);
  }

  void layer(TomlTable& reader, DeviceConfig& device) {
    reader.text("base", device.base);
    reader.require("base");
    // What stands below comes first, so that no two can stand on each other.
    if (!has_device(device.base)) {
      reader.wrong("base", fmt::format("there is no device '{}' above this one", device.base));
    } else if (const std::size_t layers = layers_of(device.base) + 1;
               layers > block::kMaxDeviceLayers) {
      reader.wrong("base", fmt::format("this makes a stack of {} layers; at most {} can stand on a "
                                       "device",
                                       layers, block::kMaxDeviceLayers));
    }
    if (device.type == DeviceType::delay) {
      reader.number("read_delay_us", device.read_delay_us, 0, kMaxDelayUs);
      reader.number("write_delay_us", device.write_delay_us, 0, kMaxDelayUs);
    } else if (device.type == DeviceType::error) {
      reader.tables("inject", [&](const toml::table& each) { return injection(each, device); });
    }
  }

  Result<void> injection(const toml::table& table, DeviceConfig& device) {
    TomlTable reader(table, source_, "device.inject");
    ErrorInjection inject;
    reader.choice("op", inject.op, all(kOps));
    reader.choice("action", inject.action, all(kActions));
    reader.number("lba", inject.lba, 0, INT64_MAX);
    reader.number("count", inject.count, 1, INT64_MAX);
    reader.number("times", inject.times, 0, UINT32_MAX);
    switch (inject.action) {
      case InjectAction::fail: reader.choice("status", inject.status, all(kStatuses)); break;
      case InjectAction::corrupt:
        reader.number("offset", inject.offset, 0, INT64_MAX);
        if (inject.op != Op::read) reader.wrong("action", "corrupt goes with op = \"read\"");
        break;
      case InjectAction::hang: break;
    }
    reader.require("action");
    LUNAR_TRY(reader.finish());
    device.inject.push_back(inject);
    return {};
  }

  Result<void> target(const toml::table& table) {
    TomlTable reader(table, source_, "target");
    TargetConfig target;
    target.origin = reader.where();
    reader.parsed("name", target.name,
                  [](const std::string& name) { return iscsi::spec::parse_name(name); });
    reader.parsed("alias", target.alias,
                  [](const std::string& alias) { return iscsi::spec::parse_alias(alias); });
    reader.require("name");
    if (std::ranges::count(config_.targets, target.name, &TargetConfig::name) != 0)
      reader.wrong("name", fmt::format("there is a target {} already", target.name));
    LunList luns{"target.lun", target.luns};
    reader.tables("lun", [&](const toml::table& each) { return lun(each, luns); });
    reader.tables("host", [&](const toml::table& each) { return host(each, target); });
    reader.tables("port_group", [&](const toml::table& each) { return port_group(each, target); });
    LUNAR_TRY(reader.finish());
    config_.targets.push_back(std::move(target));
    return {};
  }

  Result<void> host(const toml::table& table, TargetConfig& target) {
    TomlTable reader(table, source_, "target.host");
    HostConfig host;
    host.origin = reader.where();
    reader.text("name", host.name);
    reader.texts("initiator", host.initiators);
    reader.texts("address", host.addresses);
    reader.require("name");
    if (std::ranges::count(target.hosts, host.name, &HostConfig::name) != 0)
      reader.wrong("name", fmt::format("there is a host '{}' already", host.name));
    const std::string_view key = host.addresses.empty() ? "initiator" : "address";
    if (const auto selector = scsi::HostSelector::create(host.initiators, host.addresses);
        !selector && !reader.failed())
      reader.wrong(key, selector.error().message);
    LunList luns{"target.host.lun", host.luns};
    reader.tables("lun", [&](const toml::table& each) { return lun(each, luns); });
    LUNAR_TRY(reader.finish());
    target.hosts.push_back(std::move(host));
    return {};
  }

  // Where the tables go, and which numbers they have taken: there may be 16,384.
  struct LunList {
    std::string_view path;
    std::vector<LunConfig>& luns;
    std::bitset<scsi::spec::kMaxLun + 1> taken{};
    std::uint32_t next = 0;  // one above the highest
  };

  Result<void> lun(const toml::table& table, LunList& list) {
    TomlTable reader(table, source_, list.path);
    LunConfig lun;
    lun.origin = reader.where();
    reader.number("lun", lun.lun, 0, scsi::spec::kMaxLun);
    reader.text("device", lun.device);
    reader.boolean("readonly", lun.read_only);
    reader.boolean("removable", lun.removable);
    reader.require("device");
    if (!reader.has("lun")) {
      if (list.next > scsi::spec::kMaxLun)
        reader.wrong("lun", fmt::format("no LUN is left above {}: give a number", list.next - 1));
      lun.lun = static_cast<std::uint16_t>(std::min<std::uint32_t>(list.next, scsi::spec::kMaxLun));
    }
    if (list.taken.test(lun.lun))
      reader.wrong("lun", fmt::format("there is a LUN {} already", lun.lun));
    if (!has_device(lun.device))
      reader.wrong("device", fmt::format("there is no device '{}'", lun.device));
    LUNAR_TRY(reader.finish());
    list.taken.set(lun.lun);
    list.next = std::max(list.next, lun.lun + 1U);
    list.luns.push_back(std::move(lun));
    return {};
  }

  Result<void> port_group(const toml::table& table, TargetConfig& target) {
    TomlTable reader(table, source_, "target.port_group");
    PortGroupConfig group;
    group.origin = reader.where();
    reader.number("tag", group.tag, 1, UINT16_MAX);
    reader.choice("state", group.state, all(kPortGroupStates));
    reader.boolean("preferred", group.preferred);
    reader.boolean("implicit", group.implicit_changes);
    reader.boolean("explicit", group.explicit_changes);
    reader.require("tag");
    if (std::ranges::count(target.port_groups, group.tag, &PortGroupConfig::tag) != 0)
      reader.wrong("tag", fmt::format("there is a port group {} already", group.tag));
    LUNAR_TRY(reader.finish());
    target.port_groups.push_back(std::move(group));
    return {};
  }

  Result<void> portal(const toml::table& table) {
    TomlTable reader(table, source_, "portal");
    PortalConfig portal;
    portal.origin = reader.where();
    reader.parsed("listen", portal.listen, [](const std::string& text) -> Result<std::string> {
      LUNAR_TRY(iscsi::spec::parse_portal_address(text));
      return text;
    });
    // It is the relative target port identifier too, of which 0 is reserved (SPC-5 §4.3.4).
    reader.number("tag", portal.tag, 1, UINT16_MAX);
    reader.boolean("ipv4", portal.ipv4_too);
    std::vector<std::string> advertise;
    reader.texts("advertise", advertise);
    reader.require("listen");
    // What is wrong by now is so without `advertise`, or only with it, or only beside the others.
    if (const auto fits = check_portal(portal, {}); !fits && !reader.failed())
      reader.wrong("ipv4", fits.error().message);
    portal.advertise = std::move(advertise);
    if (const auto fits = check_portal(portal, {}); !fits && !reader.failed())
      reader.wrong("advertise", fits.error().message);
    if (const auto fits = check_portal(portal, config_.portals); !fits && !reader.failed())
      reader.wrong(portal.advertise.empty() ? "listen" : "advertise", fits.error().message);
    LUNAR_TRY(reader.finish());
    config_.portals.push_back(std::move(portal));
    return {};
  }

  // A number in TOML, of which there are two.
  static void block_size(const toml::table& table, TomlTable& reader, DeviceConfig& device) {
    std::uint32_t value = 512;
    reader.number("block_size", value, 512, 4096);
    if (!table.contains("block_size")) return;
    if (value != 512 && value != 4096)
      reader.wrong("block_size", fmt::format("must be 512 or 4096, not {}", value));
    device.block_size = value;
  }

  std::string_view source_;
  Config config_;
  std::set<std::string, std::less<>> device_names_;
};

}  // namespace

Result<Config> parse_config(std::string_view toml_text, std::string_view source) {
  LUNAR_TRY_ASSIGN(const toml::table document, parse_toml(toml_text, source));
  return Parser(source).parse(document);
}

}  // namespace lunar::control
