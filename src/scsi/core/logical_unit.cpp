#include "scsi/core/logical_unit.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <string>
#include <utility>

#include "base/log.h"
#include "block/front.h"
#include "block/statistics.h"
#include "scsi/core/on_each_part.h"
#include "scsi/core/protection_area.h"
#include "scsi/state/self_test_log.h"
#include "state/store.h"

namespace lunar::scsi {
namespace {

std::string serial_number_of(const Uuid& uuid) {
  std::string text = uuid.to_string();
  std::erase(text, '-');
  return text;
}

// What one buffer holds, also with the protection information between the blocks.
std::uint64_t max_transfer_of(const block::Limits& limits, const block::ProtectionRoom& room) {
  const std::uint64_t blocks = block::kMaxTransferBytes / limits.block_size;
  return room.area == nullptr ? blocks : blocks / 2;
}

AtomicLimits atomic_limits_of(block::Device& device) {
  // A block and its protection information are two writes.
  if (device.protection_room().area != nullptr) return {};
  const block::Limits& limits = device.limits();
  const std::uint32_t physical = limits.physical_block_size / limits.block_size;
  std::uint64_t most = limits.max_atomic.value_or(BlockCount(physical)).value;
  most = std::min(most, block::kMaxTransferBytes / limits.block_size);
  // More would be split.
  if (limits.max_transfer.value != 0) most = std::min(most, limits.max_transfer.value);
  if (most < physical) return {};
  return {static_cast<std::uint32_t>(most), most == physical ? physical : 1};
}

// Whose its records are, whoever shows it.
state::Object object_of(const block::Device& device) {
  return state::Object::exclusive(device.uuid().to_string());
}

}  // namespace

LogicalUnit::LogicalUnit(block::Disk& disk, LogicalUnitOptions options)
    : disk_(disk),
      options_(std::move(options)),
      limits_(disk.device().limits()),
      room_(disk.device().protection_room()),
      block_shift_(static_cast<unsigned>(std::countr_zero(limits_.block_size))),
      max_transfer_blocks_(max_transfer_of(limits_, room_)),
      atomic_limits_(atomic_limits_of(disk.device())),
      thin_(disk.device().capabilities().unmap),
      unmap_reads_zeroes_(thin_ && disk.device().capabilities().unmap_reads_zeroes),
      volatile_cache_(disk.device().capabilities().volatile_cache),
      serial_number_(serial_number_of(disk.device().uuid())),
      area_statistics_(std::make_unique<block::DeviceStatistics>(disk.shards().size())),
      parts_(disk.shards().size()) {
  disk.subscribe(*this);
  auto state = std::make_shared<UnitState>();
  state->capacity_blocks = disk.state().capacity.value;
  state->read_only = options_.read_only;
  state->write_protected = options_.read_only || disk.state().write_protected;
  state->mode = state->saved_mode = default_mode_parameters(volatile_cache_);
  state_ = std::move(state);
}

LogicalUnit::~LogicalUnit() = default;

engine::Task<Result<void>> LogicalUnit::save(std::string_view key,
                                             std::optional<state::Record> record) const {
  if (options_.store == nullptr) co_return Result<void>();
  state::Transaction transaction;
  transaction.push_back({object_of(device()), std::string(key), std::move(record)});
  auto saving = options_.store->commit(std::move(transaction));
  Result<void> saved = co_await saving;
  if (!saved) {
    log::limited(log::Level::error, device().name(), key, "device {}: {} cannot be kept: {}",
                 device().name(), key, saved.error().message);
  }
  co_return saved;
}

Result<void> LogicalUnit::restore(std::span<const UnitFeature> features) {
  if (options_.store == nullptr) return {};
  features_ = features;
  auto state = std::make_shared<UnitState>(*state_);
  for (const UnitFeature& feature : features) {
    LUNAR_TRY_ASSIGN(const auto kept, options_.store->load(object_of(device()), feature.key));
    if (kept) LUNAR_TRY(feature.restore(*this, *state, *kept));
  }
  state_ = std::move(state);
  return {};
}

engine::Task<Result<void>> LogicalUnit::open(engine::Shard& shard) {
  assert(parts_[shard.index()] == nullptr && "open twice");
  auto opening = disk_.open(shard);
  const Result<block::Front*> front = co_await opening;
  if (!front) co_return std::unexpected(front.error());
  auto opening_area = open_protection_area(shard);
  auto area = co_await opening_area;
  if (!area) {
    co_await disk_.close(shard);
    co_return wrap(area.error(), "device " + device().name());
  }
  parts_[shard.index()] =
      std::make_unique<LogicalUnitShard>(*this, shard, **front, std::move(*area), state_);
  auto opened = [this] { opened_one(); };
  auto there = engine::call_on(home(), opened);
  co_await there;
  co_return Result<void>();
}

// On the home shard. What a store remembers goes on when every shard is open: its end changes the
// state, which those that open take over without being asked.
void LogicalUnit::opened_one() {
  if (++open_parts_ < shards().size()) return;
  for (const UnitFeature& feature : features_) {
    if (feature.opened != nullptr) feature.opened(*this);
  }
}

// On the home shard, which is the first to open, it gives what the medium is formatted to.
engine::Task<Result<std::unique_ptr<ProtectionArea>>> LogicalUnit::open_protection_area(
    engine::Shard& shard) {
  if (!has_protection_room()) co_return nullptr;
  auto area = ProtectionArea::open(*room_.area, shard, *area_statistics_);
  if (!area || &shard != &home()) co_return area;
  auto loading = (*area)->load_format(static_cast<spec::ProtectionType>(room_.type), block_size(),
                                      room_.marked);
  const Result<ProtectionFormat> format = co_await loading;
  if (!format) {
    co_await (*area)->front().stop();
    co_return std::unexpected(format.error());
  }
  auto state = std::make_shared<UnitState>(*state_);
  state->protection = format->now;
  state_ = std::move(state);
  co_return area;
}

ProtectionFormat LogicalUnit::protection_format(spec::ProtectionType type) const {
  return {static_cast<spec::ProtectionType>(room_.type), type, block_size()};
}

engine::Task<void> LogicalUnit::stop(engine::Shard& shard) {
  std::unique_ptr<LogicalUnitShard>& part = parts_[shard.index()];
  if (part == nullptr) co_return;
  co_await part->stop();
  part.reset();
  co_await disk_.close(shard);
}

engine::Task<bool> LogicalUnit::change(UnitChange& change) {
  auto at_home = [this, &change] { return change_at_home(change); };
  auto there = engine::await_on(home(), at_home);
  co_return co_await there;
}

engine::Task<bool> LogicalUnit::change_at_home(UnitChange& change) {
  const engine::Mutex::Holder holder = co_await changing_.lock();
  auto changed = std::make_shared<UnitState>(*state_);
  if (!co_await change.decide(*changed)) co_return false;
  if (changed->self_tests != state_->self_tests) {
    // Whatever ends a self-test goes on when that cannot be kept.
    auto saving = save(kSelfTestsKey, to_record(*changed->self_tests));
    (void)co_await saving;
  }
  state_ = std::move(changed);
  auto take = [&change, &state = state_](LogicalUnitShard& part) {
    part.adopt(state);
    change.apply(part);
  };
  co_await for_each_part(*this, take);
  co_return true;
}

}  // namespace lunar::scsi
