#include "scsi/core/logical_unit_shard.h"

#include <fmt/format.h>

#include <cassert>
#include <set>
#include <string>
#include <utility>

#include "block/front.h"
#include "block/statistics.h"
#include "scsi/core/logical_unit.h"
#include "scsi/core/nexus_restrictions.h"
#include "scsi/core/protection_area.h"
#include "scsi/core/target.h"
#include "scsi/core/task_set.h"

namespace lunar::scsi {

// Waits until the commands that somebody needs gone are.
struct LogicalUnitShard::FinishWaiter : ListHook {
  engine::Event changed;
};

LogicalUnitShard::LogicalUnitShard(LogicalUnit& unit, engine::Shard& shard, block::Front& front,
                                   std::unique_ptr<ProtectionArea> protection_area,
                                   std::shared_ptr<const UnitState> state)
    : unit_(unit),
      shard_(shard),
      front_(front),
      protection_area_(std::move(protection_area)),
      commands_in_flight_(unit.disk().statistics().on(shard.index()).commands_in_flight),
      opened_ns_(shard.now_ns()) {
  front_.add(*this);
  adopt(std::move(state));
}

LogicalUnitShard::~LogicalUnitShard() { assert(nexuses_.empty() && "stopped with nexuses"); }

std::string LogicalUnitShard::name() {
  std::set<std::string> numbers;
  for (const ItlNexus& itl : nexuses_) {
    const Target* target = itl.nexus.target();
    if (target != nullptr)
      numbers.insert(fmt::format("LUN {} of {}", itl.lun.value, target->name()));
  }
  return fmt::format("{}", fmt::join(numbers, ", "));
}

void LogicalUnitShard::adopt(std::shared_ptr<const UnitState> state) {
  state_ = std::move(state);
  write_through(unit_.volatile_cache() && !state_->mode.write_cache_enabled());
  for (ItlNexus& itl : nexuses_) itl.restrictions = restrictions_of(itl);
  end_unwanted_waits();  // a self-test may have ended
}

void LogicalUnitShard::write_through(bool on) {
  if (on == write_through_.has_value()) return;
  write_through_.reset();
  area_write_through_.reset();
  if (!on) return;
  write_through_.emplace(front_);
  if (protection_area_ != nullptr) area_write_through_.emplace(protection_area_->front());
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

bool LogicalUnitShard::has_lease(const block::Range& range) {
  for (ItlNexus& itl : nexuses_) {
    for (const Command& command : itl.task_set) {
      // One that waits for its turn has its data on the medium already.
      const bool open = command.in_medium && command.state != CommandState::waiting;
      if (open && range.overlaps({command.lba, command.count})) return true;
    }
  }
  return false;
}

engine::Task<void> LogicalUnitShard::leases_ended(block::Range range) {
  FinishWaiter waiter;
  while (has_lease(range)) {
    waiter.changed.reset();
    if (!waiter.is_linked()) finish_waiters_.push_back(waiter);
    co_await waiter.changed;
  }
}

}  // namespace lunar::scsi
