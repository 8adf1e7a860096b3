// parse_config on any text: a configuration or one line that says where it is wrong.
#include <algorithm>
#include <cstddef>
#include <cstdlib>

#include "app/device_kinds.h"
#include "control/config.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace lunar::control;
  const auto config = parse_config({reinterpret_cast<const char*>(data), size}, "fuzz.toml",
                                   lunar::app::device_kinds());
  if (!config) {
    if (!config.error().message.starts_with("fuzz.toml:")) std::abort();
    return 0;
  }
  // What build() relies on.
  for (const DeviceConfig& device : config->devices) {
    if (device.kind == nullptr) std::abort();
    if (device.is_layer() &&
        std::ranges::count(config->devices, device.base(), &DeviceConfig::name) != 1)
      std::abort();
  }
  for (const TargetConfig& target : config->targets) {
    for (const LunConfig& lun : target.luns) {
      if (std::ranges::count(config->devices, lun.device, &DeviceConfig::name) != 1) std::abort();
      if (std::ranges::count(target.luns, lun.lun, &LunConfig::lun) != 1) std::abort();
    }
  }
  return 0;
}
