// What stands behind --disk.
#include <fmt/format.h>

#include <algorithm>

#include "base/size.h"
#include "control/config.h"

namespace lunar::control {
namespace {

constexpr std::string_view kForms =
    "ram:SIZE, null:SIZE or file:PATH[,size=SIZE][,block=4096][,cache=buffered][,readonly]"
    "[,protection=1][,pages=huge]";

std::unexpected<Error> bad(std::string why) {
  return fail(ErrorCode::invalid_argument, std::move(why));
}

Result<void> set_size(DeviceConfig& device, std::string_view value) {
  LUNAR_TRY_ASSIGN(device.size, parse_size(value));
  return {};
}

Result<void> set_block(DeviceConfig& device, std::string_view value) {
  if (value != "512" && value != "4096")
    return bad(fmt::format("block={} is neither 512 nor 4096", value));
  device.block_size = value == "512" ? 512 : 4096;
  return {};
}

Result<void> set_cache(DeviceConfig& device, std::string_view value) {
  if (value != "direct" && value != "buffered")
    return bad(fmt::format("cache={} is neither direct nor buffered", value));
  device.buffered = value == "buffered";
  return {};
}

Result<void> set_readonly(DeviceConfig& device, std::string_view /*no value*/) {
  device.read_only = true;
  return {};
}

Result<void> set_uuid(DeviceConfig& device, std::string_view value) {
  LUNAR_TRY_ASSIGN(device.uuid, Uuid::parse(value));
  return {};
}

Result<void> set_protection(DeviceConfig& device, std::string_view value) {
  if (value != "1" && value != "2" && value != "3")
    return bad(fmt::format("protection={} is not 1, 2 or 3", value));
  device.protection = static_cast<std::uint8_t>(value[0] - '0');
  return {};
}

Result<void> set_pages(DeviceConfig& device, std::string_view value) {
  if (value != "huge" && value != "small")
    return bad(fmt::format("pages={} is neither huge nor small", value));
  device.huge_pages = value == "huge";
  return {};
}

enum class Of : std::uint8_t { all, file, ram, ram_and_file };

struct Option {
  std::string_view key;
  Of kinds;
  bool has_value;
  Result<void> (*set)(DeviceConfig&, std::string_view);

  [[nodiscard]] bool fits(DeviceType type) const {
    switch (kinds) {
      case Of::all: return true;
      case Of::file: return type == DeviceType::file;
      case Of::ram: return type == DeviceType::ram;
      case Of::ram_and_file: return type == DeviceType::file || type == DeviceType::ram;
    }
    return false;
  }
};
constexpr Option kOptions[] = {
    {"size", Of::file, true, set_size},   {"block", Of::all, true, set_block},
    {"cache", Of::file, true, set_cache}, {"readonly", Of::file, false, set_readonly},
    {"uuid", Of::all, true, set_uuid},    {"protection", Of::ram_and_file, true, set_protection},
    {"pages", Of::ram, true, set_pages}};

// "KEY" or "KEY=VALUE". `seen` has a bit for each row of kOptions that was there before.
Result<void> apply(DeviceConfig& device, std::string_view text, unsigned& seen) {
  const std::size_t equals = text.find('=');
  const bool has_value = equals != std::string_view::npos;
  const std::string_view key = text.substr(0, equals);
  const auto* option = std::ranges::find(kOptions, key, &Option::key);
  if (option == std::end(kOptions) || !option->fits(device.type)) {
    std::string known;
    for (const Option& each : kOptions) {
      if (!each.fits(device.type)) continue;
      known += fmt::format("{}{}", known.empty() ? "" : ", ", each.key);
    }
    return bad(
        fmt::format("{} has no option '{}' (it has {})", to_string(device.type), key, known));
  }
  if (has_value != option->has_value) {
    return bad(option->has_value ? fmt::format("{} needs a value: {}=…", key, key)
                                 : fmt::format("{} takes no value", key));
  }
  const unsigned bit = 1U << (option - std::begin(kOptions));
  if ((seen & bit) != 0) return bad(fmt::format("{} is given twice", key));
  seen |= bit;
  return option->set(device, has_value ? text.substr(equals + 1) : "");
}

// Cuts what stands before the next comma off `rest`; empties it after the last.
std::string_view next_part(std::optional<std::string_view>& rest) {
  const std::string_view part = rest->substr(0, rest->find(','));
  if (part.size() == rest->size()) {
    rest.reset();
  } else {
    rest->remove_prefix(part.size() + 1);
  }
  return part;
}

Result<DeviceConfig> parse(std::string_view spec) {
  const std::size_t colon = spec.find(':');
  if (colon == std::string_view::npos) {
    if (spec == "ram" || spec == "null") return bad(fmt::format("has no size: {}:1GiB", spec));
    if (spec == "file") return bad("has no path: file:PATH");
    const std::string path = spec.contains('/') ? fmt::format(" (file:{}?)", spec) : "";
    return bad(fmt::format("is not {}{}", kForms, path));
  }
  const std::string_view kind = spec.substr(0, colon);
  std::optional<std::string_view> rest = spec.substr(colon + 1);
  const std::string_view first = next_part(rest);

  DeviceConfig device;
  if (kind == "ram" || kind == "null") {
    device.type = kind == "ram" ? DeviceType::ram : DeviceType::null;
    if (first.empty()) return bad(fmt::format("has no size: {}:1GiB", kind));
    LUNAR_TRY(set_size(device, first));
  } else if (kind == "file") {
    device.type = DeviceType::file;
    if (first.empty()) return bad("has no path");
    device.path = first;
  } else {
    return bad(fmt::format("unknown kind '{}', not {}", kind, kForms));
  }
  unsigned seen = 0;
  while (rest) LUNAR_TRY(apply(device, next_part(rest), seen));
  if (auto fits = check_size(device); !fits) return wrap(fits.error(), "size");
  return device;
}

}  // namespace

Result<DeviceConfig> parse_disk(std::string_view spec) {
  std::string origin = fmt::format("--disk {}", spec);
  auto device = parse(spec);
  if (!device) return wrap(device.error(), origin);
  device->origin = std::move(origin);
  return device;
}

}  // namespace lunar::control
