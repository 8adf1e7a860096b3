// Rows of the command table: reports about a device (SPC-5 §6).
#pragma once

#include "scsi/core/rows.h"
#include "scsi/reports/report_commands.h"

namespace lunar::scsi {
namespace rows {

constexpr std::uint8_t kPcr = 0x02;  // LOG SELECT

constexpr auto kReportRows = std::to_array<CommandDescription>({
    // clang-format off
    row({Opcode::test_unit_ready, 0, kToWellKnown, kTellsOfMedium, kNone, kQuick, {}, decode_nothing, execute_test_unit_ready}),
    row({Opcode::request_sense, 0, kAlways, kNothing, kIn, kQuick, {0, 0x01, 0, 0, kFull}, decode_request_sense, execute_request_sense}),
    row({Opcode::inquiry, 0, kAlways, kNothing, kIn, kQuick, {0, 0x01, kFull, kFull, kFull}, decode_inquiry, execute_inquiry}),
    row({Opcode::report_luns, 0, kAlways, kNothing, kIn, kQuick, {0, 0, kFull, 0, 0, 0, kFull, kFull, kFull, kFull}, decode_report_luns, execute_report_luns}),
    row({Opcode::maintenance_in, action::report_supported_task_management_functions, kWithServiceAction | kDuringMediumOperation, kPathUnavailable | kPathInTransition, kIn, kQuick,
         {0, kAction, 0x80, 0, 0, 0, kFull, kFull, kFull, kFull}, decode_report_supported_tmfs, execute_report_supported_tmfs}),
    row({Opcode::maintenance_in, action::report_identifying_information, kWithServiceAction, kReadsSettings, kIn, kQuick,
         {0, kAction, 0, 0, 0, 0, kFull, kFull, kFull, kFull, 0xfe}, decode_report_identifying_information, execute_report_identifying_information}),
    row({Opcode::maintenance_out, action::set_identifying_information, kWithServiceAction | kOffMedium, kReservedWrites | kReservedAll | kAnyPathState, kOut, kQuick,
         {0, kAction, 0, 0, 0, 0, kFull, kFull, kFull, kFull, 0xfe}, decode_set_identifying_information, execute_set_identifying_information}),
    row({Opcode::maintenance_in, action::report_timestamp, kWithServiceAction, kReadsSettings, kIn, kQuick,
         {0, kAction, 0, 0, 0, 0, kFull, kFull, kFull, kFull}, decode_report_timestamp, execute_report_timestamp}),
    row({Opcode::maintenance_out, action::set_timestamp, kWithServiceAction | kOffMedium, kReservedWrites | kReservedAll | kAnyPathState, kOut, kQuick,
         {0, kAction, 0, 0, 0, 0, kFull, kFull, kFull, kFull}, decode_set_timestamp, execute_set_timestamp}),
    row({Opcode::log_select, 0, 0, kChangesSettings, kOut, kQuick, {0, kPcr, kFull, kFull, 0, 0, 0, kFull, kFull}, decode_log_select, execute_log_select}),
    row({Opcode::log_sense, 0, 0, kTellsOfUnit, kIn, kQuick, {0, 0, kFull, kFull, 0, kFull, kFull, kFull, kFull}, decode_log_sense, execute_log_sense}),
    // clang-format on
});

}  // namespace rows
using rows::kReportRows;

}  // namespace lunar::scsi
