// The kind "ram": what of a RAM disk people configure.
#pragma once

#include <cstdint>
#include <optional>

#include "backends/ram/ram.h"
#include "kinds/device_kind.h"

namespace lunar::backends {

struct RamParameters {
  ByteCount size{};
  std::uint32_t block_size = block::kMinBlockSize;
  std::optional<Uuid> uuid{};
  std::uint8_t protection = 0;  // 0: none
  RamPages pages = RamPages::automatic;
};

[[nodiscard]] const kinds::DeviceKind& ram_kind();

}  // namespace lunar::backends
