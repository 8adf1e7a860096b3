// Reads for self-tests. Their memory outlives the command, as a slow medium may still fill it after
// everybody has stopped waiting.
#pragma once

#include <cstddef>
#include <memory>

#include "block/range.h"
#include "engine/buffer_pool.h"
#include "engine/task.h"
#include "lunar/block/status.h"
#include "scsi/core/wait.h"

namespace lunar::scsi {

// Null: `behalf` ended before the pool had memory.
engine::Task<std::shared_ptr<engine::Buffer>> take_memory(Behalf behalf, std::size_t bytes);

// If `behalf` is a command, an abort of it soon ends the wait, whatever the medium does. The medium
// may then still write to `memory`: do not read it.
engine::Task<block::Status> read_medium(Behalf behalf, block::Range range,
                                        std::shared_ptr<engine::Buffer> memory);

}  // namespace lunar::scsi
