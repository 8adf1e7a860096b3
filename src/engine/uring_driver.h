// A shard's driver on the kernel: one io_uring with one submitter, whose completions run when the
// loop asks (IORING_SETUP_SINGLE_ISSUER, IORING_SETUP_DEFER_TASKRUN; Linux 6.1).
#pragma once

#include <liburing.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "base/cache_line.h"
#include "engine/buffer_pool.h"
#include "engine/driver.h"
#include "lunar/result.h"

namespace lunar::engine {

// One operation in the ring. Kept alive until `complete`, which poll() or wait() calls.
struct RingOp {
  using Complete = void (*)(RingOp&, std::int32_t result, std::uint32_t flags) noexcept;
  Complete complete = nullptr;
};

class alignas(kCacheLine) UringDriver final : public Driver {
 public:
  static Result<std::unique_ptr<UringDriver>> create();
  ~UringDriver() override;

  // Makes the calling thread the ring's submitter. Once, before all other calls except wake().
  Result<void> enable();
  // Closes the ring, on the submitting thread. Afterwards only wake() may be called, and does
  // nothing: other threads may be about to call it.
  void close_ring();

  // Gives an empty submission entry, submitting earlier ones if the ring is full. Fill it, then
  // own().
  io_uring_sqe* sqe();
  static void own(io_uring_sqe* entry, RingOp& op) { io_uring_sqe_set_data(entry, &op); }
  // Asks the kernel to end `op` early. The operation still completes.
  void cancel(RingOp& op);
  // Counts operations whose owner has gone. They still complete, and the driver waits for them when
  // it closes.
  void orphan_added() { ++orphans_; }
  void orphan_completed() { --orphans_; }

  // Whether `bytes` lie in the part of the shard's pool that the kernel has pinned for this ring.
  // If so, READ_FIXED and WRITE_FIXED with index kPinnedIndex save the kernel the page look-up. The
  // first call pins, as far as RLIMIT_MEMLOCK allows.
  bool is_pinned(const BufferPool& pool, std::span<const std::byte> bytes);
  static constexpr int kPinnedIndex = 0;
  // Small I/O gains most from pinning and rarely needs more, because the pool hands out its lowest
  // memory first. Two shards stay within the default limit of an ordinary user.
  static constexpr std::size_t kMaxPinnedBytes = 4 * kMiB;

  bool poll() override;
  void wait(std::optional<std::uint64_t> deadline_ns) override;
  void wake() override;

 private:
  static constexpr unsigned kEntries = 1024;
  static constexpr unsigned kCompletionEntries = 8192;

  struct WakeRead : RingOp {
    UringDriver* driver = nullptr;
    std::uint64_t value = 0;
  };

  UringDriver() = default;
  void arm_wake();
  void pin(const BufferPool& pool);
  bool reap();

  io_uring ring_{};
  bool ring_open_ = false;
  bool enabled_ = false;
  int wake_fd_ = -1;
  WakeRead wake_read_;
  std::size_t orphans_ = 0;
  bool tried_to_pin_ = false;
  std::span<const std::byte> pinned_;
};

}  // namespace lunar::engine
