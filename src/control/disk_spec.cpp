#include <fmt/format.h>

#include <array>

#include "base/size.h"
#include "control/config.h"

namespace lunar::control {
namespace {

constexpr std::string_view kForms =
    "ram:SIZE, null:SIZE or file:PATH[,size=SIZE][,block=4096][,cache=buffered][,readonly]";

std::unexpected<Error> bad(std::string_view spec, std::string_view why) {
  return fail(ErrorCode::invalid_argument, fmt::format("--disk {}: {}", spec, why));
}

Result<void> apply(DeviceConfig& device, std::string_view key, std::string_view value,
                   bool has_value) {
  const bool is_file = device.type == DeviceType::file;
  if (key == "block" && has_value) {
    if (value != "512" && value != "4096") {
      return fail(ErrorCode::invalid_argument,
                  fmt::format("block={} is neither 512 nor 4096", value));
    }
    device.block_size = value == "512" ? 512 : 4096;
  } else if (key == "size" && has_value && is_file) {
    LUNAR_TRY_ASSIGN(device.size, parse_size(value));
  } else if (key == "cache" && has_value && is_file) {
    if (value != "direct" && value != "buffered") {
      return fail(ErrorCode::invalid_argument,
                  fmt::format("cache={} is neither direct nor buffered", value));
    }
    device.buffered = value == "buffered";
  } else if (key == "uuid" && has_value) {
    LUNAR_TRY_ASSIGN(device.uuid, Uuid::parse(value));
  } else if (key == "readonly" && !has_value && is_file) {
    device.read_only = true;
  } else {
    return fail(ErrorCode::invalid_argument, fmt::format("unknown option '{}'", key));
  }
  return {};
}

}  // namespace

Result<DeviceConfig> parse_disk(std::string_view spec) {
  const std::size_t colon = spec.find(':');
  if (colon == std::string_view::npos) return bad(spec, fmt::format("not {}", kForms));
  const std::string_view kind = spec.substr(0, colon);
  std::string_view rest = spec.substr(colon + 1);
  const std::string_view first = rest.substr(0, rest.find(','));
  rest = first.size() == rest.size() ? std::string_view() : rest.substr(first.size() + 1);

  DeviceConfig device;
  if (kind == "ram" || kind == "null") {
    device.type = kind == "ram" ? DeviceType::ram : DeviceType::null;
    auto size = parse_size(first);
    if (!size) return bad(spec, size.error().message);
    device.size = *size;
  } else if (kind == "file") {
    device.type = DeviceType::file;
    if (first.empty()) return bad(spec, "no path");
    device.path = first;
  } else {
    return bad(spec, fmt::format("unknown kind '{}'; not {}", kind, kForms));
  }
  while (!rest.empty()) {
    const std::string_view option = rest.substr(0, rest.find(','));
    rest = option.size() == rest.size() ? std::string_view() : rest.substr(option.size() + 1);
    const std::size_t equals = option.find('=');
    const bool has_value = equals != std::string_view::npos;
    const auto applied = apply(device, option.substr(0, equals),
                               has_value ? option.substr(equals + 1) : "", has_value);
    if (!applied) return bad(spec, applied.error().message);
  }
  return device;
}

}  // namespace lunar::control
