// Memory for emulations, which never waits for memory that a consumer holds.
#pragma once

#include <coroutine>
#include <cstdlib>
#include <memory>

#include "base/bytes.h"
#include "engine/buffer_pool.h"
#include "engine/shard.h"
#include "lunar/list.h"
#include "lunar/runnable.h"

namespace lunar::block {

constexpr std::size_t kReserveBytes = 64 * kKiB;

// Consumers hold buffers of the pool while their requests run. If such a request waited for one
// more and all others did the same, none would ever end. So an emulation takes what the pool has,
// or else a small reserve that only emulations use, one at a time, each for a bounded while. One
// shard.
class WorkBuffers {
 public:
  explicit WorkBuffers(engine::Shard& shard)
      : shard_(shard),
        reserve_(
            static_cast<std::byte*>(std::aligned_alloc(engine::kMinBufferBytes, kReserveBytes)),
            &std::free) {
    if (reserve_ == nullptr) throw std::bad_alloc();
  }
  WorkBuffers(const WorkBuffers&) = delete;
  WorkBuffers& operator=(const WorkBuffers&) = delete;

  // Returns the memory when destroyed.
  class Lease {
   public:
    Lease() = default;  // of nothing
    explicit Lease(engine::Buffer buffer) : bytes_(buffer.bytes()), buffer_(std::move(buffer)) {}
    explicit Lease(WorkBuffers& reserve)
        : bytes_(reserve.reserve_.get(), kReserveBytes), reserve_(&reserve) {}
    Lease(Lease&& other) noexcept
        : bytes_(other.bytes_),
          buffer_(std::move(other.buffer_)),
          reserve_(std::exchange(other.reserve_, nullptr)) {}
    Lease& operator=(Lease&&) = delete;
    ~Lease() {
      if (reserve_ != nullptr) reserve_->release();
    }
    [[nodiscard]] MutableBytes bytes() const { return bytes_; }

   private:
    MutableBytes bytes_;
    engine::Buffer buffer_;
    WorkBuffers* reserve_ = nullptr;
  };

  // co_await take(bytes): page-aligned memory, `bytes` or more from the pool, else kReserveBytes; a
  // Lease of nothing after cancel().
  class Take : engine::Runnable {
   public:
    Take(WorkBuffers& owner, std::size_t bytes)
        : owner_(owner), buffer_(owner.shard_.buffers().try_allocate(bytes)) {}
    [[nodiscard]] bool await_ready() {
      if (buffer_) return true;
      if (owner_.reserve_taken_) return false;
      owner_.reserve_taken_ = true;
      return true;
    }
    void await_suspend(std::coroutine_handle<> waiter) {
      waiter_ = waiter;
      run = [](engine::Runnable& self) noexcept { static_cast<Take&>(self).waiter_.resume(); };
      owner_.waiters_.push_back(*this);
    }
    Lease await_resume() {
      if (cancelled_) return {};
      return buffer_ ? Lease(std::move(buffer_)) : Lease(owner_);
    }
    // Waits no longer. Nothing when it does not wait: once served, it keeps what it has.
    void cancel() {
      if (!waiter_ || !owner_.forget(*this)) return;
      cancelled_ = true;
      owner_.shard_.enqueue(*this);
    }

   private:
    WorkBuffers& owner_;
    engine::Buffer buffer_;
    std::coroutine_handle<> waiter_;
    bool cancelled_ = false;
  };
  [[nodiscard]] Take take(std::size_t bytes) { return {*this, bytes}; }

 private:
  // Hands the reserve to the next in the queue, if any.
  void release() {
    if (waiters_.empty()) {
      reserve_taken_ = false;
    } else {
      shard_.enqueue(waiters_.pop_front());
    }
  }
  // Whether it stood in the queue.
  bool forget(engine::Runnable& waiter) {
    for (engine::Runnable& other : waiters_) {
      if (&other != &waiter) continue;
      waiter.unlink();
      return true;
    }
    return false;
  }

  engine::Shard& shard_;
  std::unique_ptr<std::byte, decltype(&std::free)> reserve_;
  bool reserve_taken_ = false;
  List<engine::Runnable> waiters_;
};

}  // namespace lunar::block
