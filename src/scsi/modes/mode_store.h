// Saved mode parameters in the unit's store: an entry a page, so that a later version finds those
// it knows.
#pragma once

#include <string_view>

#include "engine/task.h"
#include "lunar/result.h"
#include "scsi/state/mode_parameters.h"
#include "state/record.h"

namespace lunar::scsi {

class LogicalUnit;
struct UnitState;

[[nodiscard]] state::Record to_record(const ModeParameters& values);

// Only where the unit has a store. Completes on the calling shard when they will be found after a
// power loss.
engine::Task<Result<void>> save_mode_parameters(const LogicalUnit& unit,
                                                const ModeParameters& values);

// As a UnitFeature: what was saved, in those fields that can be changed. malformed: it is no list
// of pages; unsupported.
constexpr std::string_view kModePagesKey = "mode_pages";
Result<void> restore_mode_parameters(LogicalUnit& unit, UnitState& state,
                                     const state::Record& kept);

}  // namespace lunar::scsi
