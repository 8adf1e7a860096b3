#include "engine/uring_driver.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <thread>
#include <vector>

#include "engine/clock.h"
#include "engine/shard_group.h"

namespace lunar::engine {
namespace {

struct CountedOp : RingOp {
  CountedOp() {
    complete = [](RingOp& op, std::int32_t outcome, std::uint32_t) noexcept {
      auto& self = static_cast<CountedOp&>(op);
      ++self.completions;
      self.result = outcome;
    };
  }
  int completions = 0;
  std::int32_t result = 1;
};

void submit_nop(UringDriver& driver, RingOp& op) {
  io_uring_sqe* entry = driver.sqe();
  io_uring_prep_nop(entry);
  UringDriver::own(entry, op);
}

class UringDriverTest : public testing::Test {
 protected:
  UringDriverTest() { EXPECT_TRUE(driver_->enable()); }
  void nop(RingOp& op) { submit_nop(*driver_, op); }
  std::unique_ptr<UringDriver> driver_ = std::move(*UringDriver::create());
};

// More than both the submission ring and the completion ring hold: the kernel keeps the rest.
TEST_F(UringDriverTest, LosesNothingWhenBothRingsOverflow) {
  std::vector<CountedOp> ops(20'000);
  for (auto& op : ops) nop(op);
  while (driver_->poll()) {
  }
  EXPECT_TRUE(std::ranges::all_of(
      ops, [](const auto& op) { return op.completions == 1 && op.result == 0; }));
}

TEST_F(UringDriverTest, CompletionMaySubmitMoreThanTheRingHolds) {
  struct Spawner : RingOp {
    UringDriver* driver = nullptr;
    std::vector<CountedOp> ops{3000};
  } spawner;
  spawner.driver = driver_.get();
  spawner.complete = [](RingOp& op, std::int32_t, std::uint32_t) noexcept {
    auto& self = static_cast<Spawner&>(op);
    for (auto& child : self.ops) submit_nop(*self.driver, child);
  };
  nop(spawner);
  while (driver_->poll()) {
  }
  EXPECT_TRUE(std::ranges::all_of(spawner.ops, [](const auto& op) { return op.completions == 1; }));
}

TEST_F(UringDriverTest, PinsTheFirstPartOfAPool) {
  ShardGroupOptions options;
  options.pool_bytes = 2 * kMaxBufferBytes;
  const auto group = std::move(*ShardGroup::start(options));
  const auto look = [&]() -> Task<void> {
    const BufferPool& pool = Shard::current()->buffers();
    auto& driver = static_cast<UringDriver&>(Shard::current()->driver());
    const std::span<const std::byte> region(pool.region(), pool.region_bytes());
    constexpr std::size_t kPinned = UringDriver::kMaxPinnedBytes;
    // The user may have locked all memory that he is allowed elsewhere.
    const bool pins = driver.is_pinned(pool, region.first(kMinBufferBytes));
    EXPECT_TRUE(pins || geteuid() != 0);
    EXPECT_EQ(driver.is_pinned(pool, region.first(kPinned)), pins);
    EXPECT_FALSE(driver.is_pinned(pool, region.first(kPinned + 1)));
    EXPECT_FALSE(driver.is_pinned(pool, region.subspan(kPinned, kMinBufferBytes)));
    const std::array<std::byte, 512> elsewhere{};
    EXPECT_FALSE(driver.is_pinned(pool, elsewhere));
    co_return;
  };
  group->run_on(0, look);
}

TEST_F(UringDriverTest, WakeEndsTheNextWaitAlso) {
  driver_->poll();
  driver_->wake();
  driver_->wait(std::nullopt);
  std::thread waker([&] { driver_->wake(); });
  driver_->wait(std::nullopt);
  waker.join();
}

TEST_F(UringDriverTest, CancelledOpCompletes) {
  const int never = eventfd(0, EFD_CLOEXEC);
  CountedOp op;
  io_uring_sqe* entry = driver_->sqe();
  io_uring_prep_poll_add(entry, never, POLLIN);
  UringDriver::own(entry, op);
  driver_->poll();
  driver_->cancel(op);
  while (op.completions == 0) driver_->wait(std::nullopt);
  EXPECT_EQ(op.result, -ECANCELED);
  close(never);
}

// Submission and wait must be one system call. Takes the best of a few runs, as the machine may be
// busy.
TEST_F(UringDriverTest, WaitsOnceForItsDeadlineAlsoWithOpsToSubmit) {
  const int never = eventfd(0, EFD_CLOEXEC);
  constexpr std::uint64_t kWait = 50 * kMillisecond;
  std::uint64_t best = UINT64_MAX;
  CountedOp ops[5];
  for (auto& op : ops) {
    driver_->poll();
    io_uring_sqe* entry = driver_->sqe();
    io_uring_prep_poll_add(entry, never, POLLIN);
    UringDriver::own(entry, op);
    const std::uint64_t start = SteadyClock().now_ns();
    driver_->wait(start + kWait);
    best = std::min(best, SteadyClock().now_ns() - start);
  }
  EXPECT_GE(best, kWait);
  EXPECT_LT(best, 2 * kWait);
  close(never);
}

TEST_F(UringDriverTest, WakeAfterTheRingHasEndedIsHarmless) {
  driver_->close_ring();
  driver_->wake();
  driver_->close_ring();
}

}  // namespace
}  // namespace lunar::engine
