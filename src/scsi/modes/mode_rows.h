// Rows of the command table: mode pages (SPC-5 §6.11–6.15).
#pragma once

#include "scsi/core/rows.h"
#include "scsi/modes/mode_commands.h"

namespace lunar::scsi {
namespace rows {

constexpr std::uint8_t kPfSp = 0x11;  // MODE SELECT: PF, SP

constexpr auto kModeRows = std::to_array<CommandDescription>({
    // clang-format off
    row({Opcode::mode_sense_6, 0, 0, kReadsSettings, kIn, kQuick, {0, 0x08, kFull, kFull, kFull}, decode_mode_sense_6, execute_mode_sense_6}),
    row({Opcode::mode_sense_10, 0, 0, kReadsSettings, kIn, kQuick, {0, 0x18, kFull, kFull, 0, 0, 0, kFull, kFull}, decode_mode_sense_10, execute_mode_sense_10}),
    row({Opcode::mode_select_6, 0, 0, kChangesSettings, kOut, kMedium, {0, kPfSp, 0, 0, kFull}, decode_mode_select_6, execute_mode_select}),
    row({Opcode::mode_select_10, 0, 0, kChangesSettings, kOut, kMedium, {0, kPfSp, 0, 0, 0, 0, 0, kFull, kFull}, decode_mode_select_10, execute_mode_select}),
    // clang-format on
});

}  // namespace rows
using rows::kModeRows;

}  // namespace lunar::scsi
