// Rows of the command table: diagnostics, and buffers that test the path to the target (SPC-5 §6).
#pragma once

#include "scsi/core/rows.h"
#include "scsi/diagnostics/diagnostic_commands.h"

namespace lunar::scsi {
namespace rows {

// A self-test reads the medium (SPC-5 table 56), but not through a path: a standby path may start
// it.
constexpr Restrictions kTests = kNotReady | kFormatCorrupt | kLowPower | kReservedWrites |
                                kReservedAll | kPathUnavailable | kPathInTransition;
// ALLOW COMMANDS 100b permits reading a self-test's result.
constexpr Restrictions kTellsOfTests = kTests & ~kReservedWrites;

// SPC-5 table 56. Works in every access state of the path (SPC-5 §5.17.2.4).
constexpr Restrictions kTestsTheWay = kReservedWrites | kReservedAll;
constexpr std::uint8_t kMode = 0x1f;  // READ BUFFER, WRITE BUFFER: MODE, without MODE SPECIFIC

constexpr auto kDiagnosticRows = std::to_array<CommandDescription>({
    // clang-format off
    row({Opcode::send_diagnostic, 0, 0, kTests, kOut, kVeryLong, {0, 0xf4, 0, kFull, kFull}, decode_send_diagnostic, execute_send_diagnostic}),
    row({Opcode::receive_diagnostic_results, 0, 0, kTellsOfTests, kIn, kQuick, {0, 0x01, kFull, kFull, kFull}, decode_receive_diagnostic_results, execute_receive_diagnostic_results}),
    row({Opcode::read_buffer_10, 0, 0, kTestsTheWay, kIn, kQuick, {0, kMode, kFull, kFull, kFull, kFull, kFull, kFull, kFull}, decode_read_buffer, execute_read_buffer}),
    row({Opcode::read_buffer_16, 0, 0, kTestsTheWay, kIn, kQuick, {0, kMode, kFull, kFull, kFull, kFull, kFull, kFull, kFull, kFull, kFull, kFull, kFull, kFull, kFull}, decode_read_buffer, execute_read_buffer}),
    row({Opcode::write_buffer, 0, 0, kTestsTheWay, kOut, kQuick, {0, kMode, kFull, kFull, kFull, kFull, kFull, kFull, kFull}, decode_write_buffer, execute_write_buffer}),
    // clang-format on
});

}  // namespace rows
using rows::kDiagnosticRows;

}  // namespace lunar::scsi
