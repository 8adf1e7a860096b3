#include "control/config.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

#include "schema/nearest.h"
#include "scsi/spec/lun.h"

namespace lunar::control {

Result<std::uint16_t> next_lun(const TargetConfig& target) {
  if (target.luns.empty()) return std::uint16_t{0};
  const std::uint16_t highest = std::ranges::max_element(target.luns, {}, &LunConfig::lun)->lun;
  if (highest >= scsi::spec::kMaxLun) {
    return fail(ErrorCode::out_of_range,
                fmt::format("no LUN is left above {}: give a number", highest));
  }
  return static_cast<std::uint16_t>(highest + 1);
}

namespace {

// How many layers stand on each other, the device itself among them. All that it stands on is
// there.
std::size_t layers_of(const DeviceConfig& device, std::span<const DeviceConfig> before) {
  if (!device.is_layer()) return 0;
  return 1 + layers_of(*std::ranges::find(before, device.base(), &DeviceConfig::name), before);
}

}  // namespace

Result<void> check_base(const DeviceConfig& device, std::span<const DeviceConfig> before) {
  if (!device.is_layer()) return {};
  if (std::ranges::count(before, device.base(), &DeviceConfig::name) == 0) {
    std::vector<std::string_view> names;
    for (const DeviceConfig& each : before) names.emplace_back(each.name);
    return fail(ErrorCode::invalid_argument,
                fmt::format("there is no device '{}' before this one{}", device.base(),
                            schema::did_you_mean(device.base(), names)));
  }
  const std::size_t layers = layers_of(device, before);
  if (layers <= block::kMaxDeviceLayers) return {};
  return fail(ErrorCode::invalid_argument,
              fmt::format("this makes a stack of {} layers; at most {} can stand on a device",
                          layers, block::kMaxDeviceLayers));
}

Result<Config> load_config(const std::string& path, const kinds::DeviceKinds& kinds) {
  // A directory opens, and fails to be read: errno tells in either case.
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  std::ostringstream contents;
  if (file) file.peek();
  if (file.bad() || !file.is_open() || errno != 0) {
    const int error = errno;
    const ErrorCode code = error == EIO      ? ErrorCode::io
                           : error == EACCES ? ErrorCode::permission
                                             : ErrorCode::not_found;
    return fail(code, fmt::format("cannot read {}: {}", path, std::strerror(error)));
  }
  file.clear();  // an empty file is at its end already, and an empty document
  contents << file.rdbuf();
  return parse_config(contents.view(), path, kinds);
}

}  // namespace lunar::control
