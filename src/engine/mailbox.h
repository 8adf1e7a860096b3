// Messages from one shard to another: a ring with one producer and one consumer. No lock and no
// atomic read-modify-write. Each side writes only its own cache line.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>

#include "base/cache_line.h"
#include "lunar/runnable.h"

namespace lunar::engine {

constexpr std::size_t kMailboxSlots = 256;  // a power of two

class Mailbox {
 public:
  // Producer only. False if full: keep the message, and try again after the consumer has run.
  bool push(Runnable& message) {
    const std::size_t tail = tail_.load(std::memory_order_relaxed);
    if (tail - cached_head_ == kMailboxSlots) {
      cached_head_ = head_.load(std::memory_order_acquire);
      if (tail - cached_head_ == kMailboxSlots) return false;
    }
    slots_[tail % kMailboxSlots] = &message;
    tail_.store(tail + 1,
                std::memory_order_seq_cst);  // before the producer reads the sleeping flag
    return true;
  }
  // Consumer only. Null when empty.
  Runnable* pop() {
    const std::size_t head = head_.load(std::memory_order_relaxed);
    if (head == tail_.load(std::memory_order_acquire)) return nullptr;
    Runnable* message = slots_[head % kMailboxSlots];
    head_.store(head + 1, std::memory_order_release);
    return message;
  }
  // Consumer only. Sequentially consistent, for the last check before sleeping.
  [[nodiscard]] bool empty() const {
    return head_.load(std::memory_order_relaxed) == tail_.load(std::memory_order_seq_cst);
  }

 private:
  alignas(kCacheLine) std::atomic<std::size_t> head_{0};  // the consumer's line
  alignas(kCacheLine) std::atomic<std::size_t> tail_{0};  // the producer's line
  std::size_t cached_head_ = 0;
  alignas(kCacheLine) std::array<Runnable*, kMailboxSlots> slots_{};
};

}  // namespace lunar::engine
