// What is done on every shard of a logical unit at once.
#pragma once

#include "engine/gate.h"
#include "engine/shard.h"
#include "engine/task.h"
#include "scsi/logical_unit.h"

namespace lunar::scsi {
namespace detail {

template <class Visit>
engine::Task<void> visit_part(LogicalUnitShard* part, Visit& visit) {
  if (part == nullptr || part->is_stopping()) co_return;
  const auto held = part->hold();
  co_await visit(*part);
}

template <class Visit>
engine::Task<void> visit_shard(LogicalUnit& unit, engine::Shard& shard, Visit& visit) {
  auto make = [&unit, &shard, &visit] { return visit_part(unit.find(shard.index()), visit); };
  auto there = engine::await_on(shard, make);
  co_await there;
}

}  // namespace detail

// visit(LogicalUnitShard&), which gives a Task<void>, on each shard where the unit is open.
// Completes when all have ended. From any shard of the unit.
template <class Visit>
engine::Task<void> on_each_part(LogicalUnit& unit, Visit& visit) {
  engine::Gate visits;
  for (engine::Shard* shard : unit.shards()) visits.spawn(detail::visit_shard(unit, *shard, visit));
  co_await visits.close();
}

}  // namespace lunar::scsi
