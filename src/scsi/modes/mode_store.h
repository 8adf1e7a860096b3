// Saved mode parameters in the unit's store. Each page is an entry of its own, so that another
// version of lunar finds the pages that it knows.
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

// Writes the parameters to the unit's store, which must exist. Completes on the calling shard when
// they are durable.
engine::Task<Result<void>> save_mode_parameters(const LogicalUnit& unit,
                                                const ModeParameters& values);

// For UnitFeature: restores the saved values of changeable fields. Errors: malformed (no list of
// pages), unsupported.
constexpr std::string_view kModePagesKey = "mode_pages";
Result<void> restore_mode_parameters(LogicalUnit& unit, UnitState& state,
                                     const state::Record& kept);

}  // namespace lunar::scsi
