// Rows of the command table: condition of the logical unit and its medium (SPC-5 §6, SBC-4 §5).
#pragma once

#include "scsi/core/rows.h"
#include "scsi/medium/condition_commands.h"

namespace lunar::scsi {
namespace rows {

// SBC-4 table 13: whether these conflict with a reservation depends on their fields, so decode
// checks that.
constexpr Restrictions kStartsOrStops = kAnyPathState;

// Allowed with a corrupt format. They check by themselves for another operation on the medium.
constexpr Restrictions kOverwritesAll =
    kWriteProtected | kNotReady | kReservedWrites | kReservedAll | kAnyPathState;
constexpr CommandFlags kSanitizes =
    kWithServiceAction | kOffMedium | kDuringMediumOperation | kPassesOthers;

constexpr auto kConditionRows = std::to_array<CommandDescription>({
    // clang-format off
    row({Opcode::start_stop_unit, 0, kOffMedium, kStartsOrStops, kNone, kLong, {0, 0x01, 0, 0x0f, 0xf7}, decode_start_stop_unit, execute_start_stop_unit}),
    row({Opcode::prevent_allow_medium_removal, 0, kNeedsRemovable, kStartsOrStops, kNone, kQuick, {0, 0, 0, 0, 0x03}, decode_prevent_allow_medium_removal, execute_prevent_allow_medium_removal}),
    row({Opcode::format_unit, 0, kOffMedium, kOverwritesAll, kOut, kVeryLong, {0, 0x3f, kFull, 0, 0}, decode_format_unit, execute_format_unit}),
    row({Opcode::sanitize, action::sanitize_overwrite, kSanitizes, kOverwritesAll, kOut, kVeryLong, {0, 0xa0 | kAction, 0, 0, 0, 0, 0, kFull, kFull}, decode_sanitize_overwrite, execute_sanitize_overwrite}),
    row({Opcode::sanitize, action::sanitize_block_erase, kSanitizes | kNeedsThin, kOverwritesAll, kNone, kVeryLong, {0, 0xa0 | kAction, 0, 0, 0, 0, 0, kFull, kFull}, decode_sanitize_block_erase, execute_sanitize_block_erase}),
    row({Opcode::sanitize, action::sanitize_exit_failure_mode, kSanitizes, kOverwritesAll, kNone, kQuick, {0, 0xa0 | kAction, 0, 0, 0, 0, 0, kFull, kFull}, decode_sanitize_exit_failure_mode, execute_sanitize_exit_failure_mode}),
    // clang-format on
});

}  // namespace rows
using rows::kConditionRows;

}  // namespace lunar::scsi
