// What a logical unit reset does to the state of the unit (SAM-5 §6.3.3).
#pragma once

#include "engine/task.h"

namespace lunar::scsi {

class LogicalUnit;

// Brings back what a reset brings back, on every shard. After the commands have ended.
engine::Task<void> reset_state(LogicalUnit& unit);

}  // namespace lunar::scsi
