// Size of a cache line. Data that one core writes must not share a line with data of other cores.
#pragma once

#include <cstddef>

namespace lunar {

constexpr std::size_t kCacheLine = 64;

}  // namespace lunar
