// Why commands of an I_T_L nexus may not run now, in one word.
//
// Each I_T_L nexus holds the restrictions that follow from the state of its logical unit, worked
// out anew when that state changes; each row of the command table names those that its command
// heeds. So what reservations, power conditions, write protection and asymmetric access cost a READ
// is one AND and one branch.
#pragma once

#include <cstdint>

namespace lunar::scsi {

using Restrictions = std::uint16_t;

// The medium is write-protected (SBC-4 §4.12).
constexpr Restrictions kWriteProtected = 1 << 0;
// The logical unit is not ready: stopped, without medium, formatting, sanitizing (SBC-4 §4.20).
constexpr Restrictions kNotReady = 1 << 1;
// A reservation of others conflicts with commands that read, … that write or change anything
// (SPC-5 table 56), … with all that RESERVE leaves (SPC-2 §5.5.1).
constexpr Restrictions kReservedReads = 1 << 2;
constexpr Restrictions kReservedWrites = 1 << 3;
constexpr Restrictions kReservedAll = 1 << 4;
// The target port's asymmetric access state allows but a few commands (SPC-5 §5.17.2).
constexpr Restrictions kPathStandby = 1 << 5;
constexpr Restrictions kPathUnavailable = 1 << 6;
constexpr Restrictions kPathInTransition = 1 << 7;
// An operation has the medium for itself: all but a few commands wait for its end (SBC-4 §4.11.4).
constexpr Restrictions kMediumOperation = 1 << 8;
// The unit is in an idle or standby power condition, which an access of the medium ends. The
// command runs nevertheless.
constexpr Restrictions kLowPower = 1 << 9;
// A format operation failed: what reads or writes blocks waits for a better one (SBC-4 §4.10).
constexpr Restrictions kFormatCorrupt = 1 << 10;
// Somebody's RESERVE (6) or (10) is in force, be it this nexus': persistent reservations have to
// wait (SPC-2 §5.5.1).
constexpr Restrictions kReservedAtAll = 1 << 11;
// The medium has room for protection information: the command runs by its row for such media, and
// what they are formatted to (protected_rows.h).
constexpr Restrictions kProtectionRoom = 1 << 12;
// Those with which the command runs nevertheless.
constexpr Restrictions kNoRefusals = kLowPower | kProtectionRoom;
constexpr Restrictions kAnyReservation =
    kReservedReads | kReservedWrites | kReservedAll | kReservedAtAll;
constexpr Restrictions kAnyPathState = kPathStandby | kPathUnavailable | kPathInTransition;

}  // namespace lunar::scsi
