// A logical unit reset (SAM-5 §6.3.3).
#pragma once

#include "engine/task.h"

namespace lunar::scsi {

class LogicalUnit;
class Nexus;

// Aborts the commands of every nexus on every shard, then brings back the state that a reset brings
// back. Every I_T nexus is told, the one that asked for it among them. `requester`: whose commands
// are aborted in silence. From any shard of the unit.
engine::Task<void> reset_logical_unit(LogicalUnit& unit, const Nexus* requester);

}  // namespace lunar::scsi
