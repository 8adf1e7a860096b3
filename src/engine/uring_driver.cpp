#include "engine/uring_driver.h"

#include <fmt/format.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <utility>

#include "base/bytes.h"
#include "base/fatal.h"
#include "base/log.h"
#include "engine/clock.h"

namespace lunar::engine {
namespace {

Error ring_error(int negative_errno) {
  const char* hint = "";
  if (negative_errno == -ENOSYS || negative_errno == -EPERM) {
    hint =
        " (io_uring is not available: check /proc/sys/kernel/io_uring_disabled or the container's "
        "seccomp profile)";
  } else if (negative_errno == -EINVAL) {
    hint = " (Linux 6.1 or newer is needed)";
  }
  const bool scarce =
      negative_errno == -ENOMEM || negative_errno == -EMFILE || negative_errno == -ENFILE;
  if (scarce) hint = " (see ulimit -n, ulimit -l and ulimit -v)";
  return {scarce ? ErrorCode::no_resource : ErrorCode::unsupported,
          fmt::format("cannot set up io_uring: {}{}", std::strerror(-negative_errno), hint)};
}

// Transient errors of io_uring_enter() are retried in the next loop. Others are fatal. They are
// bugs of ours, such as a ring used from another thread; or -EBADR: the kernel had no memory for a
// completion, whose waiter would wait for ever.
void check_entered(int result) {
  if (result >= 0 || result == -ETIME || result == -EINTR || result == -EAGAIN ||
      result == -EBUSY) {
    return;
  }
  fatal(fmt::format("io_uring has failed, giving up: {}", std::strerror(-result)));
}

}  // namespace

Result<std::unique_ptr<UringDriver>> UringDriver::create() {
  std::unique_ptr<UringDriver> driver(new UringDriver);
  io_uring_params parameters{};
  parameters.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN |
                     IORING_SETUP_R_DISABLED | IORING_SETUP_CQSIZE | IORING_SETUP_TASKRUN_FLAG |
                     IORING_SETUP_SUBMIT_ALL;
  parameters.cq_entries = kCompletionEntries;
  if (const int result = io_uring_queue_init_params(kEntries, &driver->ring_, &parameters);
      result < 0) {
    return std::unexpected(ring_error(result));
  }
  driver->ring_open_ = true;
  driver->wake_fd_ = eventfd(0, EFD_CLOEXEC);
  if (driver->wake_fd_ < 0) {
    return fail(ErrorCode::no_resource,
                fmt::format("cannot make an eventfd: {}", std::strerror(errno)));
  }
  return driver;
}

UringDriver::~UringDriver() {
  close_ring();
  if (wake_fd_ >= 0) close(wake_fd_);
}

void UringDriver::close_ring() {
  if (enabled_) {
    // Bounded: cancelled polls complete at once, and nothing else is orphaned.
    for (int round = 0; round < 100 && orphans_ != 0; ++round) {
      wait(SteadyClock().now_ns() + 10 * kMillisecond);
    }
  }
  enabled_ = false;
  if (std::exchange(ring_open_, false)) io_uring_queue_exit(&ring_);
}

Result<void> UringDriver::enable() {
  // A direct system call: io_uring_enable_rings() is missing in liburing 2.3 of Debian 12.
  if (syscall(__NR_io_uring_register, ring_.ring_fd, IORING_REGISTER_ENABLE_RINGS, nullptr, 0) <
      0) {
    return std::unexpected(ring_error(-errno));
  }
  enabled_ = true;
  arm_wake();
  return {};
}

bool UringDriver::is_pinned(const BufferPool& pool, std::span<const std::byte> bytes) {
  if (!tried_to_pin_) [[unlikely]]
    pin(pool);
  // Compared as integers, because the bytes may lie anywhere.
  const auto begin = reinterpret_cast<std::uintptr_t>(bytes.data());
  const auto pinned = reinterpret_cast<std::uintptr_t>(pinned_.data());
  return range_fits(begin - pinned, bytes.size(), pinned_.size());
}

void UringDriver::pin(const BufferPool& pool) {
  tried_to_pin_ = true;
  const iovec part{pool.region(), std::min(pool.region_bytes(), kMaxPinnedBytes)};
  // Huge pages make it resident at once, instead of page by page.
  (void)madvise(part.iov_base, part.iov_len, MADV_HUGEPAGE);
  if (const int result = io_uring_register_buffers(&ring_, &part, 1); result < 0) {
    log::info("buffers are not pinned, which costs file I/O some speed: {} (see ulimit -l)",
              std::strerror(-result));
    return;
  }
  pinned_ = {pool.region(), part.iov_len};
}

io_uring_sqe* UringDriver::sqe() {
  io_uring_sqe* entry = io_uring_get_sqe(&ring_);
  while (entry == nullptr) {
    check_entered(io_uring_submit(&ring_));
    entry = io_uring_get_sqe(&ring_);
  }
  return entry;
}

void UringDriver::cancel(RingOp& op) {
  static RingOp ignored{[](RingOp&, std::int32_t, std::uint32_t) noexcept {}};
  io_uring_sqe* entry = sqe();
  io_uring_prep_cancel(entry, &op, 0);
  own(entry, ignored);
}

void UringDriver::arm_wake() {
  wake_read_.driver = this;
  wake_read_.complete = [](RingOp& op, std::int32_t, std::uint32_t) noexcept {
    static_cast<WakeRead&>(op).driver->arm_wake();
  };
  io_uring_sqe* entry = sqe();
  io_uring_prep_read(entry, wake_fd_, &wake_read_.value, sizeof wake_read_.value, 0);
  own(entry, wake_read_);
}

bool UringDriver::poll() {
  const unsigned flags = io_uring_smp_load_acquire(ring_.sq.kflags);
  const bool kernel_work = (flags & (IORING_SQ_TASKRUN | IORING_SQ_CQ_OVERFLOW)) != 0;
  if (io_uring_sq_ready(&ring_) != 0) {
    check_entered(io_uring_submit_and_get_events(&ring_));
  } else if (kernel_work) {
    check_entered(io_uring_get_events(&ring_));
  }
  return reap();
}

void UringDriver::wait(std::optional<std::uint64_t> deadline_ns) {
  io_uring_cqe* first = nullptr;
  if (!deadline_ns) {
    check_entered(io_uring_submit_and_wait(&ring_, 1));
  } else {
    const std::uint64_t now = SteadyClock().now_ns();
    const std::uint64_t left = *deadline_ns > now ? *deadline_ns - now : 0;
    __kernel_timespec timeout{static_cast<std::int64_t>(left / kSecond),
                              static_cast<long long>(left % kSecond)};
    check_entered(io_uring_submit_and_wait_timeout(&ring_, &first, 1, &timeout, nullptr));
  }
  reap();
}

bool UringDriver::reap() {
  bool any = false;
  constexpr unsigned kBatch = 128;
  io_uring_cqe* batch[kBatch];
  for (;;) {
    const unsigned count = io_uring_peek_batch_cqe(&ring_, batch, kBatch);
    for (unsigned i = 0; i < count; ++i) {
      auto& op = *static_cast<RingOp*>(io_uring_cqe_get_data(batch[i]));
      op.complete(op, batch[i]->res, batch[i]->flags);
    }
    io_uring_cq_advance(&ring_, count);
    any = any || count != 0;
    if (count < kBatch) return any;
  }
}

void UringDriver::wake() {
  const std::uint64_t one = 1;
  // Fails only if the counter is full; then a wake-up is pending anyway.
  [[maybe_unused]] const auto written = write(wake_fd_, &one, sizeof one);
}

}  // namespace lunar::engine
