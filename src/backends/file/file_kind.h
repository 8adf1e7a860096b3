// The kind "file". Its parameters are FileBackendOptions, without what is not for people.
#pragma once

#include "backends/file/file.h"
#include "kinds/device_kind.h"

namespace lunar::backends {

[[nodiscard]] const kinds::DeviceKind& file_kind();

}  // namespace lunar::backends
