// Saved mode parameters in the unit's DurableStore: the pages one after another, each with its
// header, so that a later version finds those it knows.
#pragma once

#include <string_view>

#include "engine/task.h"
#include "lunar/result.h"
#include "scsi/state/mode_parameters.h"

namespace lunar::scsi {

class LogicalUnit;
struct UnitState;

// Only where the unit has a store. Completes on the calling shard when they will be found after a
// power loss.
engine::Task<Result<void>> save_mode_parameters(const LogicalUnit& unit,
                                                const ModeParameters& values);

// As a UnitFeature: what was saved, in those fields that can be changed. ErrorCode::malformed when
// it is no list of pages.
constexpr std::string_view kModePagesKey = "mode_pages";
Result<void> restore_mode_parameters(LogicalUnit& unit, UnitState& state, std::string_view kept);

}  // namespace lunar::scsi
