// A Disk is one registered device as everybody shares it. It has any number of users, of any
// protocol: a logical unit, a namespace, a copy, a layer. What is one for all of them is here:
// claims, exclusive ranges, the Front of each shard, capacity, write protection, statistics, leases
// of write windows and loans of memory. So an atomic command of one user is atomic against every
// other.
//
// A user of the I/O path, on each shard:
//
//   Front* front = *co_await disk.open(shard);   // opened by the first, shared with the others
//   front->add(user);                            // its leases of write windows: FrontUser
//   … front->submit(request) …
//   co_await disk.close(shard);                  // closed with the last
//
// What changes for all at once is a DiskState. Users that have to know subscribe to it: DiskUser.
//
// Its device may be lost and come back (Device::tell). While it is lost, or is still being opened,
// requests wait in the Fronts, but no longer than its patience (block/channel_slot.h).
#pragma once

#include <sys/uio.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "block/ask.h"
#include "block/claim.h"
#include "block/front.h"
#include "block/range_lock.h"
#include "block/statistics.h"
#include "engine/mutex.h"
#include "engine/shard.h"
#include "engine/task.h"
#include "lunar/block/device.h"
#include "lunar/list.h"
#include "lunar/result.h"

namespace lunar::block {

struct DiskState {
  BlockCount capacity;
  bool write_protected = false;  // by the device, or by Disk::set_write_protected()
  bool operator==(const DiskState&) const = default;
};

// Somebody whom a change of the state concerns, on all of its shards. Leaves the Disk's list when
// it is destroyed.
class DiskUser : public ListHook {
 public:
  // On the home shard, one call at a time. The state becomes `disk_state`; completes when it is in
  // force wherever this user is. What takes something away (a smaller capacity, write protection)
  // is told first and obeyed by the Fronts then. It may be refused by an error, such as busy: those
  // who have agreed before are told of the old state again. What gives something is told last, and
  // an error changes nothing.
  virtual engine::Task<Result<void>> adopt(const DiskState& disk_state) = 0;
  // On the home shard. The device was lost, and can be reached again. Default: nothing to do.
  virtual engine::Task<void> came_back() { co_return; }

 protected:
  ~DiskUser() = default;
};

// Threading: "control side" is one thread at a time, and not while a method below "On any of its
// shards" is under way. The rest is immutable, or says where.
class Disk {
 public:
  enum class Stage : std::uint8_t {
    ready,
    opening,  // some shard that serves it has no channel yet
    lost,     // its device has said so
    closing,  // it has no user, and gets none any more: its device is about to go
  };

  // `shards`: all that may serve it, by index; the first is its home. They and the device outlive
  // it.
  Disk(Device& device, std::span<engine::Shard* const> shards,
       std::uint64_t patience_ns = kDevicePatienceNs);
  Disk(const Disk&) = delete;
  Disk& operator=(const Disk&) = delete;
  ~Disk();  // it is open nowhere

  [[nodiscard]] Device& device() const { return device_; }
  [[nodiscard]] const std::string& name() const { return device_.name(); }
  [[nodiscard]] std::span<engine::Shard* const> shards() const { return shards_; }
  // Where its state changes.
  [[nodiscard]] engine::Shard& home() const { return *shards_.front(); }
  [[nodiscard]] DeviceStatistics& statistics() const { return *statistics_; }
  // A user that is an atomic command has a range of these.
  [[nodiscard]] RangeLocks& range_locks() { return range_locks_; }

  // ---- Control side.

  // `owner`, which may use the device `owner_device` to do so ("passthru", "p"), is for errors.
  // busy: who has it does not share it, or it is closing; permission: write access to a device that
  // is read-only.
  Result<Claim> claim(Access access, std::string owner, std::string owner_device = {});
  // "OWNER (write)", "OWNER (read)", in the order of their claims.
  [[nodiscard]] std::vector<std::string> owners() const;
  void rename_owner(std::string_view owner_device, const std::string& new_name);
  // From now on it is closing. busy, naming an owner, while it is claimed; and while its device has
  // not answered what it was asked.
  Result<void> begin_closing();
  // From any thread: as it is about now.
  [[nodiscard]] Stage stage() const;
  // Who subscribes finds the present state, and is told of each change.
  void subscribe(DiskUser& user) { users_.push_back(user); }
  [[nodiscard]] const DiskState& state() const { return state_; }

  // ---- On any of its shards, and one after the other.

  // The Front of that shard, on that shard: the same for all who have opened it there, until each
  // has closed it. Errors are those of Front::open(); busy: the disk is closing.
  engine::Task<Result<Front*>> open(engine::Shard& shard);
  // When this user has no request there any more. It is no FrontUser there by now.
  engine::Task<void> close(engine::Shard& shard);

  // Makes the medium `size` bytes large, or, without it, takes what it has become by itself. Before
  // it gets smaller nobody asks for a block beyond the new end any more. busy, naming the owner,
  // when it is claimed exclusively: that one is to be resized; errors of users and of the device.
  // Then the capacity is what it was. io also when the device has not answered after
  // kDeviceDeadlineNs: then nobody asks for a block that may be gone, and its answer is taken when
  // it comes; until then another resize is busy.
  engine::Task<Result<void>> resize(std::optional<ByteCount> size);
  // When it has been turned on, no write changes the medium any more. permission: off, for a device
  // that is read-only; errors of users.
  engine::Task<Result<void>> set_write_protected(bool on);

  // Tells the device, once, that it is about to be destroyed, while it is open nowhere. io: it has
  // not answered after so long.
  engine::Task<Result<void>> close_device(std::uint64_t wait_ns);

  // Before memory of the medium changes in a way that must not show in what has been lent: every
  // borrower of every shard copies what it has still to send. The caller has the blocks for itself
  // (Exclusion::all). Which memory it is tells a read of them with kLend.
  engine::Task<void> keep_lent_data(std::span<const iovec> memory);

 private:
  friend class Claim;
  class Events;
  struct Holder {
    std::uint64_t id;
    Access access;
    std::string owner;
    std::string owner_device;
    [[nodiscard]] std::string describe() const;
  };
  // A shard's own.
  struct Part {
    std::unique_ptr<Front> front;  // null: nobody has opened it
    std::size_t users = 0;
  };

  [[nodiscard]] Result<void> check_beside(Access access, const std::string& owner,
                                          std::uint64_t id) const;
  [[nodiscard]] const Holder* exclusive_holder() const;
  void release(std::uint64_t id);

  engine::Task<Result<Front*>> open_from_home(engine::Shard& shard);
  engine::Task<Result<Front*>> open_there(engine::Shard& shard);
  engine::Task<void> close_from_home(engine::Shard& shard);
  engine::Task<void> close_there(engine::Shard& shard);
  engine::Task<Result<void>> resize_at_home(std::optional<ByteCount> size);
  engine::Task<Result<BlockCount>> ask_to_resize(std::optional<ByteCount> size);
  void late_resize_answered();
  engine::Task<Result<void>> close_at_home(std::uint64_t wait_ns);
  engine::Task<void> handle_events(std::shared_ptr<Events> events);
  engine::Task<void> lose();
  engine::Task<void> come_back();
  engine::Task<Result<void>> protect_at_home(bool on);
  engine::Task<Result<void>> change(DiskState next);
  engine::Task<Result<void>> tell_users(DiskState next);
  engine::Task<void> settle(Range range, Exclusion exclusion);
  template <class Visit>
  engine::Task<void> on_each_front(Visit& visit);

  // The answer to a resize() that had stopped waiting for it.
  struct LateResize : engine::Runnable {
    explicit LateResize(Disk& owner)
        : Runnable([](Runnable& self) noexcept {
            static_cast<LateResize&>(self).disk.late_resize_answered();
          }),
          disk(owner) {}
    Disk& disk;
    std::unique_ptr<Ask<BlockCount>> ask;
  };

  Device& device_;
  const std::vector<engine::Shard*> shards_;
  const std::uint64_t patience_ns_;
  std::unique_ptr<DeviceStatistics> statistics_;
  RangeLocks range_locks_;
  std::vector<Part> parts_;  // by shard

  // The control side's.
  std::vector<Holder> holders_;
  std::uint64_t next_id_ = 1;
  std::atomic<bool> closing_{false};

  // The home shard's to change.
  std::atomic<bool> lost_{false};
  std::atomic<std::size_t> fronts_without_channel_{0};
  bool device_closed_ = false;
  LateResize late_resize_{*this};

  // The home shard's, and the control side's.
  DiskState state_;
  List<DiskUser> users_;
  engine::Mutex changing_;
  std::shared_ptr<Events> events_;  // last: until it hears nothing any more, all else is there
};

}  // namespace lunar::block
