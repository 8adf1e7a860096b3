// What a self-test reads: into memory that outlives the command, as the medium may fill it later
// than anybody waits for it.
#pragma once

#include <cstddef>
#include <memory>

#include "block/range.h"
#include "engine/buffer_pool.h"
#include "engine/task.h"
#include "lunar/block/status.h"
#include "scsi/core/wait.h"

namespace lunar::scsi {

// Null when nobody wants it any more before the pool has had it.
engine::Task<std::shared_ptr<engine::Buffer>> take_memory(Behalf behalf, std::size_t bytes);

// On behalf of a command it ends soon after that is aborted, whatever the medium does: then the
// memory is not read again.
engine::Task<block::Status> read_medium(Behalf behalf, block::Range range,
                                        std::shared_ptr<engine::Buffer> memory);

}  // namespace lunar::scsi
