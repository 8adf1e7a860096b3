// The kind "passthru".
#pragma once

#include "kinds/device_kind.h"

namespace lunar::layers {

struct PassthruParameters {};

[[nodiscard]] const kinds::DeviceKind& passthru_kind();

}  // namespace lunar::layers
