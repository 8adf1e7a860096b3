// Memory for coroutine frames, so that starting a Task needs no malloc in steady state: size
// classes with a bounded free list per thread. A frame must be freed on the thread that allocated
// it, which shards guarantee.
#pragma once

#include <cstddef>

namespace lunar::engine::slab {

constexpr std::size_t kGranule = 128;  // bytes between size classes
constexpr std::size_t kClasses = 16;   // larger frames come from the heap

[[nodiscard]] void* allocate(std::size_t bytes);
void deallocate(void* memory, std::size_t bytes) noexcept;

}  // namespace lunar::engine::slab
