// A layer that makes its device slow, to see what latency does to those above.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>

#include "block/claim.h"

namespace lunar::layers {

struct DelayOptions {
  // Nanoseconds that each op waits before it goes to the device, on average; by block::Op. 0: none.
  std::array<std::uint64_t, block::kOpCount> average_ns{};
  // The wait is uniform in average * (1 ± spread / 1000). 0: always the average. At most 1000.
  unsigned spread_per_mille = 0;
};

// Requests reach the base in the order of their due times, and those due at once in the order of
// their submission. An aborted request that still waits completes at once, without effect.
Result<std::unique_ptr<block::Device>> create_delay(std::string name, block::Claim base,
                                                    const DelayOptions& options);

}  // namespace lunar::layers
