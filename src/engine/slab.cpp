#include "engine/slab.h"

#include <array>
#include <new>
#include <utility>

namespace lunar::engine::slab {
namespace {

struct Free {
  Free* next;
};

// Bytes of free frames kept per size class. A peak must not hold memory for ever.
constexpr std::size_t kKeptBytes = 256 * 1024;

struct Cache {
  std::array<Free*, kClasses> lists{};
  std::array<std::size_t, kClasses> bytes{};

  Cache() = default;
  Cache(const Cache&) = delete;
  Cache& operator=(const Cache&) = delete;
  ~Cache() {
    for (Free* list : lists) {
      while (list != nullptr) ::operator delete(std::exchange(list, list->next));
    }
  }
};

thread_local Cache cache;

}  // namespace

void* allocate(std::size_t bytes) {
  const std::size_t index = (bytes - 1) / kGranule;
  if (index >= kClasses) return ::operator new(bytes);
  Free*& list = cache.lists[index];
  if (list == nullptr) return ::operator new((index + 1) * kGranule);
  Free* memory = list;
  list = memory->next;
  cache.bytes[index] -= (index + 1) * kGranule;
  return memory;
}

void deallocate(void* memory, std::size_t bytes) noexcept {
  const std::size_t index = (bytes - 1) / kGranule;
  if (index >= kClasses || cache.bytes[index] >= kKeptBytes) {
    ::operator delete(memory);
    return;
  }
  cache.bytes[index] += (index + 1) * kGranule;
  cache.lists[index] = new (memory) Free{cache.lists[index]};
}

}  // namespace lunar::engine::slab
