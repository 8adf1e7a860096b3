// Changes of a target's LUN maps and ports at run time: what happens to each I_T nexus of a shard.
#include <cassert>
#include <memory>
#include <utility>
#include <vector>

#include "engine/shard.h"
#include "engine/task.h"
#include "scsi/core/nexus_restrictions.h"
#include "scsi/core/task_set.h"
#include "scsi/reservations/reservation_change.h"
#include "scsi/target/device_server.h"

namespace lunar::scsi {
namespace {

using spec::AdditionalSense;

const spec::Sense kGone = spec::Sense::illegal_request(AdditionalSense::lu_not_supported);

}  // namespace

// An I_T_L nexus that has been removed. Its initiator no longer finds it. Operations on all
// commands of the logical unit (task management, PREEMPT AND ABORT, SANITIZE) do, until its last
// command ends.
struct DeviceServer::EndedItlNexus : engine::Runnable {
  EndedItlNexus(std::unique_ptr<ItlNexus> which, bool unit_is_lost)
      : itl(std::move(which)),
        held(itl->unit.hold()),
        nexus_id(itl->nexus.id()),
        loses_unit(unit_is_lost) {
    run = [](engine::Runnable& self) noexcept { static_cast<EndedItlNexus&>(self).emptied.set(); };
  }

  // Starts to end its commands. Does not wait.
  void withdraw_commands() {
    if (itl->task_set.empty()) {
      itl->unlink();
      emptied.set();
      return;
    }
    itl->when_empty = this;
    ++itl->ordering;
    for (Command& command : itl->task_set) withdraw_command(command, kGone);
  }

  // Completes when the last command has ended.
  engine::Task<void> finish() {
    co_await emptied;
    // SPC-2 §7.21: the loss of the I_T nexus ends its reservation.
    const bool reserved = loses_unit && is_reserved_by(itl->unit, nexus_id);
    if (reserved) co_await end_reserve(itl->unit.unit(), nexus_id);
  }

  std::unique_ptr<ItlNexus> itl;
  engine::Gate::Holder held;  // keeps the logical unit's shard part open
  std::uint64_t nexus_id;     // a copy, as the nexus may end with the last command
  bool loses_unit;            // no other LUN of the nexus leads to it
  engine::Event emptied;
};

engine::Task<void> DeviceServer::adopt(std::shared_ptr<const LunMaps> maps) {
  const std::shared_ptr<const LunMaps> before = std::exchange(maps_, std::move(maps));
  EndedItlNexuses ended;
  for (Nexus& nexus : nexuses_) renumber(nexus, ended);
  for (const auto& one : ended) one->withdraw_commands();
  for (const auto& one : ended) co_await one->finish();
}

void DeviceServer::adopt_ports(std::shared_ptr<const TargetPorts> ports) {
  if (ports == ports_) return;
  const std::shared_ptr<const TargetPorts> before = std::exchange(ports_, std::move(ports));
  for (Nexus& nexus : nexuses_) {
    nexus.set_ports(ports_.get());
    nexus.for_each([](ItlNexus& itl) {
      itl.restrictions = restrictions_of(itl);
      itl.attentions.raise(AdditionalSense::inquiry_data_has_changed);
    });
  }
}

// Moves I_T_L nexuses that no longer exist to `ended`.
void DeviceServer::renumber(Nexus& nexus, EndedItlNexuses& ended) {
  const LunMap& before = nexus.luns();
  const LunMap& after = maps_->map_for(nexus.initiator_name(), nexus.initiator_address());
  nexus.set_luns(&after);
  std::vector<ItlNexus*> swapped;
  bool differs = false;
  LunMap::for_each_difference(before, after, [&](Lun lun, LogicalUnit*, const LogicalUnit* now) {
    differs = true;
    std::unique_ptr<ItlNexus> itl = nexus.remove(lun);
    if (itl == nullptr) return;
    const bool loses_unit = !after.has(itl->unit.unit());
    ended.push_back(std::make_unique<EndedItlNexus>(std::move(itl), loses_unit));
    LogicalUnitShard* part = now == nullptr ? nullptr : now->find(shard_.index());
    if (part != nullptr) swapped.push_back(&nexus.add(lun, *part));
  });
  if (!differs) return;
  // SPC-5 §6.33: the inventory of this I_T nexus has changed.
  const auto changed = AdditionalSense::reported_luns_data_has_changed;
  nexus.for_each([](ItlNexus& itl) { itl.attentions.raise(changed); });
  nexus.well_known_attentions().raise(changed);
  // A LUN that the initiator knows has another identity now.
  for (ItlNexus* itl : swapped) itl->attentions.raise(AdditionalSense::inquiry_data_has_changed);
}

}  // namespace lunar::scsi
