// Rows of the command table: log pages (SPC-5 §6.9, §6.10).
#pragma once

#include "scsi/core/rows.h"
#include "scsi/reports/report_commands.h"

namespace lunar::scsi {
namespace rows {

constexpr std::uint8_t kPcr = 0x02;  // LOG SELECT

constexpr auto kLogRows = std::to_array<CommandDescription>({
    // clang-format off
    row({Opcode::log_select, 0, 0, kChangesSettings, kOut, kQuick, {0, kPcr, kFull, kFull, 0, 0, 0, kFull, kFull}, decode_log_select, execute_log_select}),
    row({Opcode::log_sense, 0, 0, kTellsOfUnit, kIn, kQuick, {0, 0, kFull, kFull, 0, kFull, kFull, kFull, kFull}, decode_log_sense, execute_log_sense}),
    // clang-format on
});

}  // namespace rows
using rows::kLogRows;

}  // namespace lunar::scsi
