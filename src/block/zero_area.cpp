#include "block/zero_area.h"

#include <sys/mman.h>

#include <new>

#include "lunar/block/limits.h"

namespace lunar::block {

Bytes zero_area() {
  static const std::byte* const area = [] {
    void* memory = mmap(nullptr, kMaxTransferBytes, PROT_READ,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) throw std::bad_alloc();
    return static_cast<const std::byte*>(memory);
  }();
  return {area, kMaxTransferBytes};
}

}  // namespace lunar::block
