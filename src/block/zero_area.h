// Read-only zeroes, shared by the whole process.
#pragma once

#include "base/bytes.h"

namespace lunar::block {

// kMaxTransferBytes of zeroes, page-aligned, backed by the kernel's one zero page: costs address
// space only. Thread-safe. To write there is a segmentation fault.
[[nodiscard]] Bytes zero_area();

}  // namespace lunar::block
