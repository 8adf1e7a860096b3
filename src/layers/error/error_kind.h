// The kind "error": what of an error layer people configure.
#pragma once

#include <vector>

#include "kinds/device_kind.h"
#include "layers/error/error.h"

namespace lunar::layers {

struct ErrorParameters {
  std::vector<ErrorRule> inject{};
};

[[nodiscard]] const kinds::DeviceKind& error_kind();

}  // namespace lunar::layers
