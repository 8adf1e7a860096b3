// What a volatile cache holds goes to the medium: the blocks, and what is kept beside them.
#pragma once

#include "engine/task.h"
#include "lunar/block/status.h"
#include "scsi/core/own_request.h"

namespace lunar::scsi {

// Every write that has completed before is durable when this gives ok. On behalf of a command it
// ends soon after that is aborted, whatever the medium does.
engine::Task<block::Status> flush_medium(Behalf behalf,
                                         OwnRequest::Effort effort = OwnRequest::Effort::ordinary);

}  // namespace lunar::scsi
