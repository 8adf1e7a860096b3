// What is done on every shard where a logical unit is open.
#pragma once

#include "engine/gate.h"
#include "engine/shard.h"
#include "engine/task.h"
#include "scsi/core/logical_unit.h"

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

// visit(LogicalUnitShard&), which gives a Task<void>, on all of them at once. Completes when all
// have ended. From any shard of the unit.
template <class Visit>
engine::Task<void> on_each_part(LogicalUnit& unit, Visit& visit) {
  engine::Gate visits;
  for (engine::Shard* shard : unit.shards()) visits.spawn(detail::visit_shard(unit, *shard, visit));
  co_await visits.close();
}

// visit(LogicalUnitShard&), which does not wait, on one after the other.
template <class Visit>
engine::Task<void> for_each_part(LogicalUnit& unit, Visit& visit) {
  for (engine::Shard* shard : unit.shards()) {
    auto call = [&unit, &visit, index = shard->index()] {
      if (LogicalUnitShard* part = unit.find(index)) visit(*part);
    };
    auto there = engine::call_on(*shard, call);
    co_await there;
  }
}

}  // namespace lunar::scsi
