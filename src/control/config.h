// What to serve, as a value: from the command line, from a TOML file, or from both.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/log.h"
#include "lunar/result.h"
#include "lunar/types.h"
#include "lunar/uuid.h"

namespace lunar::control {

constexpr std::string_view kDefaultTarget = "iqn.2026-11.io.lunar:disks";
constexpr std::string_view kDefaultListen = "127.0.0.1:3260";

enum class DeviceType : std::uint8_t { ram, null, file, passthru, delay, error };
[[nodiscard]] std::string_view to_string(DeviceType type);

// One entry of the error layer (docs/backends/error.md).
struct ErrorInjection {
  std::string op = "any";  // a block::Op by name, or any
  std::string action;      // fail, corrupt, hang
  std::uint64_t lba = 0;
  std::uint64_t count = UINT64_MAX;
  std::uint64_t offset = 0;
  std::uint32_t times = 0;
};

struct DeviceConfig {
  std::string name;
  DeviceType type = DeviceType::ram;
  std::optional<std::uint64_t> size;  // bytes; ram and null need it
  std::optional<std::uint32_t> block_size;
  std::optional<Uuid> uuid;
  // file
  std::string path;
  bool buffered = false;
  bool read_only = false;
  // layers
  std::string base;
  std::uint64_t read_delay_us = 0;
  std::uint64_t write_delay_us = 0;
  std::vector<ErrorInjection> inject;
};

struct LunConfig {
  std::uint16_t lun = 0;
  std::string device;
  bool read_only = false;
  bool removable = false;
};

struct TargetConfig {
  std::string name;
  std::string alias;
  std::vector<LunConfig> luns;
};

struct PortalConfig {
  std::string listen;
  std::uint16_t tag = 1;
};

struct Config {
  std::string shards;
  std::optional<log::Level> log_level;
  std::vector<DeviceConfig> devices;
  std::vector<TargetConfig> targets;
  std::vector<PortalConfig> portals;
};

// "ram:1GiB", "null:1TiB", "file:PATH[,size=10GiB][,block=4096][,cache=buffered][,readonly]". The
// name is left empty. Errors name the SPEC and what is wrong with it.
Result<DeviceConfig> parse_disk(std::string_view spec);

// A TOML document; `source` names it in errors, which say the line and the key. Unknown keys are
// errors.
Result<Config> parse_config(std::string_view toml, std::string_view source);
// Reads and parses a file.
Result<Config> load_config(const std::string& path);

}  // namespace lunar::control
