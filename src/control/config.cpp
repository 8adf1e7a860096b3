#include "control/config.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

#include "scsi/spec/lun.h"

namespace lunar::control {

std::string_view to_string(DeviceType type) {
  switch (type) {
    case DeviceType::ram: return "ram";
    case DeviceType::null: return "null";
    case DeviceType::file: return "file";
    case DeviceType::passthru: return "passthru";
    case DeviceType::delay: return "delay";
    case DeviceType::error: return "error";
  }
  return "unknown type";
}

std::string_view to_string(PortGroupState state) {
  switch (state) {
    case PortGroupState::active_optimized: return "active/optimized";
    case PortGroupState::active_non_optimized: return "active/non-optimized";
    case PortGroupState::standby: return "standby";
    case PortGroupState::unavailable: return "unavailable";
    case PortGroupState::transitioning: return "transitioning";
  }
  return "unknown state";
}

bool is_layer(DeviceType type) {
  return type == DeviceType::passthru || type == DeviceType::delay || type == DeviceType::error;
}

Result<std::uint16_t> next_lun(const TargetConfig& target) {
  if (target.luns.empty()) return std::uint16_t{0};
  const std::uint16_t highest = std::ranges::max_element(target.luns, {}, &LunConfig::lun)->lun;
  if (highest >= scsi::spec::kMaxLun) {
    return fail(ErrorCode::out_of_range,
                fmt::format("no LUN is left above {}: give a number", highest));
  }
  return static_cast<std::uint16_t>(highest + 1);
}

Result<void> check_size(const DeviceConfig& device) {
  const bool needed = device.type == DeviceType::ram || device.type == DeviceType::null;
  if (!device.size) {
    if (needed) return fail(ErrorCode::invalid_argument, "is missing");
    return {};
  }
  constexpr std::uint32_t kSmallestBlock = 512;
  const std::uint32_t block_size = device.block_size.value_or(kSmallestBlock);
  if (*device.size == 0 || *device.size % block_size != 0) {
    return fail(ErrorCode::invalid_argument,
                fmt::format("{} bytes are not one or more whole blocks of {} bytes", *device.size,
                            block_size));
  }
  return {};
}

Result<Config> load_config(const std::string& path) {
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
  return parse_config(contents.view(), path);
}

}  // namespace lunar::control
