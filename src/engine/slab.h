// Memory for coroutine frames: size classes with a free list a thread, of bounded length, so that
// starting a Task costs no malloc in steady state. A frame must be freed on the thread that made
// it, which a shard guarantees.
#pragma once

#include <cstddef>

namespace lunar::engine::slab {

constexpr std::size_t kGranule = 128;  // bytes between size classes
constexpr std::size_t kClasses = 16;   // larger frames come from the heap

[[nodiscard]] void* allocate(std::size_t bytes);
void deallocate(void* memory, std::size_t bytes) noexcept;

}  // namespace lunar::engine::slab
