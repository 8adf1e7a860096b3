#include "control/declarations.h"

#include "engine/shard_group.h"
#include "iscsi/spec/names.h"
#include "scsi/core/lun_map.h"
#include "scsi/spec/lun.h"

namespace lunar::control {
namespace {

// A count is a number or text, a list of cores is text.
Result<void> read_shards(Config& to, const schema::Value& value) {
  if (value.as<std::int64_t>() != nullptr) {
    LUNAR_TRY_ASSIGN(const std::uint64_t count, schema::to_number(value, 1, UINT16_MAX));
    to.shards = std::to_string(count);
  } else {
    LUNAR_TRY_ASSIGN(to.shards, schema::to_text(value));
  }
  LUNAR_TRY(engine::parse_cores(to.shards));
  return {};
}

Result<std::string> check_listen(const std::string& text) {
  LUNAR_TRY(iscsi::spec::parse_portal_address(text));
  return text;
}

schema::Checked check_host(const HostConfig& host, const schema::Table&) {
  const auto selector = scsi::HostSelector::create(host.initiators, host.addresses);
  if (selector) return {};
  return schema::fault(host.addresses.empty() ? "initiator" : "address", selector.error().message);
}

// What is wrong by now is so without `advertise`, or only with it.
schema::Checked check_by_itself(const PortalConfig& portal, const schema::Table&) {
  PortalConfig plain = portal;
  plain.advertise.clear();
  if (const auto fits = check_portal(plain, {}); !fits)
    return schema::fault("ipv4", fits.error().message);
  if (const auto fits = check_portal(portal, {}); !fits)
    return schema::fault("advertise", fits.error().message);
  return {};
}

}  // namespace

const schema::Record<Config>& document_declaration() {
  static const schema::Record<Config> record(
      {schema::parsed(
           "log_level", &Config::log_level,
           [](const std::string& name) { return log::parse_level(name); },
           "trace, debug, info, warning, error or off")
           .by_default("info"),
       schema::Field<Config>("shards", schema::Type::text,
                             "how many shards, or on which cores: 2, \"0,2-3\"", read_shards)
           .by_default("one a core, at most 4"),
       schema::text("state", &Config::state, "the folder for what disks remember over restarts"),
       schema::section<Config>("device", {}, "the disks"),
       schema::section<Config>("target", target_declaration().parameters(),
                               "who shows which disk as which LUN"),
       schema::section<Config>("portal", portal_declaration().parameters(), "where to listen")});
  return record;
}

const schema::Record<TargetConfig>& target_declaration() {
  static const schema::Record<TargetConfig> record(
      {schema::parsed(
           "name", &TargetConfig::name,
           [](const std::string& name) { return iscsi::spec::parse_name(name); }, "an iSCSI name")
           .required(),
       schema::parsed(
           "alias", &TargetConfig::alias,
           [](const std::string& alias) { return iscsi::spec::parse_alias(alias); },
           "a word for people, shown at login"),
       schema::section<TargetConfig>("lun", lun_declaration().parameters(),
                                     "its logical units, for initiators that are of no host"),
       schema::section<TargetConfig>("host", host_declaration().parameters(),
                                     "initiators with logical units of their own"),
       schema::section<TargetConfig>("port_group", port_group_declaration().parameters(),
                                     "the states of the ways to it")});
  return record;
}

const schema::Record<HostConfig>& host_declaration() {
  static const schema::Record<HostConfig> record(
      {schema::text("name", &HostConfig::name, "unique in the target; a word for people")
           .required(),
       schema::texts("initiator", &HostConfig::initiators,
                     "iSCSI names; * is any text, ? one character"),
       schema::texts("address", &HostConfig::addresses, "where the connection comes from"),
       schema::section<HostConfig>("lun", lun_declaration().parameters(), "what it sees")},
      check_host);
  return record;
}

const schema::Record<LunConfig>& lun_declaration() {
  static const schema::Record<LunConfig> record(
      {schema::number("lun", &LunConfig::lun, 0, scsi::spec::kMaxLun, "once in a target or host")
           .by_default("0, then one above the highest"),
       schema::text("device", &LunConfig::device, "the name of a device").required(),
       schema::boolean("readonly", &LunConfig::read_only, "refuses writes"),
       schema::boolean("removable", &LunConfig::removable, "INQUIRY tells of a removable medium")});
  return record;
}

const schema::Record<PortGroupConfig>& port_group_declaration() {
  static const schema::Record<PortGroupConfig> record(
      {schema::number("tag", &PortGroupConfig::tag, 1, UINT16_MAX, "the tag of the portal group")
           .required(),
       schema::choice(
           "state", &PortGroupConfig::state,
           std::vector<schema::Named<AluaState>>(std::begin(kAluaStates), std::end(kAluaStates)),
           "at the start"),
       schema::boolean("preferred", &PortGroupConfig::preferred,
                       "the PREF bit of REPORT TARGET PORT GROUPS"),
       schema::boolean("implicit", &PortGroupConfig::implicit_changes,
                       "the target itself may change the state"),
       schema::boolean("explicit", &PortGroupConfig::explicit_changes,
                       "initiators may, by SET TARGET PORT GROUPS")});
  return record;
}

const schema::Record<PortalConfig>& portal_declaration() {
  static const schema::Record<PortalConfig> record(
      {schema::parsed("listen", &PortalConfig::listen, check_listen, "where: an address and a port")
           .required()
           .leading()
           .form("ADDR:PORT"),
       // It is the relative target port identifier too, of which 0 is reserved (SPC-5 §4.3.4).
       schema::number("tag", &PortalConfig::tag, 1, UINT16_MAX, "the target portal group tag"),
       schema::boolean("ipv4", &PortalConfig::ipv4_too, "of [::]: takes IPv4 too"),
       schema::texts("advertise", &PortalConfig::advertise, "what discovery tells instead")
           .form("ADDR:PORT")},
      check_by_itself);
  return record;
}

}  // namespace lunar::control
