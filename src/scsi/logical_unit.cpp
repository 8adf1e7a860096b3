#include "scsi/logical_unit.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cassert>
#include <set>
#include <string>
#include <utility>

#include "base/log.h"
#include "block/front.h"
#include "block/range_lock.h"
#include "block/statistics.h"
#include "scsi/device_server.h"
#include "scsi/durable_store.h"
#include "scsi/mode_store.h"
#include "scsi/on_each_part.h"
#include "scsi/own_request.h"
#include "scsi/protection_area.h"
#include "scsi/reservation_change.h"
#include "scsi/restrictions.h"
#include "scsi/self_tests.h"
#include "scsi/task_set.h"

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

engine::Task<void> keep_lent_data_in(LogicalUnitShard& part, block::Range range,
                                     block::Status& outcome) {
  auto keeping = part.keep_lent_data(range);
  outcome = co_await keeping;
}

}  // namespace

// Waits until the commands that somebody needs gone are.
struct LogicalUnitShard::FinishWaiter : ListHook {
  engine::Event changed;
};

LogicalUnitShard::LogicalUnitShard(LogicalUnit& unit, engine::Shard& shard,
                                   std::unique_ptr<block::Front> front,
                                   std::unique_ptr<ProtectionArea> protection_area,
                                   std::shared_ptr<const UnitState> state)
    : unit_(unit),
      shard_(shard),
      front_(std::move(front)),
      protection_area_(std::move(protection_area)),
      commands_in_flight_(unit.statistics().on(shard.index()).commands_in_flight),
      opened_ns_(shard.now_ns()) {
  front_->set_window_user(*this);
  front_->set_user_name([this] { return numbers_in_use(); });
  adopt(std::move(state));
}

LogicalUnitShard::~LogicalUnitShard() { assert(nexuses_.empty() && "stopped with nexuses"); }

std::string LogicalUnitShard::numbers_in_use() {
  std::set<std::string> numbers;
  for (const ItlNexus& itl : nexuses_) {
    DeviceServer* server = itl.nexus.device_server();
    if (server != nullptr)
      numbers.insert(fmt::format("LUN {} of {}", itl.lun.value, server->target().name()));
  }
  return fmt::format("{}", fmt::join(numbers, ", "));
}

void LogicalUnitShard::adopt(std::shared_ptr<const UnitState> state) {
  state_ = std::move(state);
  const bool write_through = unit_.volatile_cache() && !state_->mode.write_cache_enabled();
  front_->set_write_through(write_through);
  if (protection_area_ != nullptr) protection_area_->front().set_write_through(write_through);
  for (ItlNexus& itl : nexuses_) itl.restrictions = restrictions_of(itl);
  end_unwanted_waits();  // a self-test may have ended
}

void LogicalUnitShard::add_wait(Wait& wait) { waits_.push_back(wait); }

void LogicalUnitShard::end_unwanted_waits() {
  for (Wait& wait : waits_) {
    if (wait.behalf().is_wanted()) continue;
    wait.unlink();
    wait.give_up();
  }
}

engine::Task<void> LogicalUnitShard::stop() {
  auto closing = work_.close();
  end_unwanted_waits();
  co_await closing;
  co_await front_->stop();
  if (protection_area_ != nullptr) co_await protection_area_->front().stop();
}

void LogicalUnitShard::raise(spec::AdditionalSense condition, const Nexus* except) {
  for (ItlNexus& itl : nexuses_) {
    if (&itl.nexus != except) itl.attentions.raise(condition);
  }
}

void LogicalUnitShard::abort_commands(const Nexus* nexus, const Nexus* requester) {
  for (ItlNexus& itl : nexuses_) {
    if (nexus != nullptr && &itl.nexus != nexus) continue;
    const auto abort_one = &itl.nexus == requester ? abort_command : abort_for_another_nexus;
    for (Command& command : itl.task_set) abort_one(command);
  }
}

bool LogicalUnitShard::has_aborted_commands(const Nexus* nexus) {
  for (ItlNexus& itl : nexuses_) {
    if (nexus != nullptr && &itl.nexus != nexus) continue;
    for (const Command& command : itl.task_set) {
      if (command.aborted && is_on_medium(command)) return true;
    }
  }
  return false;
}

engine::Task<void> LogicalUnitShard::aborted_commands_finished(const Nexus* nexus) {
  FinishWaiter waiter;
  while (has_aborted_commands(nexus)) {
    waiter.changed.reset();
    if (!waiter.is_linked()) finish_waiters_.push_back(waiter);
    co_await waiter.changed;
  }
}

void LogicalUnitShard::awaited_command_finished() {
  for (FinishWaiter& waiter : finish_waiters_) waiter.changed.set();
}

bool LogicalUnitShard::has_window(const block::Range& range) {
  for (ItlNexus& itl : nexuses_) {
    for (const Command& command : itl.task_set) {
      // One that waits for its turn has its data on the medium already.
      const bool open = command.in_medium && command.state != CommandState::waiting;
      if (open && range.overlaps({command.lba, command.count})) return true;
    }
  }
  return false;
}

engine::Task<void> LogicalUnitShard::windows_finished(block::Range range) {
  FinishWaiter waiter;
  while (has_window(range)) {
    waiter.changed.reset();
    if (!waiter.is_linked()) finish_waiters_.push_back(waiter);
    co_await waiter.changed;
  }
}

engine::Task<block::Status> LogicalUnitShard::keep_lent_data(block::Range range) {
  if (!front_->capabilities().lend) co_return block::Status::ok;
  // Which memory it is tells a read that borrows it.
  OwnRequest request({this});
  request.prepare(block::Op::read, range.lba, range.count, block::kLend);
  const block::Status status = co_await request.submit_as_holder_to(*front_);
  if (status != block::Status::ok) co_return status;
  const auto keep = [&request](const Nexus& nexus) {
    LentDataSender* sender = nexus.lent_data_sender();
    if (sender == nullptr) return;
    for (const iovec& piece : request.buffers())
      sender->keep_lent_data({static_cast<const std::byte*>(piece.iov_base), piece.iov_len});
  };
  for (const ItlNexus& itl : nexuses_) keep(itl.nexus);
  for (const FormerItlNexus& former : former_nexuses_) keep(former.nexus);
  co_return status;
}

bool LogicalUnitShard::has_ended_window() {
  for (ItlNexus& itl : nexuses_) {
    for (const Command& command : itl.task_set) {
      if (command.in_medium && command.state == CommandState::finished) return true;
    }
  }
  return false;
}

engine::Task<void> LogicalUnitShard::ended_windows_closed() {
  FinishWaiter waiter;
  while (has_ended_window()) {
    waiter.changed.reset();
    if (!waiter.is_linked()) finish_waiters_.push_back(waiter);
    co_await waiter.changed;
  }
}

LogicalUnit::LogicalUnit(block::Device& device, std::span<engine::Shard* const> shards,
                         LogicalUnitOptions options)
    : device_(device),
      shards_(shards.begin(), shards.end()),
      options_(std::move(options)),
      limits_(device.limits()),
      room_(device.protection_room()),
      block_shift_(static_cast<unsigned>(std::countr_zero(limits_.block_size))),
      max_transfer_blocks_(max_transfer_of(limits_, room_)),
      atomic_limits_(atomic_limits_of(device)),
      thin_(device.capabilities().unmap),
      unmap_reads_zeroes_(thin_ && device.capabilities().unmap_reads_zeroes),
      volatile_cache_(device.capabilities().volatile_cache),
      serial_number_(serial_number_of(device.uuid())),
      statistics_(std::make_unique<block::DeviceStatistics>(shards.size())),
      area_statistics_(std::make_unique<block::DeviceStatistics>(shards.size())),
      range_locks_(std::make_unique<block::RangeLocks>(shards)),
      parts_(shards.size()) {
  auto state = std::make_shared<UnitState>();
  state->capacity_blocks = limits_.capacity.value;
  state->write_protected = options_.read_only || !device.capabilities().writable;
  state->mode = state->saved_mode = default_mode_parameters(*this);
  state_ = std::move(state);
}

LogicalUnit::~LogicalUnit() = default;

engine::Task<Result<void>> LogicalUnit::save(std::string_view name, std::string value) const {
  if (options_.store == nullptr) co_return Result<void>();
  auto saving = options_.store->save(device_.uuid(), std::string(name), std::move(value));
  Result<void> saved = co_await saving;
  if (!saved) {
    log::limited(log::Level::error, device_.name(), name, "device {}: {} cannot be kept: {}",
                 device_.name(), name, saved.error().message);
  }
  co_return saved;
}

Result<std::string> LogicalUnit::load(std::string_view name) const {
  if (options_.store == nullptr) return std::string();
  return options_.store->load(device_.uuid(), name);
}

Result<void> LogicalUnit::restore() {
  if (options_.store == nullptr) return {};
  auto state = std::make_shared<UnitState>(*state_);
  LUNAR_TRY_ASSIGN(const std::string operation, load(kMediumOperationKey));
  if (!operation.empty()) {
    auto plan = parse_medium_operation(operation);
    if (!plan) {
      return wrap(plan.error(),
                  fmt::format("state of device {}: {}", device_.name(), kMediumOperationKey));
    }
    if (state->write_protected) {
      log::warning(
          "device {}: it is write-protected, and an operation on its whole medium ({}) did not "
          "end; "
          "its blocks stay inaccessible until it is served writable, which lets the operation go "
          "on",
          device_.name(), to_string(plan->kind));
      fail_medium_operation(*plan, state->condition);
    } else {
      restore_medium_operation(*plan, state->condition);
    }
    interrupted_ = std::move(*plan);
  }
  LUNAR_TRY_ASSIGN(const std::string known, load(kIdentificationKey));
  if (!known.empty()) {
    auto information = parse_identifying_information(known);
    if (!information) {
      return wrap(information.error(),
                  fmt::format("state of device {}: {}", device_.name(), kIdentificationKey));
    }
    state->identification.information =
        std::make_shared<IdentifyingInformation>(std::move(*information));
  }
  LUNAR_TRY_ASSIGN(state->mode, saved_mode_parameters(*this));
  state->saved_mode = state->mode;
  LUNAR_TRY(restore_reservations(*state, *this));
  LUNAR_TRY(restore_self_tests(*state, *this));
  state_ = std::move(state);
  return {};
}

engine::Task<Result<void>> LogicalUnit::open(engine::Shard& shard) {
  assert(shard.index() < parts_.size() && shards_[shard.index()] == &shard);
  assert(parts_[shard.index()] == nullptr && "open twice");
  auto front = block::Front::open(device_, shard, *statistics_);
  if (!front) co_return std::unexpected(front.error());
  auto opening = open_protection_area(shard);
  auto area = co_await opening;
  if (!area) {
    co_await (*front)->stop();
    co_return wrap(area.error(), "device " + device_.name());
  }
  parts_[shard.index()] =
      std::make_unique<LogicalUnitShard>(*this, shard, std::move(*front), std::move(*area), state_);
  range_locks_->join(parts_[shard.index()]->front());
  auto opened = [this] { opened_one(); };
  auto there = engine::call_on(home(), opened);
  co_await there;
  co_return Result<void>();
}

// On the home shard. What a store remembers goes on when every shard is open: its end changes the
// state, which those that open take over without being asked.
void LogicalUnit::opened_one() {
  if (++open_parts_ < shards_.size() || !interrupted_ || state_->write_protected) return;
  continue_medium_operation(*this, *std::exchange(interrupted_, std::nullopt));
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
  range_locks_->leave(part->front());
  part.reset();
}

engine::Task<block::Status> LogicalUnit::keep_lent_data(block::Range range) {
  std::vector<block::Status> outcomes(parts_.size(), block::Status::ok);  // each its shard's
  auto keep = [&outcomes, range](LogicalUnitShard& part) {
    return keep_lent_data_in(part, range, outcomes[part.shard().index()]);
  };
  co_await on_each_part(*this, keep);
  for (const block::Status outcome : outcomes) {
    if (outcome != block::Status::ok) co_return outcome;
  }
  co_return block::Status::ok;
}

engine::Task<bool> LogicalUnit::change(UnitChange& change) {
  auto at_home = [this, &change] { return change_at_home(change); };
  auto there = engine::await_on(home(), at_home);
  co_return co_await there;
}

engine::Task<bool> LogicalUnit::change_at_home(UnitChange& change) {
  const engine::Mutex::Holder holder = co_await changing_.lock();
  auto next = std::make_shared<UnitState>(*state_);
  if (!co_await change.decide(*next)) co_return false;
  if (next->self_tests != state_->self_tests) {
    // Whatever ends a self-test goes on when that cannot be kept.
    auto saving = save(kSelfTestsKey, to_text(*next->self_tests));
    (void)co_await saving;
  }
  state_ = std::move(next);
  auto take = [&change, &state = state_](LogicalUnitShard& part) {
    part.adopt(state);
    change.apply(part);
  };
  co_await for_each_part(*this, take);
  co_return true;
}

}  // namespace lunar::scsi
