// The part of a logical unit that lives on one shard.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/cache_line.h"
#include "block/front.h"
#include "engine/gate.h"
#include "engine/shard.h"
#include "engine/task.h"
#include "lunar/list.h"
#include "scsi/core/nexus.h"
#include "scsi/core/shared_task_set.h"
#include "scsi/spec/additional_sense.h"
#include "scsi/state/unit_state.h"

namespace lunar::block {
class Gauge;
}  // namespace lunar::block

namespace lunar::scsi {

class LogicalUnit;
class ProtectionArea;
class Wait;
struct WaitHook;

// The way to the medium, and the I_T nexuses of this shard that have addressed the unit.
class alignas(kCacheLine) LogicalUnitShard final : block::FrontUser {
 public:
  LogicalUnitShard(LogicalUnit& unit, engine::Shard& shard, block::Front& front,
                   std::unique_ptr<ProtectionArea> protection_area,
                   std::shared_ptr<const UnitState> state);
  LogicalUnitShard(const LogicalUnitShard&) = delete;
  LogicalUnitShard& operator=(const LogicalUnitShard&) = delete;
  ~LogicalUnitShard();

  [[nodiscard]] LogicalUnit& unit() const { return unit_; }
  [[nodiscard]] engine::Shard& shard() const { return shard_; }
  [[nodiscard]] block::Front& front() const { return front_; }
  // By the shard's clock.
  [[nodiscard]] std::uint64_t opened_ns() const { return opened_ns_; }
  // Where protection information is kept; null where the medium has no room for it.
  [[nodiscard]] ProtectionArea* protection_area() const { return protection_area_.get(); }
  // The state that is in force on this shard.
  [[nodiscard]] const UnitState& state() const { return *state_; }
  // Puts a new state into force: the restrictions of every nexus follow.
  void adopt(std::shared_ptr<const UnitState> state);

  [[nodiscard]] List<ItlNexus>& nexuses() { return nexuses_; }
  [[nodiscard]] SharedTaskSet& shared_task_set() { return shared_task_set_; }
  // Commands in their task sets.
  [[nodiscard]] block::Gauge& commands_in_flight() { return commands_in_flight_; }
  // Runs `work` beside the commands; the part does not stop before it has ended. It should look at
  // is_stopping() now and then.
  void spawn(engine::Task<void> work) { work_.spawn(std::move(work)); }
  // The same for whoever refers to it beyond the end of a command: a task management function,
  // memory that the medium has lent.
  [[nodiscard]] engine::Gate::Holder hold() { return engine::Gate::Holder(work_); }
  [[nodiscard]] bool is_stopping() const { return work_.is_closed(); }
  // No more work: completes when all has ended.
  engine::Task<void> stop();

  // What work waits for beside commands' own requests: see wait.h.
  void add_wait(Wait& wait);
  // Something has ended that they may be on behalf of.
  void end_unwanted_waits();

  // Flushes that nobody waits for (SYNCHRONIZE CACHE with IMMED).
  struct BackgroundFlush {
    bool running = false;
    bool wanted = false;  // since the present one began
    bool failed = false;  // one did, and nobody has been told yet
  };
  [[nodiscard]] BackgroundFlush& background_flush() { return background_flush_; }

  // Queues a unit attention condition for each nexus of this shard but `except`.
  void raise(spec::AdditionalSense condition, const Nexus* except = nullptr);

  // Marks the commands of `nexus` (null: of every nexus) aborted; those that can end now do. Who
  // loses commands by the doing of another nexus than `requester` is told of it when TAS says so.
  void abort_commands(const Nexus* nexus, const Nexus* requester);
  // Completes when no aborted command of `nexus` (null: of any) is left.
  engine::Task<void> aborted_commands_finished(const Nexus* nexus);
  // An aborted command, or one that was received into the medium, has left its task set or has all
  // of its data.
  void awaited_command_finished();

 private:
  struct FinishWaiter;
  void write_through(bool on);
  engine::Task<void> leases_ended(block::Range range) override;
  // By which numbers initiators of this shard have addressed the unit.
  [[nodiscard]] std::string name() override;
  [[nodiscard]] bool has_lease(const block::Range& range);
  [[nodiscard]] bool has_aborted_commands(const Nexus* nexus);

  LogicalUnit& unit_;
  engine::Shard& shard_;
  block::Front& front_;  // open until the part is no more
  std::unique_ptr<ProtectionArea> protection_area_;
  std::optional<block::Front::WriteThrough> write_through_;       // while the mode wants it
  std::optional<block::Front::WriteThrough> area_write_through_;  // of the protection area
  std::shared_ptr<const UnitState> state_;  // shared with other shards, and never changed
  block::Gauge& commands_in_flight_;
  List<ItlNexus> nexuses_;
  SharedTaskSet shared_task_set_{*this};
  List<FinishWaiter> finish_waiters_;
  engine::Gate work_;
  List<Wait, WaitHook> waits_;
  BackgroundFlush background_flush_;
  const std::uint64_t opened_ns_;
};

}  // namespace lunar::scsi
