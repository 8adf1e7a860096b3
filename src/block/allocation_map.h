// Which blocks of a device are allocated, asked with a deadline.
#pragma once

#include <vector>

#include "engine/task.h"
#include "lunar/block/device.h"
#include "lunar/result.h"

namespace lunar::block {

// Device::begin_extents(), on a shard. Ends after kDeviceDeadlineNs. io: also when what it gives
// does not begin at `lba`, has gaps, or goes beyond `count` blocks.
engine::Task<Result<std::vector<Extent>>> look_up_extents(const Device& device, Lba lba,
                                                          BlockCount count);

}  // namespace lunar::block
