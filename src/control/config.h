// What to serve, as a value: from the command line, from a TOML file, or from both.
//
// What one of these functions gives is complete and consistent in itself: sizes fit their blocks,
// names are unique and well formed, references lead to something. Whether the machine has it (the
// file, the address, the core) shows when it is built.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/log.h"
#include "kinds/device_kind.h"
#include "lunar/alua.h"
#include "lunar/result.h"

namespace lunar::control {

// With the machine's token behind it: no two machines show targets of one name unless they are told
// to, which hosts would take for two ways to one target.
constexpr std::string_view kDefaultTargetPrefix = "iqn.2026-11.io.lunar:disks-";
constexpr std::string_view kDefaultListen = "127.0.0.1:3260";

// `origin` of these is where it was said ("--disk ram:1GiB", "lunar.toml:3"), for errors that show
// later; empty for defaults.
struct DeviceConfig {
  std::string origin;
  std::string name;
  bool name_is_made_up = false;  // of a --disk: with another before it, it would have another name
  const kinds::DeviceKind* kind = nullptr;  // never null in what these functions give
  kinds::Configured configured{};

  [[nodiscard]] bool is_layer() const { return kind->is_layer(); }
  // Of a layer: the name of a device earlier in Config::devices.
  [[nodiscard]] const std::string& base() const { return configured.base; }
  [[nodiscard]] kinds::Facts facts() const { return kind->facts(configured); }
};

struct LunConfig {
  std::string origin;
  std::uint16_t lun = 0;
  std::string device;
  bool read_only = false;
  bool removable = false;
};

struct PortGroupConfig {
  std::string origin;
  std::uint16_t tag = 1;
  AluaState state = AluaState::active_optimized;
  bool preferred = false;
  bool implicit_changes = true;
  bool explicit_changes = false;
};

// Initiators with numbers of their own.
struct HostConfig {
  std::string origin;
  std::string name;
  std::vector<std::string> initiators;  // names or patterns, as given
  std::vector<std::string> addresses;   // ranges, as given
  std::vector<LunConfig> luns;
};

struct TargetConfig {
  std::string origin;
  std::string name;  // in its normal form (RFC 7143 §4.2.7.2: lower case)
  std::string alias;
  std::vector<LunConfig> luns;
  std::vector<PortGroupConfig> port_groups{};
  std::vector<HostConfig> hosts{};
};

struct PortalConfig {
  std::string origin;
  std::string listen;
  std::uint16_t tag = 1;
  bool ipv4_too = false;                 // of [::]
  std::vector<std::string> advertise{};  // addresses, as given
};

struct Config {
  std::string shards;
  std::optional<log::Level> log_level;
  std::string state;  // a folder; empty: the default one
  std::vector<DeviceConfig> devices;
  std::vector<TargetConfig> targets;
  std::vector<PortalConfig> portals;
  std::vector<std::string> remarks{};  // what is odd and served all the same, a line each
};

// The number that a LUN without one gets: one above the highest. out_of_range: there is none.
Result<std::uint16_t> next_lun(const TargetConfig& target);

// A layer stands on one of the devices before it, and makes no deeper stack than kMaxDeviceLayers.
// invalid_argument; the error does not name the device.
Result<void> check_base(const DeviceConfig& device, std::span<const DeviceConfig> before);

// Whether all of it fits together: each device has one writer and no deeper stack than
// kMaxDeviceLayers, no two disks have one identity, and each port group has a portal. Errors begin
// with the origin. The result: remarks.
Result<std::vector<std::string>> check_config(const Config& config);

// "KIND:…", with what the kind declares: "ram:1GiB", "file:PATH,size=10GiB,readonly". The name is
// left empty. invalid_argument: what is wrong with it.
Result<DeviceConfig> parse_device(std::string_view spec, const kinds::DeviceKinds& kinds);
// The same as --disk has it, for its origin; errors name the SPEC.
Result<DeviceConfig> parse_disk(std::string_view spec, const kinds::DeviceKinds& kinds);

// "192.0.2.1:3260[,tag=N][,ipv4][,advertise=ADDR[:PORT]]…", as --listen has it. invalid_argument,
// naming the SPEC and what is wrong with it.
Result<PortalConfig> parse_portal(std::string_view spec);

// What is wrong with a portal, by itself and beside the others (iscsi/service/portals.h).
// invalid_argument; the error does not name the portal.
Result<void> check_portal(const PortalConfig& portal, std::span<const PortalConfig> others);

// A TOML document (docs/configuration.md); `source` names it in errors, which say "SOURCE:LINE:
// KEY: what is wrong". malformed: it is no TOML; invalid_argument: anything else.
Result<Config> parse_config(std::string_view toml, std::string_view source,
                            const kinds::DeviceKinds& kinds);
// Reads and parses a file. Its own errors: not_found, permission, io, naming the path.
Result<Config> load_config(const std::string& path, const kinds::DeviceKinds& kinds);

}  // namespace lunar::control
