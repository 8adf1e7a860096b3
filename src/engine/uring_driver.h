// The kernel as a shard's driver: one io_uring, one submitter, completions run when the loop asks
// (IORING_SETUP_SINGLE_ISSUER, IORING_SETUP_DEFER_TASKRUN; Linux 6.1).
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

// One operation in the ring. Alive until `complete`, which is called from poll() or wait().
struct RingOp {
  using Complete = void (*)(RingOp&, std::int32_t result, std::uint32_t flags) noexcept;
  Complete complete = nullptr;
};

class alignas(kCacheLine) UringDriver final : public Driver {
 public:
  static Result<std::unique_ptr<UringDriver>> create();
  ~UringDriver() override;

  // Makes the calling thread the ring's submitter. Once, before any other call but wake().
  Result<void> enable();
  // Ends the ring, on the thread that submits to it. Only wake() may be called afterwards, which
  // does nothing then: other threads may still be about to.
  void close_ring();

  // An empty submission entry; submits earlier ones when the ring is full. Fill it, then own().
  io_uring_sqe* sqe();
  static void own(io_uring_sqe* entry, RingOp& op) { io_uring_sqe_set_data(entry, &op); }
  // Asks the kernel to end `op` early; it still completes.
  void cancel(RingOp& op);
  // An operation whose owner has gone still completes: the driver waits for those before it goes
  // away.
  void orphan_added() { ++orphans_; }
  void orphan_completed() { --orphans_; }

  // Whether the bytes lie in the part of the shard's pool that the kernel has pinned for this ring;
  // then READ_FIXED and WRITE_FIXED with index kPinnedIndex save it the look-up of their pages. The
  // first call pins, where the system lets it (RLIMIT_MEMLOCK).
  bool is_pinned(const BufferPool& pool, std::span<const std::byte> bytes);
  static constexpr int kPinnedIndex = 0;
  // The pool gives its lowest memory first: small I/O, for which it matters, hardly needs more. And
  // two shards stay within what Linux lets an ordinary user lock.
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
