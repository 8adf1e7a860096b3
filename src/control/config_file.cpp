// The TOML form of a Config: its declarations read table after table, and what must be true between
// tables; docs/configuration.md lists the keys.
#include <fmt/format.h>

#include <algorithm>
#include <bitset>
#include <set>

#include "control/declarations.h"
#include "control/toml_value.h"
#include "schema/nearest.h"
#include "scsi/spec/lun.h"

namespace lunar::control {
namespace {

using schema::Table;

class Parser {
 public:
  Parser(std::string_view source, const kinds::DeviceKinds& kinds)
      : source_(source), kinds_(kinds) {}

  Result<Config> parse(const Table& document) {
    LUNAR_TRY_ASSIGN(config_, read(document_declaration(), document, ""));
    // Devices first: the rest refers to them.
    for (const Table* row : schema::rows_of(document, "device")) LUNAR_TRY(device(*row));
    for (const Table* row : schema::rows_of(document, "target")) LUNAR_TRY(target(*row));
    for (const Table* row : schema::rows_of(document, "portal")) LUNAR_TRY(portal(*row));
    return std::move(config_);
  }

 private:
  [[nodiscard]] std::string where(const Table& table) const {
    return fmt::format("{}:{}", source_, table.line);
  }
  [[nodiscard]] std::unexpected<Error> wrong(const schema::Fault& fault,
                                             std::string_view path) const {
    return fail(ErrorCode::invalid_argument,
                fmt::format("{}:{}: {}{}{}: {}", source_, fault.line, path, path.empty() ? "" : ".",
                            fault.key, fault.why));
  }
  // At a key of a table, or at the table when it does not have the key.
  [[nodiscard]] std::unexpected<Error> wrong(const Table& table, std::string_view path,
                                             std::string_view key, std::string why) const {
    const schema::Value* value = table.find(key);
    return wrong({std::string(key), std::move(why), value == nullptr ? table.line : value->line},
                 path);
  }
  // `path` is how the table is called in errors ("target.lun"); empty: the document itself.
  template <class Options>
  Result<Options> read(const schema::Record<Options>& declaration, const Table& table,
                       std::string_view path) const {
    auto options = declaration.read(table);
    if (!options) return wrong(options.error(), path);
    return std::move(*options);
  }

  [[nodiscard]] bool has_device(std::string_view name) const {
    return device_names_.contains(name);
  }

  // What each kind has.
  struct Head {
    std::string name;
    std::size_t kind = 0;  // its place among kinds_
  };
  [[nodiscard]] schema::Record<Head> head_declaration() const {
    const auto read_type = [this](Head& to, const schema::Value& value) -> Result<void> {
      LUNAR_TRY_ASSIGN(to.kind, schema::to_choice(value, kinds_.names()));
      return {};
    };
    return {schema::text("name", &Head::name, "how the rest of the file calls it").required(),
            schema::Field<Head>("type", schema::Type::choice, "the kind", read_type).required()};
  }

  Result<void> device(const Table& table) {
    constexpr std::string_view kPath = "device";
    auto head = head_declaration_.read(table, {.also_known = {}, .others_allowed = true});
    if (!head) return wrong(head.error(), kPath);
    if (has_device(head->name))
      return wrong(table, kPath, "name", fmt::format("there is a device '{}' already", head->name));
    const kinds::DeviceKind& kind = **(kinds_.begin() + static_cast<std::ptrdiff_t>(head->kind));
    auto configured = kind.read(table, {.also_known = {"name", "type"}, .others_allowed = false});
    if (!configured) return wrong(configured.error(), kPath);
    DeviceConfig device{.origin = where(table),
                        .name = head->name,
                        .name_is_made_up = false,
                        .kind = &kind,
                        .configured = std::move(*configured)};
    // What stands below comes first, so that no two can stand on each other.
    if (const auto based = check_base(device, config_.devices); !based)
      return wrong(table, kPath, "base", based.error().message);
    device_names_.insert(device.name);
    config_.devices.push_back(std::move(device));
    return {};
  }

  Result<void> target(const Table& table) {
    constexpr std::string_view kPath = "target";
    LUNAR_TRY_ASSIGN(TargetConfig target, read(target_declaration(), table, kPath));
    target.origin = where(table);
    if (std::ranges::count(config_.targets, target.name, &TargetConfig::name) != 0)
      return wrong(table, kPath, "name", fmt::format("there is a target {} already", target.name));
    LUNAR_TRY(luns(table, "target.lun", target.luns));
    for (const Table* row : schema::rows_of(table, "host")) LUNAR_TRY(host(*row, target));
    for (const Table* row : schema::rows_of(table, "port_group"))
      LUNAR_TRY(port_group(*row, target));
    config_.targets.push_back(std::move(target));
    return {};
  }

  Result<void> host(const Table& table, TargetConfig& target) {
    constexpr std::string_view kPath = "target.host";
    LUNAR_TRY_ASSIGN(HostConfig host, read(host_declaration(), table, kPath));
    host.origin = where(table);
    if (std::ranges::count(target.hosts, host.name, &HostConfig::name) != 0)
      return wrong(table, kPath, "name", fmt::format("there is a host '{}' already", host.name));
    LUNAR_TRY(luns(table, "target.host.lun", host.luns));
    target.hosts.push_back(std::move(host));
    return {};
  }

  // Which numbers are taken: there may be 16,384.
  struct Numbers {
    std::bitset<scsi::spec::kMaxLun + 1> taken{};
    std::uint32_t next = 0;  // one above the highest
  };

  Result<void> luns(const Table& table, std::string_view path, std::vector<LunConfig>& to) const {
    Numbers numbers;
    for (const Table* row : schema::rows_of(table, "lun")) {
      LUNAR_TRY_ASSIGN(LunConfig read, lun(*row, path, numbers));
      to.push_back(std::move(read));
    }
    return {};
  }

  Result<LunConfig> lun(const Table& table, std::string_view path, Numbers& numbers) const {
    LUNAR_TRY_ASSIGN(LunConfig lun, read(lun_declaration(), table, path));
    lun.origin = where(table);
    if (table.find("lun") == nullptr) {
      if (numbers.next > scsi::spec::kMaxLun) {
        return wrong(table, path, "lun",
                     fmt::format("no LUN is left above {}: give a number", numbers.next - 1));
      }
      lun.lun = static_cast<std::uint16_t>(numbers.next);
    }
    if (numbers.taken.test(lun.lun))
      return wrong(table, path, "lun", fmt::format("there is a LUN {} already", lun.lun));
    if (!has_device(lun.device)) {
      const std::vector<std::string_view> names(device_names_.begin(), device_names_.end());
      return wrong(table, path, "device",
                   fmt::format("there is no device '{}'{}", lun.device,
                               schema::did_you_mean(lun.device, names)));
    }
    numbers.taken.set(lun.lun);
    numbers.next = std::max(numbers.next, lun.lun + 1U);
    return lun;
  }

  Result<void> port_group(const Table& table, TargetConfig& target) const {
    constexpr std::string_view kPath = "target.port_group";
    LUNAR_TRY_ASSIGN(PortGroupConfig group, read(port_group_declaration(), table, kPath));
    group.origin = where(table);
    if (std::ranges::count(target.port_groups, group.tag, &PortGroupConfig::tag) != 0)
      return wrong(table, kPath, "tag", fmt::format("there is a port group {} already", group.tag));
    target.port_groups.push_back(std::move(group));
    return {};
  }

  Result<void> portal(const Table& table) {
    constexpr std::string_view kPath = "portal";
    LUNAR_TRY_ASSIGN(PortalConfig portal, read(portal_declaration(), table, kPath));
    portal.origin = where(table);
    if (const auto fits = check_portal(portal, config_.portals); !fits) {
      return wrong(table, kPath, portal.advertise.empty() ? "listen" : "advertise",
                   fits.error().message);
    }
    config_.portals.push_back(std::move(portal));
    return {};
  }

  std::string_view source_;
  const kinds::DeviceKinds& kinds_;
  const schema::Record<Head> head_declaration_ = head_declaration();
  Config config_;
  std::set<std::string, std::less<>> device_names_;
};

}  // namespace

Result<Config> parse_config(std::string_view toml_text, std::string_view source,
                            const kinds::DeviceKinds& kinds) {
  LUNAR_TRY_ASSIGN(const toml::table document, parse_toml(toml_text, source));
  return Parser(source, kinds).parse(table_of(document));
}

}  // namespace lunar::control
