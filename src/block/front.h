// Front: the waist's upper side, one per device and shard. Consumers (SCSI, later NVMe and vhost)
// submit here and nowhere else. It checks the range, counts, and emulates what the backend lacks,
// so that consumers meet one kind of device: one that does every Op, with FUA, at any size and
// alignment. Two things it cannot make up, so that consumers look at capabilities() first: unmap
// where the device has none (Status::unsupported), and kLend (an assertion).
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <string>

#include "base/cache_line.h"
#include "block/emulator.h"
#include "block/frozen_ranges.h"
#include "block/in_flight.h"
#include "block/range.h"
#include "block/statistics.h"
#include "engine/shard.h"
#include "engine/task.h"
#include "lunar/block/device.h"

namespace lunar::block {

// Who lets data come into write windows of a Front, and so changes the medium before it submits.
class WindowUser {
 public:
  // Completes when no window that overlaps the range is in use any more.
  virtual engine::Task<void> windows_finished(Range range) = 0;

 protected:
  ~WindowUser() = default;
};

// A request that has to be aborted after so long tells of a medium that hangs.
constexpr std::uint64_t kHungNs = 1 * engine::kSecond;

// Created, used and destroyed on its shard. The Device outlives it.
class alignas(kCacheLine) Front {
 public:
  // ErrorCode::invalid_argument when the device's limits contradict themselves; else what the
  // device says.
  static Result<std::unique_ptr<Front>> open(Device& device, engine::Shard& shard,
                                             DeviceStatistics& statistics);
  Front(const Front&) = delete;
  Front& operator=(const Front&) = delete;
  ~Front();

  // Starts `request`; its `done` is called from the shard's loop, never from inside. Any op is
  // welcome. `out_of_range` (also for read, write and compare above kMaxTransferBytes),
  // `write_protected` and the emulated outcomes come back the same way. The iovec array is the
  // waist's until `done`, which finds it unchanged (kLend aside).
  void submit(Request& request);
  // See Channel::abort. An emulated request stops before its next step.
  void abort(Request& request);
  // Whether every write is durable before it completes, as if each had kFua. For requests to come.
  void set_write_through(bool on) { standing_flags_ = on ? kFua : RequestFlags{0}; }
  // See Channel::write_window; empty when the device has none, or when somebody has some of the
  // blocks for himself.
  [[nodiscard]] std::span<std::byte> write_window(Lba lba, BlockCount count);
  // Whoever uses write_window() says when its windows are closed. Outlives the Front.
  void set_window_user(WindowUser& user) { window_user_ = &user; }

  // Who uses the device, for the log: "LUN 0 of iqn…". Called on this shard when something has gone
  // wrong.
  void set_user_name(std::function<std::string()> name) { user_name_ = std::move(name); }

  // ---- Exclusive ranges: for RangeLocks.
  // New requests that overlap the range and are excluded wait until thaw(); completes when those
  // that were there before have ended. Overlapping ranges may be frozen at once.
  engine::Task<void> freeze(Range range, Exclusion exclusion);
  void thaw(const Range& range, Exclusion exclusion);
  // As submit(), but no exclusion holds it: for who has the range.
  void submit_as_holder(Request& request);
  // A request may have to wait here before it starts, although the medium would take it at once.
  [[nodiscard]] bool has_frozen_ranges() const { return frozen_.any(); }

  // Memory for work that must not wait for what other consumers hold. Not while a request of the
  // same work is here: the emulation of that may need it.
  [[nodiscard]] WorkBuffers& work_buffers() { return emulator_.work_buffers(); }

  [[nodiscard]] Device& device() { return device_; }
  [[nodiscard]] const Limits& limits() const { return limits_; }
  [[nodiscard]] const Capabilities& capabilities() const { return capabilities_; }
  [[nodiscard]] engine::Shard& shard() { return shard_; }
  [[nodiscard]] std::size_t in_flight() const { return in_flight_.count(); }

  // What of the device changes while it serves: counts for requests that start from now on.
  void set_capacity(BlockCount capacity) { capacity_ = capacity.value; }
  void set_writable(bool writable) { writable_ = writable && capabilities_.writable; }
  // Completes when all requests that have started before have ended; others go on meanwhile.
  engine::Task<void> drain() { return in_flight_.drain(); }

  // Completes when no request is in flight; then the Front can be destroyed. No submit afterwards.
  engine::Task<void> stop();

 private:
  // What happens to an op here.
  enum class Route : std::uint8_t {
    native,   // to the channel, if it is not too large and lies well
    succeed,  // nothing to do
    emulate,
    refuse,
  };
  struct Plan {
    Route route = Route::native;
    std::uint64_t max_blocks = UINT64_MAX;  // for native; more is emulated
    bool moves_data = false;  // between buffers and the medium, so that alignment matters
  };
  // Front's frame in each request.
  struct Frame {
    Front* front = nullptr;
    std::uint64_t submitted_ns = 0;
    bool emulated = false;
    InFlight::Generation generation = 0;
  };

  Front(Device& device, engine::Shard& shard, DeviceStatistics& statistics,
        std::unique_ptr<Channel> channel);
  static Plan plan(Op op, bool fua, const Limits& limits, const Capabilities& capabilities);
  [[nodiscard]] bool must_wait(const Request& request);
  void start(Request& request, InFlight::Generation generation);
  [[nodiscard]] Status check(const Request& request) const;
  [[nodiscard]] Route route(const Request& request) const;
  void emulate(Request& request, bool refused);
  void account(Request& request, std::uint64_t submitted_ns);
  [[nodiscard]] std::string user_in_brackets() const;
  void tell_failure(Request& request) const;
  void tell_if_hung(Request& request) const;
  static void completed(Request& request) noexcept;

  Device& device_;
  engine::Shard& shard_;
  const Limits& limits_;
  const Capabilities& capabilities_;
  ShardStatistics& statistics_;
  RequestFlags standing_flags_ = 0;  // of every request
  std::uint64_t capacity_;           // blocks
  bool writable_;
  const std::uint64_t max_consumer_blocks_;          // kMaxTransferBytes
  std::array<std::array<Plan, kOpCount>, 2> plans_;  // [with FUA][op]
  std::unique_ptr<Channel> channel_;
  Emulator emulator_;
  InFlight in_flight_;
  FrozenRanges frozen_;
  List<Request> parked_;  // until a frozen range thaws
  WindowUser* window_user_ = nullptr;
  std::function<std::string()> user_name_;
};

}  // namespace lunar::block
