#include "base/memory_reserve.h"

#include <array>
#include <atomic>
#include <cstdlib>
#include <new>

namespace lunar::memory_reserve {

namespace detail {
constinit thread_local bool short_of_memory = false;
}

namespace {

// Each piece is a mapping of its own, so that freeing it gives address space back as well.
constexpr std::size_t kPieceBytes = 512 * 1024;
constexpr std::size_t kPieces = 16;
constinit std::array<std::atomic<void*>, kPieces> pieces{};

void use_a_piece() {
  detail::short_of_memory = true;
  for (std::atomic<void*>& piece : pieces) {
    if (void* memory = piece.exchange(nullptr); memory != nullptr) {
      std::free(memory);
      return;
    }
  }
  throw std::bad_alloc();
}

}  // namespace

void install() {
  refill();
  std::set_new_handler(&use_a_piece);
}

void refill() noexcept {
  for (std::atomic<void*>& piece : pieces) {
    if (piece.load(std::memory_order_relaxed) != nullptr) continue;
    void* memory = std::malloc(kPieceBytes);
    if (memory == nullptr) return;
    void* none = nullptr;
    if (!piece.compare_exchange_strong(none, memory)) std::free(memory);
  }
}

}  // namespace lunar::memory_reserve
