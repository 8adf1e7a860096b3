// The commands that the device server knows, as data. A new command is a row here, and its two
// functions.
//
// The row gives everything that is not peculiar to the command: which bits of its CDB it reads
// (others set are INVALID FIELD IN CDB, with a field pointer), which way data go, whether it may
// run while a unit attention is pending or on a missing logical unit, which restrictions it heeds.
// The rows stand by family in the *_rows.h files; command_table.cpp puts them in order.
// REPORT SUPPORTED OPERATION CODES (SPC-5 §6.35) answers from the same rows, so what it tells is
// what is checked.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "scsi/command.h"
#include "scsi/restrictions.h"
#include "scsi/spec/opcodes.h"

namespace lunar::scsi {

class LogicalUnit;

// Bits of CommandDescription::flags.
using CommandFlags = std::uint16_t;
constexpr CommandFlags kWithServiceAction = 1 << 0;  // the row is of one service action
// Runs, and leaves the condition pending (SAM-5 §5.14).
constexpr CommandFlags kWhileUnitAttention = 1 << 1;
// Also answers for a number without logical unit (SPC-5 §4.5).
constexpr CommandFlags kWithoutUnit = 1 << 2;
// There only where the logical unit is thin provisioned.
constexpr CommandFlags kNeedsThin = 1 << 3;
// Its data-out may be received into the medium itself.
constexpr CommandFlags kPlainWrite = 1 << 4;
// Never touches the medium, and may wait long for others: task management does not wait for its
// end.
constexpr CommandFlags kOffMedium = 1 << 5;
// Also runs while a format or sanitize operation has the medium for itself.
constexpr CommandFlags kDuringMediumOperation = 1 << 6;
constexpr CommandFlags kNeedsRemovable = 1 << 7;  // there only where the medium is removable
// There only where the target has target port groups; … whose state initiators may change.
constexpr CommandFlags kNeedsPortGroups = 1 << 8;
constexpr CommandFlags kNeedsExplicitAccess = 1 << 9;
// There only where the medium takes some writes whole or not at all.
constexpr CommandFlags kNeedsAtomicWrites = 1 << 10;
// There only with type 2 protection: the reference tags come in the CDB.
constexpr CommandFlags kNeedsType2 = 1 << 13;
// Those of which offers() has to be asked.
constexpr CommandFlags kConditions = kNeedsThin | kNeedsRemovable | kNeedsPortGroups |
                                     kNeedsExplicitAccess | kNeedsAtomicWrites | kNeedsType2;

// The REPORT LUNS well known logical unit knows it, too.
constexpr CommandFlags kToWellKnown = 1 << 11;
// Waits for no older command, whatever its task attribute: it is processed as HEAD OF QUEUE, which
// SAM-5 §8.2.3 allows for some and SBC-4 §5.24.1 demands of SANITIZE.
constexpr CommandFlags kPassesOthers = 1 << 12;

struct CommandDescription {
  spec::Opcode opcode;
  spec::ServiceActionCode service_action = 0;
  CommandFlags flags = 0;
  Restrictions heeds = 0;                         // what keeps it from running
  DataDirection direction = DataDirection::none;  // decode may turn it to none
  std::uint8_t cdb_length = 0;
  std::uint16_t recommended_timeout_s = 0;
  // The bits that are read; the operation code and service action are their own values.
  std::array<std::uint8_t, kMaxCdbBytes> usage{};

  // Fills what the CDB asks for into the command, or refuses it and returns false.
  bool (*decode)(Command&) = nullptr;
  // Runs it, and ends it sooner or later by end_soon() or, from the loop, end_now().
  void (*execute)(Command&) = nullptr;

  [[nodiscard]] bool is(CommandFlags flag) const { return (flags & flag) != 0; }
};

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
// Whether that would be the row that the command has.
[[nodiscard]] bool has_row_of_now(const Command& command);
// Whether the logical unit of `command` offers, by this path, what the row describes.
[[nodiscard]] bool offers(const Command& command, const CommandDescription& description);

// Sense data for a CDB that has no row: INVALID COMMAND OPERATION CODE, or INVALID FIELD IN CDB at
// the service action.
[[nodiscard]] spec::Sense unknown_command_sense(const Command& command);
// Refuses, and returns false, when a bit is set that the command does not read.
bool check_usage(Command& command);

}  // namespace lunar::scsi
