// How often a thread asks the heap for memory. This program's malloc family counts, and with it
// operator new, which stands on malloc.
#pragma once

#include <cstdint>

namespace lunar::alloc_test {

// Of the calling thread, since it began.
[[nodiscard]] std::uint64_t allocations();

}  // namespace lunar::alloc_test
