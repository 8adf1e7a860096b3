// What one core writes shares no cache line with what another core writes or reads all the time.
#pragma once

#include <cstddef>

namespace lunar {

constexpr std::size_t kCacheLine = 64;

}  // namespace lunar
