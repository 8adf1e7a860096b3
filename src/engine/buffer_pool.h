// Data buffers of one shard: contiguous and page-aligned, so fit for O_DIRECT. They come from one
// reserved region, which the kernel backs with memory as it is used. A binary buddy system: sizes
// are powers of two, and freed neighbours merge. If the pool is empty, callers queue. No malloc per
// I/O.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "engine/task.h"
#include "lunar/list.h"
#include "lunar/runnable.h"
#include "lunar/types.h"

namespace lunar::engine {

class BufferPool;

constexpr std::size_t kMinBufferBytes = 4 * kKiB;
constexpr std::size_t kMaxBufferBytes = 8 * kMiB;
constexpr std::size_t kDefaultPoolBytes = 256 * kMiB;  // address space per shard

// Owns a piece of the pool, and returns it when destroyed.
class Buffer {
 public:
  Buffer() = default;
  Buffer(Buffer&& other) noexcept
      : pool_(std::exchange(other.pool_, nullptr)), data_(std::exchange(other.data_, {})) {}
  Buffer& operator=(Buffer&& other) noexcept {
    std::swap(pool_, other.pool_);
    std::swap(data_, other.data_);
    return *this;
  }
  ~Buffer() { reset(); }

  void reset() {
    if (pool_ != nullptr) give_back();
  }
  explicit operator bool() const { return pool_ != nullptr; }
  // At least as large as requested.
  [[nodiscard]] std::span<std::byte> bytes() const { return data_; }
  [[nodiscard]] std::byte* data() const { return data_.data(); }
  [[nodiscard]] std::size_t size() const { return data_.size(); }

 private:
  friend class BufferPool;
  Buffer(BufferPool* pool, std::span<std::byte> data) : pool_(pool), data_(data) {}
  void give_back();

  BufferPool* pool_ = nullptr;
  std::span<std::byte> data_;
};

// A place in a pool's queue. When `bytes` are available, `buffer` holds them and run() is called
// from the shard's loop.
struct BufferWaiter : Runnable {
  std::size_t bytes = 0;
  Buffer buffer;
  BufferPool* queued_in = nullptr;  // set and cleared by the pool

  BufferWaiter() = default;
  ~BufferWaiter() { cancel(); }

  // Leaves the queue, or releases the buffer that it was given, and serves the waiters behind it.
  // Use this instead of unlink(), which would leave those waiting. Idempotent.
  void cancel();
};

class BufferPool {
 public:
  // `region_bytes` is rounded up to a multiple of kMaxBufferBytes. `shard` runs the waiters that
  // are served.
  BufferPool(std::size_t region_bytes, class Shard& shard);
  BufferPool(const BufferPool&) = delete;
  BufferPool& operator=(const BufferPool&) = delete;
  ~BufferPool();

  // At most kMaxBufferBytes. Returns an empty Buffer if none is free or others wait already.
  [[nodiscard]] Buffer try_allocate(std::size_t bytes);
  // Queues `waiter`. Waiters are served in order of arrival, at the earliest in the next loop.
  void wait(BufferWaiter& waiter);

  [[nodiscard]] std::size_t free_bytes() const { return free_bytes_; }
  [[nodiscard]] std::size_t region_bytes() const { return region_bytes_; }
  [[nodiscard]] bool has_waiters() { return !waiters_.empty(); }
  [[nodiscard]] std::byte* region() const { return region_; }

 private:
  friend class Buffer;
  friend struct BufferWaiter;
  static constexpr unsigned kMinShift = 12;
  static constexpr unsigned kOrders = 12;  // 4 KiB … 8 MiB
  struct FreeBlock {
    std::uint32_t previous = kNone;
    std::uint32_t next = kNone;
    std::uint8_t order = 0;
    bool free = false;
  };
  static constexpr std::uint32_t kNone = UINT32_MAX;

  [[nodiscard]] static unsigned order_of(std::size_t bytes);
  [[nodiscard]] Buffer take(std::size_t bytes);
  void release(std::span<std::byte> data);
  void push_free(std::uint32_t page, unsigned order);
  void unlink_free(std::uint32_t page);
  void serve_waiters();

  Shard& shard_;
  std::byte* region_ = nullptr;
  std::size_t region_bytes_;
  std::size_t free_bytes_ = 0;
  std::vector<FreeBlock> pages_;  // one per page; kept apart so that free buffers stay untouched
  std::array<std::uint32_t, kOrders> heads_;
  List<BufferWaiter> waiters_;
};

// co_await allocate(pool, bytes): gives a Buffer as soon as one is free.
class AllocateBuffer {
 public:
  AllocateBuffer(BufferPool& pool, std::size_t bytes) : pool_(pool) {
    waiter_.bytes = bytes;
    waiter_.buffer = pool.try_allocate(bytes);
  }
  bool await_ready() const noexcept { return static_cast<bool>(waiter_.buffer); }
  void await_suspend(std::coroutine_handle<> waiter) noexcept {
    waiter_.handle = waiter;
    waiter_.run = [](Runnable& self) noexcept { static_cast<Waiter&>(self).handle.resume(); };
    pool_.wait(waiter_);
  }
  Buffer await_resume() { return std::move(waiter_.buffer); }

 private:
  struct Waiter : BufferWaiter {
    std::coroutine_handle<> handle;
  };
  BufferPool& pool_;
  Waiter waiter_;
};

}  // namespace lunar::engine
