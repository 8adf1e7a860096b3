// Rows of the command table: the commands that every device has (SPC-5 §6).
#pragma once

#include "scsi/rows.h"

namespace lunar::scsi {
namespace rows {

// SPC-5 table 56; by every path (SPC-5 §5.17.2.4).
constexpr Restrictions kTestsTheWay = kReservedWrites | kReservedAll;
constexpr std::uint8_t kMode = 0x1f;  // READ BUFFER, WRITE BUFFER: MODE; MODE SPECIFIC is of others

constexpr auto kPrimaryRows = std::to_array<CommandDescription>({
    // clang-format off
    row({Opcode::test_unit_ready, 0, kToWellKnown, kTellsOfMedium, kNone, kQuick, {}, decode_nothing, execute_test_unit_ready}),
    row({Opcode::request_sense, 0, kAlways, kNothing, kIn, kQuick, {0, 0x01, 0, 0, kFull}, decode_request_sense, execute_request_sense}),
    row({Opcode::inquiry, 0, kAlways, kNothing, kIn, kQuick, {0, 0x01, kFull, kFull, kFull}, decode_inquiry, execute_inquiry}),
    row({Opcode::report_luns, 0, kAlways, kNothing, kIn, kQuick, {0, 0, kFull, 0, 0, 0, kFull, kFull, kFull, kFull}, decode_report_luns, execute_report_luns}),
    row({Opcode::maintenance_in, action::report_supported_operation_codes, kWithServiceAction | kDuringMediumOperation, kPathUnavailable | kPathInTransition, kIn, kQuick,
         {0, kAction, 0x87, kFull, kFull, kFull, kFull, kFull, kFull, kFull},
         decode_report_supported_operation_codes, execute_report_supported_operation_codes}),
    row({Opcode::maintenance_in, action::report_supported_task_management_functions, kWithServiceAction | kDuringMediumOperation, kPathUnavailable | kPathInTransition, kIn, kQuick,
         {0, kAction, 0x80, 0, 0, 0, kFull, kFull, kFull, kFull}, decode_report_supported_tmfs, execute_report_supported_tmfs}),
    row({Opcode::read_buffer_10, 0, 0, kTestsTheWay, kIn, kQuick, {0, kMode, kFull, kFull, kFull, kFull, kFull, kFull, kFull}, decode_read_buffer, execute_read_buffer}),
    row({Opcode::read_buffer_16, 0, 0, kTestsTheWay, kIn, kQuick, {0, kMode, kFull, kFull, kFull, kFull, kFull, kFull, kFull, kFull, kFull, kFull, kFull, kFull, kFull}, decode_read_buffer, execute_read_buffer}),
    row({Opcode::write_buffer, 0, 0, kTestsTheWay, kOut, kQuick, {0, kMode, kFull, kFull, kFull, kFull, kFull, kFull, kFull}, decode_write_buffer, execute_write_buffer}),
    // clang-format on
});

}  // namespace rows
using rows::kPrimaryRows;

}  // namespace lunar::scsi
