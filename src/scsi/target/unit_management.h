// What who manages the targets changes of a logical unit while it serves.
#pragma once

#include "engine/task.h"
#include "lunar/result.h"
#include "lunar/types.h"

namespace lunar::scsi {

class LogicalUnit;

// On any shard that the unit is open on; one call at a time for a unit. `outcome` gets
// ErrorCode::busy, and nothing has changed, when that would break a format or sanitize operation
// that is under way.

// Software write protection, on every shard. When it has been turned on, no write changes the
// medium any more: those that had not begun have ended with DATA PROTECT, WRITE PROTECTED. Every
// nexus is told (MODE PARAMETERS CHANGED), unless nothing has changed.
engine::Task<void> set_write_protected(LogicalUnit& unit, bool write_protected,
                                       Result<void>& outcome);

// The capacity, in blocks, on every shard. When it is smaller, nothing asks the medium for a block
// beyond it any more: what had not begun has ended with LOGICAL BLOCK ADDRESS OUT OF RANGE. So
// first this and then the medium when it shrinks, the other way round when it grows. Every nexus is
// told (CAPACITY DATA HAS CHANGED), unless nothing has changed.
engine::Task<void> set_capacity(LogicalUnit& unit, BlockCount capacity, Result<void>& outcome);

}  // namespace lunar::scsi
