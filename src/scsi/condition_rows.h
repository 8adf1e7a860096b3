// Rows of the command table: the condition of the unit and its medium (SPC-5 §6, SBC-4 §5).
#pragma once

#include "scsi/rows.h"

namespace lunar::scsi {
namespace rows {

// SBC-4 table 13: whether these conflict with a reservation depends on their fields, which decode
// looks at.
constexpr Restrictions kStartsOrStops = kAnyPathState;

// They need no format that is whole; whether another operation is under way they see themselves.
constexpr Restrictions kOverwritesAll =
    kWriteProtected | kNotReady | kReservedWrites | kReservedAll | kAnyPathState;
constexpr CommandFlags kSanitizes =
    kWithServiceAction | kOffMedium | kDuringMediumOperation | kPassesOthers;
// An initiator has to wait as long as the medium is large.
constexpr std::uint16_t kVeryLong = 0xffff;

// A self-test reads the medium (SPC-5 table 56), by no path.
constexpr Restrictions kTests = kNotReady | kFormatCorrupt | kLowPower | kReservedWrites |
                                kReservedAll | kPathUnavailable | kPathInTransition;
// What came of it is one of the things that ALLOW COMMANDS 100b lets pass.
constexpr Restrictions kTellsOfTests = kTests & ~kReservedWrites;

constexpr auto kConditionRows = std::to_array<CommandDescription>({
    // clang-format off
    row({Opcode::start_stop_unit, 0, kOffMedium, kStartsOrStops, kNone, kLong, {0, 0x01, 0, 0x0f, 0xf7}, decode_start_stop_unit, execute_start_stop_unit}),
    row({Opcode::prevent_allow_medium_removal, 0, kNeedsRemovable, kStartsOrStops, kNone, kQuick, {0, 0, 0, 0, 0x03}, decode_prevent_allow_medium_removal, execute_prevent_allow_medium_removal}),
    row({Opcode::format_unit, 0, kOffMedium, kOverwritesAll, kOut, kVeryLong, {0, 0x3f, kFull, 0, 0}, decode_format_unit, execute_format_unit}),
    row({Opcode::sanitize, action::sanitize_overwrite, kSanitizes, kOverwritesAll, kOut, kVeryLong, {0, 0xa0 | kAction, 0, 0, 0, 0, 0, kFull, kFull}, decode_sanitize_overwrite, execute_sanitize_overwrite}),
    row({Opcode::sanitize, action::sanitize_block_erase, kSanitizes | kNeedsThin, kOverwritesAll, kNone, kVeryLong, {0, 0xa0 | kAction, 0, 0, 0, 0, 0, kFull, kFull}, decode_sanitize_block_erase, execute_sanitize_block_erase}),
    row({Opcode::sanitize, action::sanitize_exit_failure_mode, kSanitizes, kOverwritesAll, kNone, kQuick, {0, 0xa0 | kAction, 0, 0, 0, 0, 0, kFull, kFull}, decode_sanitize_exit_failure_mode, execute_sanitize_exit_failure_mode}),
    row({Opcode::send_diagnostic, 0, 0, kTests, kOut, kVeryLong, {0, 0xf4, 0, kFull, kFull}, decode_send_diagnostic, execute_send_diagnostic}),
    row({Opcode::receive_diagnostic_results, 0, 0, kTellsOfTests, kIn, kQuick, {0, 0x01, kFull, kFull, kFull}, decode_receive_diagnostic_results, execute_receive_diagnostic_results}),
    row({Opcode::maintenance_in, action::report_identifying_information, kWithServiceAction, kReadsSettings, kIn, kQuick,
         {0, kAction, 0, 0, 0, 0, kFull, kFull, kFull, kFull, 0xfe}, decode_report_identifying_information, execute_report_identifying_information}),
    row({Opcode::maintenance_out, action::set_identifying_information, kWithServiceAction | kOffMedium, kReservedWrites | kReservedAll | kAnyPathState, kOut, kQuick,
         {0, kAction, 0, 0, 0, 0, kFull, kFull, kFull, kFull, 0xfe}, decode_set_identifying_information, execute_set_identifying_information}),
    row({Opcode::maintenance_in, action::report_timestamp, kWithServiceAction, kReadsSettings, kIn, kQuick,
         {0, kAction, 0, 0, 0, 0, kFull, kFull, kFull, kFull}, decode_report_timestamp, execute_report_timestamp}),
    row({Opcode::maintenance_out, action::set_timestamp, kWithServiceAction | kOffMedium, kReservedWrites | kReservedAll | kAnyPathState, kOut, kQuick,
         {0, kAction, 0, 0, 0, 0, kFull, kFull, kFull, kFull}, decode_set_timestamp, execute_set_timestamp}),
    row({Opcode::maintenance_in, action::report_priority, kWithServiceAction, kReadsSettings, kIn, kQuick,
         {0, kAction, 0xc0, 0, 0, 0, kFull, kFull, kFull, kFull}, decode_report_priority, execute_report_priority}),
    row({Opcode::maintenance_out, action::set_priority, kWithServiceAction | kOffMedium, kChangesSettings, kOut, kQuick,
         {0, kAction, 0xc0, 0, 0, 0, kFull, kFull, kFull, kFull}, decode_set_priority, execute_set_priority}),
    // clang-format on
});

}  // namespace rows
using rows::kConditionRows;

}  // namespace lunar::scsi
