// A target's LUN maps change while it serves: what each I_T nexus of a shard has to do with it.
#include <cassert>
#include <memory>
#include <utility>
#include <vector>

#include "engine/shard.h"
#include "scsi/device_server.h"
#include "scsi/task_set.h"

namespace lunar::scsi {
namespace {

using spec::AdditionalSense;

const spec::Sense kGone = spec::Sense::illegal_request(AdditionalSense::lu_not_supported);

// Ends the commands of an I_T_L nexus that is no more; completes when none is left.
engine::Task<void> drain(ItlNexus& itl) {
  struct Emptied : engine::Runnable {
    engine::Event event;
  } emptied;
  emptied.run = [](engine::Runnable& self) noexcept { static_cast<Emptied&>(self).event.set(); };
  itl.when_empty = &emptied;
  ++itl.ordering;
  for (Command& command : itl.task_set) withdraw_command(command, kGone);
  if (!itl.task_set.empty()) co_await emptied.event;
}

}  // namespace

engine::Task<void> DeviceServer::adopt(std::shared_ptr<const LunMaps> maps) {
  const std::shared_ptr<const LunMaps> before = std::exchange(maps_, std::move(maps));
  std::vector<std::unique_ptr<ItlNexus>> ended;
  for (Nexus& nexus : nexuses_) renumber(nexus, ended);
  for (const std::unique_ptr<ItlNexus>& itl : ended) co_await drain(*itl);
}

// `ended` gets what is no I_T_L nexus any more.
void DeviceServer::renumber(Nexus& nexus, std::vector<std::unique_ptr<ItlNexus>>& ended) {
  const LunMap& before = nexus.luns();
  const LunMap& after = maps_->map_for(nexus.initiator_name(), nexus.initiator_address());
  nexus.set_luns(&after);
  std::vector<ItlNexus*> swapped;
  bool differs = false;
  LunMap::for_each_difference(before, after, [&](Lun lun, LogicalUnit*, const LogicalUnit* now) {
    differs = true;
    std::unique_ptr<ItlNexus> itl = nexus.remove(lun);
    if (itl == nullptr) return;
    // Nobody finds it any more: neither its initiator, nor who deals with all of the unit's.
    itl->unlink();
    ended.push_back(std::move(itl));
    LogicalUnitShard* part = now == nullptr ? nullptr : now->find(shard_.index());
    if (part != nullptr) swapped.push_back(&nexus.add(lun, *part));
  });
  if (!differs) return;
  // SPC-5 §6.33: the logical unit inventory of this I_T nexus.
  const auto changed = AdditionalSense::reported_luns_data_has_changed;
  nexus.for_each([](ItlNexus& itl) { itl.attentions.raise(changed); });
  nexus.well_known_attentions().raise(changed);
  // What the initiator knows by the number has another identity now.
  for (ItlNexus* itl : swapped) itl->attentions.raise(AdditionalSense::inquiry_data_has_changed);
}

}  // namespace lunar::scsi
