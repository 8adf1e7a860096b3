// The kind "null": what of a null disk people configure.
#pragma once

#include <cstdint>
#include <optional>

#include "backends/null/null.h"
#include "kinds/device_kind.h"

namespace lunar::backends {

struct NullParameters {
  ByteCount size{};
  std::uint32_t block_size = block::kMinBlockSize;
  std::optional<Uuid> uuid{};
};

[[nodiscard]] const kinds::DeviceKind& null_kind();

}  // namespace lunar::backends
