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
#include "lunar/block/request.h"
#include "lunar/block/status.h"
#include "lunar/result.h"
#include "lunar/types.h"
#include "lunar/uuid.h"

namespace lunar::control {

// With the machine's token behind it: no two machines show targets of one name unless they are told
// to, which hosts would take for two ways to one target.
constexpr std::string_view kDefaultTargetPrefix = "iqn.2026-11.io.lunar:disks-";
constexpr std::string_view kDefaultListen = "127.0.0.1:3260";
constexpr std::uint64_t kMaxDelayUs = 60'000'000;

enum class DeviceType : std::uint8_t { ram, null, file, passthru, delay, error };
[[nodiscard]] std::string_view to_string(DeviceType type);
// Stands on another device.
[[nodiscard]] bool is_layer(DeviceType type);

enum class InjectAction : std::uint8_t { fail, corrupt, hang };

// One rule of an error layer (docs/layers.md).
struct ErrorInjection {
  std::optional<block::Op> op;  // unset: every one
  InjectAction action = InjectAction::fail;
  std::optional<block::Status> status;  // of fail; unset: hardware_error
  std::uint64_t lba = 0;
  std::uint64_t count = UINT64_MAX;  // blocks
  std::uint64_t offset = 0;          // bytes, of corrupt
  std::uint32_t times = 0;           // on each shard; 0: always
};

// `origin` of these is where it was said ("--disk ram:1GiB", "lunar.toml:3"), for errors that show
// later; empty for defaults.
struct DeviceConfig {
  std::string origin;
  std::string name;
  bool name_is_made_up = false;  // of a --disk: with another before it, it would have another name
  DeviceType type = DeviceType::ram;
  std::optional<std::uint64_t> size;  // bytes; ram and null have it
  std::optional<std::uint32_t> block_size;
  std::optional<Uuid> uuid;
  std::uint8_t protection = 0;  // ram and file: the type of protection information; 0: none
  // ram: memory in huge pages; unset: the backend decides
  std::optional<bool> huge_pages;
  // file
  std::string path;
  bool buffered = false;
  bool read_only = false;
  // layers
  std::string base;  // the name of a device earlier in Config::devices
  std::uint64_t read_delay_us = 0;
  std::uint64_t write_delay_us = 0;
  std::vector<ErrorInjection> inject;
};

struct LunConfig {
  std::string origin;
  std::uint16_t lun = 0;
  std::string device;
  bool read_only = false;
  bool removable = false;
};

// As lunar::AluaState.
enum class PortGroupState : std::uint8_t {
  active_optimized,
  active_non_optimized,
  standby,
  unavailable,
  transitioning,
};
[[nodiscard]] std::string_view to_string(PortGroupState state);

struct PortGroupConfig {
  std::string origin;
  std::uint16_t tag = 1;
  PortGroupState state = PortGroupState::active_optimized;
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

// The size is there where the type needs it, and is whole blocks. The error does not name the
// device.
Result<void> check_size(const DeviceConfig& device);

// Whether all of it fits together: each device has one writer and no deeper stack than
// kMaxDeviceLayers, no two disks have one identity, and each port group has a portal. Errors begin
// with the origin. The result: remarks.
Result<std::vector<std::string>> check_config(const Config& config);

// "ram:1GiB", "null:1TiB", "file:PATH[,size=10GiB][,block=4096][,cache=buffered][,readonly]",
// each with [,uuid=UUID] also, ram and file with [,protection=1|2|3], ram with [,pages=huge|small].
// The name is left empty. invalid_argument, naming the SPEC and what is wrong with it.
Result<DeviceConfig> parse_disk(std::string_view spec);

// "192.0.2.1:3260[,ipv4][,advertise=ADDR[:PORT]]…", as --listen has it. invalid_argument, naming
// the SPEC and what is wrong with it.
Result<PortalConfig> parse_portal(std::string_view spec);

// What is wrong with a portal, by itself and beside the others (iscsi/service/portals.h).
// invalid_argument; the error does not name the portal.
Result<void> check_portal(const PortalConfig& portal, std::span<const PortalConfig> others);

// A TOML document (docs/configuration.md); `source` names it in errors, which say "SOURCE:LINE:
// KEY: what is wrong". malformed: it is no TOML; invalid_argument: anything else.
Result<Config> parse_config(std::string_view toml, std::string_view source);
// Reads and parses a file. Its own errors: not_found, permission, io, naming the path.
Result<Config> load_config(const std::string& path);

}  // namespace lunar::control
