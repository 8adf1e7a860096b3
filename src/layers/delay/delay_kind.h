// The kind "delay": what of a delay layer people configure.
#pragma once

#include <cstdint>

#include "kinds/device_kind.h"

namespace lunar::layers {

constexpr std::uint64_t kMaxDelayNs = 60'000'000'000;

struct DelayParameters {
  std::uint64_t read_ns = 0;
  std::uint64_t write_ns = 0;
};

[[nodiscard]] const kinds::DeviceKind& delay_kind();

}  // namespace lunar::layers
