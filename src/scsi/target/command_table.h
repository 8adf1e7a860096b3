// The commands of the device server, as data. A new command is a row in the *_rows.h file of its
// room, and two functions.
//
// command_table.cpp merges and sorts the rows of all rooms. REPORT SUPPORTED OPERATION CODES (SPC-5
// §6.35) answers from the same rows, so it reports exactly what is checked.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "scsi/core/command_description.h"

namespace lunar::scsi {

class LogicalUnitShard;

// All rows, ascending by operation code.
[[nodiscard]] std::span<const CommandDescription> all_commands();

// The row of a CDB, in O(1). Null: there is none.
[[nodiscard]] const CommandDescription* find_command(
    const std::array<std::uint8_t, kMaxCdbBytes>& cdb);
// The rows of an operation code. Empty: unknown.
[[nodiscard]] std::span<const CommandDescription> commands_of(spec::Opcode opcode);
// The row by which a command runs on `unit` now. Commands have other rows on a medium with room for
// protection information. `row` must be in all_commands().
[[nodiscard]] const CommandDescription* row_for(const CommandDescription* row,
                                                const LogicalUnitShard& unit);
// Replaces the row of a command whose row is restricted by kProtectionRoom with the row for that
// medium. With type 2 protection, refuses a command that would transfer protection information and
// returns false, unless its CDB has 32 bytes (SBC-4 §4.21.2.4).
bool take_row_for_protection(Command& command);
// Whether the logical unit of `command` supports the described command on this path.
[[nodiscard]] bool offers(const Command& command, const CommandDescription& description);

// Sense data for a CDB without a row: INVALID COMMAND OPERATION CODE, or INVALID FIELD IN CDB that
// points at the service action.
[[nodiscard]] spec::Sense unknown_command_sense(const Command& command);
// Refuses the command and returns false if its CDB has a bit set that the command does not use.
bool check_usage(Command& command);

}  // namespace lunar::scsi
