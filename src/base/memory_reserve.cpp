#include "base/memory_reserve.h"

#include <malloc.h>
#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <new>

namespace lunar::memory_reserve {

namespace detail {
constinit thread_local bool short_of_memory = false;
}

namespace {

// Each piece is a mapping of its own, so that freeing it returns address space, too.
constexpr std::size_t kPieceBytes = 512 * 1024;
constexpr std::size_t kPieces = 16;
constinit std::array<std::atomic<void*>, kPieces> pieces{};
constinit std::atomic<bool> installed{false};

void* map_piece() {
  return mmap(nullptr, kPieceBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

void use_a_piece() {
  detail::short_of_memory = true;
  for (std::atomic<void*>& piece : pieces) {
    if (void* memory = piece.exchange(nullptr); memory != nullptr) {
      munmap(memory, kPieceBytes);
      return;
    }
  }
  throw std::bad_alloc();
}

}  // namespace

void install() {
  installed.store(true, std::memory_order_relaxed);
  refill();
  std::set_new_handler(&use_a_piece);
}

void refill() noexcept {
  if (!installed.load(std::memory_order_relaxed)) return;
  for (std::atomic<void*>& piece : pieces) {
    if (piece.load(std::memory_order_relaxed) != nullptr) continue;
    void* memory = map_piece();
    // The heap may still hold freed memory.
    if (memory == MAP_FAILED && malloc_trim(0) != 0) memory = map_piece();
    if (memory == MAP_FAILED) return;
    void* none = nullptr;
    if (!piece.compare_exchange_strong(none, memory)) munmap(memory, kPieceBytes);
  }
}

bool is_in_use() noexcept {
  if (!installed.load(std::memory_order_relaxed)) return false;
  refill();
  return std::ranges::any_of(pieces, [](const auto& piece) { return piece.load() == nullptr; });
}

}  // namespace lunar::memory_reserve
