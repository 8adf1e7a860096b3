// Front: the waist's upper side, one per device and shard, shared by all who use the device there
// (block/disk.h). Consumers (SCSI, later NVMe and vhost) submit here and nowhere else. It checks
// the range, counts, and emulates what the backend lacks, so that consumers meet one kind of
// device: one that does every Op, with FUA, at any size and alignment. Two things it cannot make
// up, so that consumers look at capabilities() first: unmap where the device has none
// (Status::unsupported), and kLend (an assertion).
#pragma once

#include <sys/uio.h>

#include <array>
#include <memory>
#include <span>
#include <string>

#include "base/cache_line.h"
#include "block/channel_slot.h"
#include "block/emulator.h"
#include "block/front_user.h"
#include "block/frozen_ranges.h"
#include "block/in_flight.h"
#include "block/range.h"
#include "block/statistics.h"
#include "engine/shard.h"
#include "engine/task.h"
#include "lunar/block/device.h"

namespace lunar::block {

// A request that has to be aborted after so long tells of a medium that hangs.
constexpr std::uint64_t kHungNs = 1 * engine::kSecond;

// Created, used and destroyed on its shard. The Device outlives it.
class alignas(kCacheLine) Front {
 public:
  // ErrorCode::invalid_argument when the device's limits contradict themselves; else what the
  // device says at once. One that takes its time is waited for by the requests (ChannelSlot).
  static Result<std::unique_ptr<Front>> open(Device& device, engine::Shard& shard,
                                             DeviceStatistics& statistics, const Reach& reach = {});
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
  // While there is one of these, every write is durable before it completes, as if each had kFua,
  // whoever submits it. For requests to come.
  class WriteThrough {
   public:
    explicit WriteThrough(Front& front) : front_(front) {
      ++front_.write_throughs_;
      front_.standing_flags_ = kFua;
    }
    WriteThrough(const WriteThrough&) = delete;
    WriteThrough& operator=(const WriteThrough&) = delete;
    ~WriteThrough() {
      if (--front_.write_throughs_ == 0) front_.standing_flags_ = 0;
    }

   private:
    Front& front_;
  };
  // See Channel::write_window; empty when the device has none, or when somebody has some of the
  // blocks for himself. A lease: see FrontUser.
  [[nodiscard]] std::span<std::byte> write_window(Lba lba, BlockCount count);

  // ---- Who uses it. Both leave by themselves when they are destroyed.
  void add(FrontUser& user) { users_.push_back(user); }
  void add(Borrowing& borrowing) { borrowings_.push_back(borrowing); }
  // This memory of the medium is about to change: every borrower of this shard copies what of it
  // has still to be sent. The caller has the range for itself (Exclusion::all), or more would be
  // lent at once.
  void keep_lent_data(std::span<const iovec> memory);

  // ---- Exclusive ranges: for RangeLocks.
  // New requests that overlap the range and are excluded wait until thaw(); completes when those
  // that were there before have ended, and leases of the range, too. Overlapping ranges may be
  // frozen at once.
  engine::Task<void> freeze(Range range, Exclusion exclusion);
  void thaw(const Range& range, Exclusion exclusion);
  [[nodiscard]] bool has_frozen(const Range& range, Exclusion exclusion) const {
    return frozen_.contains(range, exclusion);
  }
  // As submit(), but bypasses frozen ranges: only for the range's holder.
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
  // The device cannot be reached, and can be again.
  void lose() { channel_.lose(); }
  void reopen() { channel_.reopen(); }
  // It has not been reached for longer than its patience: requests end with Status::not_ready.
  [[nodiscard]] bool is_given_up() const { return channel_.is_given_up(); }
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

  Front(Device& device, engine::Shard& shard, DeviceStatistics& statistics, const Reach& reach);
  static Plan plan(Op op, bool fua, const Limits& limits, const Capabilities& capabilities);
  [[nodiscard]] bool must_wait(const Request& request);
  void start(Request& request, InFlight::Generation generation);
  [[nodiscard]] Status check(const Request& request) const;
  [[nodiscard]] Route route(const Request& request) const;
  void emulate(Request& request, bool refused);
  void account(Request& request, std::uint64_t submitted_ns);
  [[nodiscard]] std::string users_in_brackets();
  void tell_failure(Request& request);
  void tell_if_hung(Request& request);
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
  InFlight in_flight_;
  ChannelSlot channel_;
  Emulator emulator_;
  FrozenRanges frozen_;
  List<Request> parked_;  // until a frozen range thaws
  std::size_t write_throughs_ = 0;
  List<FrontUser> users_;
  List<Borrowing> borrowings_;
};

}  // namespace lunar::block
