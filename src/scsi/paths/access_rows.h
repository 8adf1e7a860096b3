// Rows of the command table: target port groups (SPC-5 §6.37, §6.45), command priorities (SPC-4
// §6.31, §6.41).
#pragma once

#include "scsi/core/rows.h"
#include "scsi/paths/access_commands.h"

namespace lunar::scsi {
namespace rows {

// PARAMETER DATA FORMAT, SERVICE ACTION
constexpr std::uint8_t kFormatAndAction = kFull;

constexpr auto kAccessRows = std::to_array<CommandDescription>({
    // clang-format off
    row({Opcode::maintenance_in, action::report_target_port_groups, kWithServiceAction | kNeedsPortGroups | kDuringMediumOperation, kNothing, kIn, kQuick,
         {0, kFormatAndAction, 0, 0, 0, 0, kFull, kFull, kFull, kFull}, decode_report_target_port_groups, execute_report_target_port_groups}),
    row({Opcode::maintenance_out, action::set_target_port_groups, kWithServiceAction | kNeedsExplicitAccess, kReservedWrites | kReservedAll | kPathInTransition, kOut, kMedium,
         {0, kAction, 0, 0, 0, 0, kFull, kFull, kFull, kFull}, decode_set_target_port_groups, execute_set_target_port_groups}),
    row({Opcode::maintenance_in, action::report_priority, kWithServiceAction, kReadsSettings, kIn, kQuick,
         {0, kAction, 0xc0, 0, 0, 0, kFull, kFull, kFull, kFull}, decode_report_priority, execute_report_priority}),
    row({Opcode::maintenance_out, action::set_priority, kWithServiceAction | kOffMedium, kChangesSettings, kOut, kQuick,
         {0, kAction, 0xc0, 0, 0, 0, kFull, kFull, kFull, kFull}, decode_set_priority, execute_set_priority}),
    // clang-format on
});

}  // namespace rows
using rows::kAccessRows;

}  // namespace lunar::scsi
