// Writes volatile caches to the medium: the blocks, and what is stored beside them.
#pragma once

#include "engine/task.h"
#include "lunar/block/status.h"
#include "scsi/core/own_request.h"

namespace lunar::scsi {

// On ok, every write that had completed before the call is durable. If `behalf` is a command, an
// abort of it soon ends the wait, whatever the medium does.
engine::Task<block::Status> flush_medium(Behalf behalf,
                                         OwnRequest::Effort effort = OwnRequest::Effort::ordinary);

}  // namespace lunar::scsi
