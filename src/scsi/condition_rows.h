// Rows of the command table: the condition of the unit and its medium (SPC-5 §6, SBC-4 §5).
#pragma once

#include "scsi/rows.h"

namespace lunar::scsi {
namespace rows {

// SBC-4 table 13: whether these conflict with a reservation depends on their fields, which decode
// looks at.
constexpr Restrictions kStartsOrStops = kAnyPathState;

constexpr auto kConditionRows = std::to_array<CommandDescription>({
    // clang-format off
    row({Opcode::start_stop_unit, 0, kOffMedium, kStartsOrStops, kNone, kLong, {0, 0x01, 0, 0x0f, 0xf7}, decode_start_stop_unit, execute_start_stop_unit}),
    row({Opcode::prevent_allow_medium_removal, 0, kNeedsRemovable, kStartsOrStops, kNone, kQuick, {0, 0, 0, 0, 0x03}, decode_prevent_allow_medium_removal, execute_prevent_allow_medium_removal}),
    // clang-format on
});

}  // namespace rows
using rows::kConditionRows;

}  // namespace lunar::scsi
