// A logical unit reset (SAM-5 §6.3.3).
#pragma once

#include "engine/task.h"

namespace lunar::scsi {

class LogicalUnit;
class Nexus;

// Logical unit reset: aborts the commands of every nexus on every shard, then resets the unit's
// mode parameters and other state. Every I_T nexus gets a unit attention, also the requester. The
// commands of `requester` are aborted silently. From any shard of the unit.
engine::Task<void> reset_logical_unit(LogicalUnit& unit, const Nexus* requester);

}  // namespace lunar::scsi
