// The commands that the device server knows, as data. A new command is a row in the *_rows.h file
// of its room, and its two functions.
//
// command_table.cpp puts the rows of all rooms in order. REPORT SUPPORTED OPERATION CODES (SPC-5
// §6.35) answers from the same rows, so what it tells is what is checked.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "scsi/core/command_description.h"

namespace lunar::scsi {

class LogicalUnitShard;

// All of them, those of one operation code together, ascending.
[[nodiscard]] std::span<const CommandDescription> all_commands();

// The row of a CDB, in O(1). Null when there is none.
[[nodiscard]] const CommandDescription* find_command(
    const std::array<std::uint8_t, kMaxCdbBytes>& cdb);
// The rows of an operation code; empty when it is not known.
[[nodiscard]] std::span<const CommandDescription> commands_of(spec::Opcode opcode);
// The row by which a command runs on that logical unit now: a medium with room for protection
// information has some of its own. `row` is one of all_commands().
[[nodiscard]] const CommandDescription* row_for(const CommandDescription* row,
                                                const LogicalUnitShard& unit);
// Gives a command whose row heeds kProtectionRoom the row that it runs by. Refuses it, and returns
// false, when it would transfer protection information, and there is type 2, where only commands of
// 32 bytes may (SBC-4 §4.21.2.4).
bool take_row_for_protection(Command& command);
// Whether the logical unit of `command` offers, by this path, what the row describes.
[[nodiscard]] bool offers(const Command& command, const CommandDescription& description);

// Sense data for a CDB that has no row: INVALID COMMAND OPERATION CODE, or INVALID FIELD IN CDB at
// the service action.
[[nodiscard]] spec::Sense unknown_command_sense(const Command& command);
// Refuses, and returns false, when a bit is set that the command does not read.
bool check_usage(Command& command);

}  // namespace lunar::scsi
