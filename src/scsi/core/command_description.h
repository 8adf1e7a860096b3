// A row of the command table: everything about a command that is not peculiar to it.
//
// Which bits of its CDB it reads (others set are INVALID FIELD IN CDB, with a field pointer), which
// way data go, whether it may run while a unit attention is pending or on a missing logical unit,
// which restrictions it heeds.
#pragma once

#include <array>
#include <cstdint>

#include "scsi/core/command.h"
#include "scsi/spec/opcodes.h"
#include "scsi/spec/protection.h"
#include "scsi/state/restrictions.h"

namespace lunar::scsi {

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

// Which of its rows a command runs by on a medium with room for protection information. Those of
// type 2 differ in that only CDBs of 32 bytes transfer it (SBC-4 §4.21.2.4).
[[nodiscard]] constexpr ProtectionRows protection_rows_of(spec::ProtectionType type) {
  switch (type) {
    case spec::ProtectionType::none: return ProtectionRows::without;
    case spec::ProtectionType::type_1:
    case spec::ProtectionType::type_3: return ProtectionRows::with;
    case spec::ProtectionType::type_2: return ProtectionRows::type_2;
  }
  return ProtectionRows::without;
}

}  // namespace lunar::scsi
