// A logical unit: a block::Disk as SCSI shows it (SAM-5 §4.5.19).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "block/disk.h"
#include "engine/mutex.h"
#include "engine/shard.h"
#include "engine/task.h"
#include "lunar/block/device.h"
#include "lunar/result.h"
#include "scsi/core/logical_unit_shard.h"
#include "scsi/state/medium_operation.h"
#include "scsi/state/unit_state.h"
#include "state/record.h"

namespace lunar::block {
class DeviceStatistics;
}  // namespace lunar::block
namespace lunar::state {
class Store;
}  // namespace lunar::state

namespace lunar::scsi {

class LogicalUnit;
class ProtectionArea;
struct ProtectionFormat;

// The largest parameter and transfer sizes that VPD page B0h tells.
constexpr std::uint8_t kMaxCompareAndWriteBlocks = 128;
constexpr std::uint32_t kMaxUnmapDescriptors = 4095;  // what a PARAMETER LIST LENGTH can say
// Told where the medium has no opinion: an initiator that is told nothing takes what it likes.
constexpr std::uint64_t kDefaultOptimalTransferBytes = kMiB;
// One WRITE SAME: what a slow disk writes before initiators give up (kLong in rows.h). WRITE SAME
// (10) can say less.
constexpr std::uint64_t kMaxWriteSameBytes = 1 * kGiB;
// With protection information, whose writers keep others from all of the blocks meanwhile.
constexpr std::uint64_t kMaxProtectedWriteSameBlocks = 0xffff;

// What WRITE ATOMIC promises, in blocks: as VPD page B0h tells it.
struct AtomicLimits {
  std::uint32_t max_blocks = 0;   // of one command; 0: it is not offered
  std::uint32_t unit_blocks = 0;  // lengths and addresses are multiples of it
};

struct LogicalUnitOptions {
  bool removable = false;
  bool read_only = false;  // to this unit, whatever the disk is
  // Of INQUIRY; cut to 8, 16 and 4 characters of ASCII.
  std::string vendor = "LUNAR";
  std::string product = "lunar disk";
  std::string revision = "0001";
  // Where the unit keeps what must outlive a power loss; null: nowhere, so that what needs it is
  // refused. Outlives the unit.
  state::Store* store = nullptr;
};

// What a family of commands keeps of a logical unit over a power loss.
struct UnitFeature {
  std::string_view key;  // the name in the store
  // Puts what was kept into the state with which the unit starts. An error
  // keeps it from starting. Blocking, before shards serve the unit.
  Result<void> (*restore)(LogicalUnit& unit, UnitState& state, const state::Record& kept) = nullptr;
  // On the home shard, once every shard has opened the unit. Null: there is nothing to go on with.
  void (*opened)(LogicalUnit& unit) = nullptr;
  // On any shard, when write protection may have been turned off. Null: as above.
  engine::Task<void> (*writable)(LogicalUnit& unit) = nullptr;
};

// Shared by every Target that maps it. Threading: its own members are immutable while shards run
// but for open() and stop(), so any shard may read them; on(i) is for shard i. What changes is the
// UnitState, of which each shard has a snapshot. Outlives the Targets; the Disk outlives it. Made
// and destroyed on the control side (block/disk.h).
class LogicalUnit final : block::DiskUser {
 public:
  // On the shards of its disk.
  explicit LogicalUnit(block::Disk& disk, LogicalUnitOptions options = {});
  LogicalUnit(const LogicalUnit&) = delete;
  LogicalUnit& operator=(const LogicalUnit&) = delete;
  ~LogicalUnit();

  // Reads what the store remembers; blocking, before open(). Without a store there is nothing. The
  // errors of the store, or of a feature. `features` outlives the unit: unit_features().
  Result<void> restore(std::span<const UnitFeature> features);
  // On each shard that will serve it, before the first command on any of them.
  engine::Task<Result<void>> open(engine::Shard& shard);
  // On the same shard, when no nexus of it is left; a no-op where it is not open.
  engine::Task<void> stop(engine::Shard& shard);
  // Where it is open.
  [[nodiscard]] LogicalUnitShard& on(unsigned shard_index) const { return *parts_[shard_index]; }
  [[nodiscard]] LogicalUnitShard* find(unsigned shard_index) const {
    return parts_[shard_index].get();
  }
  [[nodiscard]] std::span<engine::Shard* const> shards() const { return disk_.shards(); }

  // What of it is kept over a power loss, under a key; no record: it is removed. Completes on the
  // calling shard when the change will be found, or at once where there is no store; its failure
  // has been logged.
  [[nodiscard]] engine::Task<Result<void>> save(std::string_view key,
                                                std::optional<state::Record> record) const;

  // Changes the state: decides on the home shard, after all earlier changes, then puts the new
  // state into force on every shard. From any shard of the unit; gives what decide() gave.
  engine::Task<bool> change(UnitChange& change);
  // Where changes are decided.
  [[nodiscard]] engine::Shard& home() const { return disk_.home(); }
  // It is not read-only by itself any more (LogicalUnitOptions). It can be written to, unless its
  // disk is write-protected. Not while the disk's state changes. From any shard of the unit.
  engine::Task<void> lift_read_only();

  // What the store remembers of an operation on the medium, and what is not under way, as the
  // medium cannot be written to. The home shard's.
  [[nodiscard]] std::optional<MediumOperationPlan>& interrupted_operation() { return interrupted_; }

  [[nodiscard]] block::Disk& disk() const { return disk_; }
  [[nodiscard]] block::Device& device() const { return disk_.device(); }
  [[nodiscard]] const LogicalUnitOptions& options() const { return options_; }
  [[nodiscard]] const block::Limits& limits() const { return limits_; }

  // What decoding needs of each command; the capacity is in the UnitState.
  [[nodiscard]] std::uint32_t block_size() const { return limits_.block_size; }
  [[nodiscard]] unsigned block_shift() const { return block_shift_; }
  [[nodiscard]] std::uint64_t max_transfer_blocks() const { return max_transfer_blocks_; }
  [[nodiscard]] std::uint64_t max_write_same_blocks() const {
    return has_protection_room() ? kMaxProtectedWriteSameBlocks
                                 : kMaxWriteSameBytes >> block_shift_;
  }
  [[nodiscard]] const AtomicLimits& atomic_limits() const { return atomic_limits_; }
  // The medium can be formatted with protection information; the UnitState tells whether it is.
  [[nodiscard]] bool has_protection_room() const { return room_.area != nullptr; }
  // What of the medium's format is to be kept when it is formatted to that type.
  [[nodiscard]] ProtectionFormat protection_format(spec::ProtectionType type) const;
  // UNMAP is offered (LBPME); and unmapped blocks read as zeroes (LBPRZ).
  [[nodiscard]] bool thin() const { return thin_; }
  [[nodiscard]] bool unmap_reads_zeroes() const { return unmap_reads_zeroes_; }
  [[nodiscard]] bool volatile_cache() const { return volatile_cache_; }
  // PRODUCT SERIAL NUMBER: the device's UUID without dashes.
  [[nodiscard]] const std::string& serial_number() const { return serial_number_; }

 private:
  // As the disk's state becomes another, every nexus is told, unless nothing changes for this unit.
  // Commands that have not begun end with DATA PROTECT, WRITE PROTECTED, or with LOGICAL BLOCK
  // ADDRESS OUT OF RANGE. busy: that would break a format or sanitize operation.
  engine::Task<Result<void>> adopt(const block::DiskState& disk_state) override;
  // Every nexus is told that the medium may have changed meanwhile.
  engine::Task<void> came_back() override;
  engine::Task<void> tell_writable();
  engine::Task<bool> change_at_home(UnitChange& change);
  engine::Task<Result<std::unique_ptr<ProtectionArea>>> open_protection_area(engine::Shard& shard);
  void opened_one();

  block::Disk& disk_;
  LogicalUnitOptions options_;
  block::Limits limits_;
  block::ProtectionRoom room_;
  unsigned block_shift_ = 9;
  std::uint64_t max_transfer_blocks_ = 0;
  AtomicLimits atomic_limits_;
  bool thin_ = false;
  bool unmap_reads_zeroes_ = false;
  bool volatile_cache_ = false;
  std::string serial_number_;
  std::unique_ptr<block::DeviceStatistics> area_statistics_;  // of what nobody asks for
  std::vector<std::unique_ptr<LogicalUnitShard>>
      parts_;  // by shard; each written on its shard only
  // The home shard's, once the unit is open.
  std::shared_ptr<const UnitState> state_;
  engine::Mutex changing_;
  std::optional<MediumOperationPlan> interrupted_;  // goes on once the medium can be written to
  std::size_t open_parts_ = 0;
  std::span<const UnitFeature> features_;  // those of restore()
};

}  // namespace lunar::scsi
