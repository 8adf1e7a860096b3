// What a volatile cache holds goes to the medium: the blocks, and what is kept beside them.
#pragma once

#include "engine/task.h"
#include "lunar/block/status.h"

namespace lunar::scsi {

class LogicalUnitShard;

// Every write that has completed before is durable when this does.
engine::Task<block::Status> flush_medium(LogicalUnitShard& part);

}  // namespace lunar::scsi
