// What the program says of its kinds of device, made of their declarations.
#pragma once

#include <string>

#include "kinds/device_kind.h"

namespace lunar::control {

// A line a kind, for the help of --disk: "  ram:SIZE[,block=512|4096]".
[[nodiscard]] std::string disk_help(const kinds::DeviceKinds& kinds);
// All of one kind, for `lunar help KIND`.
[[nodiscard]] std::string kind_help(const kinds::DeviceKind& kind);
// docs/reference/devices.md.
[[nodiscard]] std::string devices_page(const kinds::DeviceKinds& kinds);

}  // namespace lunar::control
