// Saved mode parameters in the unit's DurableStore: the pages one after another, each with its
// header, so that a later version finds those it knows.
#pragma once

#include "engine/task.h"
#include "lunar/result.h"
#include "scsi/mode_parameters.h"

namespace lunar::scsi {

// Only where the unit has a store. Completes on the calling shard when they will be found after a
// power loss.
engine::Task<Result<void>> save_mode_parameters(const LogicalUnit& unit,
                                                const ModeParameters& values);

// What was saved, in those fields that can be changed; the defaults where nothing was, or there is
// no store. ErrorCode::malformed when what was kept is no list of pages. Blocking.
[[nodiscard]] Result<ModeParameters> saved_mode_parameters(const LogicalUnit& unit);

}  // namespace lunar::scsi
