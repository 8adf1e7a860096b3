#include "engine/buffer_pool.h"

#include <sys/mman.h>

#include <algorithm>
#include <bit>
#include <cassert>
#include <new>

#include "base/bytes.h"
#include "engine/shard.h"

namespace lunar::engine {

void Buffer::give_back() { std::exchange(pool_, nullptr)->release(std::exchange(data_, {})); }

void BufferWaiter::cancel() {
  unlink();
  buffer.reset();
  if (queued_in != nullptr) std::exchange(queued_in, nullptr)->serve_waiters();
}

BufferPool::BufferPool(std::size_t region_bytes, Shard& shard)
    : shard_(shard),
      region_bytes_(round_up(std::max<std::size_t>(region_bytes, 1), kMaxBufferBytes)) {
  heads_.fill(kNone);
  void* memory = mmap(nullptr, region_bytes_, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc();
  region_ = static_cast<std::byte*>(memory);
  pages_.resize(region_bytes_ >> kMinShift);
  // Lowest addresses come first, because they are pushed last.
  for (std::size_t at = region_bytes_; at != 0; at -= kMaxBufferBytes) {
    push_free(static_cast<std::uint32_t>((at - kMaxBufferBytes) >> kMinShift), kOrders - 1);
  }
  free_bytes_ = region_bytes_;
}

BufferPool::~BufferPool() {
  assert(free_bytes_ == region_bytes_ && "a buffer outlives its pool");
  munmap(region_, region_bytes_);
}

unsigned BufferPool::order_of(std::size_t bytes) {
  if (bytes <= kMinBufferBytes) return 0;
  return static_cast<unsigned>(std::bit_width(bytes - 1)) - kMinShift;
}

Buffer BufferPool::try_allocate(std::size_t bytes) {
  if (!waiters_.empty()) return {};  // first come, first served
  return take(bytes);
}

Buffer BufferPool::take(std::size_t bytes) {
  assert(bytes <= kMaxBufferBytes);
  const unsigned order = order_of(bytes);
  unsigned found = order;
  while (found < kOrders && heads_[found] == kNone) ++found;
  if (found == kOrders) return {};
  const std::uint32_t page = heads_[found];
  unlink_free(page);
  while (found > order) {
    --found;
    push_free(page + (1U << found), found);
  }
  pages_[page].order = static_cast<std::uint8_t>(order);
  const std::size_t size = kMinBufferBytes << order;
  free_bytes_ -= size;
  return Buffer(this, {region_ + (static_cast<std::size_t>(page) << kMinShift), size});
}

void BufferPool::release(std::span<std::byte> data) {
  free_bytes_ += data.size();
  auto page =
      static_cast<std::uint32_t>(static_cast<std::size_t>(data.data() - region_) >> kMinShift);
  unsigned order = pages_[page].order;
  while (order + 1 < kOrders) {
    const std::uint32_t buddy = page ^ (1U << order);
    if (!pages_[buddy].free || pages_[buddy].order != order) break;
    unlink_free(buddy);
    page &= ~(1U << order);
    ++order;
  }
  push_free(page, order);
  if (!waiters_.empty()) serve_waiters();
}

void BufferPool::wait(BufferWaiter& waiter) {
  waiters_.push_back(waiter);
  waiter.queued_in = this;
  serve_waiters();
}

void BufferPool::serve_waiters() {
  while (!waiters_.empty()) {
    Buffer buffer = take(waiters_.front().bytes);
    if (!buffer) return;
    BufferWaiter& waiter = waiters_.pop_front();
    waiter.queued_in = nullptr;
    waiter.buffer = std::move(buffer);
    shard_.enqueue(waiter);
  }
}

void BufferPool::push_free(std::uint32_t page, unsigned order) {
  FreeBlock& block = pages_[page];
  block = {kNone, heads_[order], static_cast<std::uint8_t>(order), true};
  if (block.next != kNone) pages_[block.next].previous = page;
  heads_[order] = page;
}

void BufferPool::unlink_free(std::uint32_t page) {
  FreeBlock& block = pages_[page];
  if (block.previous != kNone) {
    pages_[block.previous].next = block.next;
  } else {
    heads_[block.order] = block.next;
  }
  if (block.next != kNone) pages_[block.next].previous = block.previous;
  block.free = false;
}

}  // namespace lunar::engine
