// Memory for work: nothing when nobody wants it any more before there was some. Whoever holds what
// there is may be in a medium that does not answer.
#pragma once

#include <cstddef>
#include <optional>

#include "block/work_buffer.h"
#include "engine/buffer_pool.h"
#include "engine/task.h"
#include "scsi/core/wait.h"

namespace lunar::scsi {

// Of the shard's pool.
engine::Task<std::optional<engine::Buffer>> take_buffer(Behalf behalf, std::size_t bytes);
// See WorkBuffers::take(). They are the part's.
engine::Task<std::optional<block::WorkBuffers::Lease>> take_work(Behalf behalf,
                                                                 block::WorkBuffers& from,
                                                                 std::size_t bytes);

}  // namespace lunar::scsi
