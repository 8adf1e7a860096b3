// Counts the heap allocations of a thread: this program replaces the malloc family, and so operator
// new, which uses malloc.
#pragma once

#include <cstdint>

namespace lunar::alloc_test {

// Allocations of the calling thread since it began.
[[nodiscard]] std::uint64_t allocations();

}  // namespace lunar::alloc_test
