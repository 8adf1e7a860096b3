// The words in which the rows of the command table are written. For the *_rows.h files only.
#pragma once

#include <cstdint>

#include "scsi/core/command_description.h"
#include "scsi/spec/cdb.h"

namespace lunar::scsi::rows {

using spec::Opcode;
namespace action = spec::service_action;
using Usage = std::array<std::uint8_t, kMaxCdbBytes>;

// ---- The bits of a CDB that are read
constexpr std::uint8_t kFull = 0xff;    // a byte that is read whole
constexpr std::uint8_t kGroup = 0x3f;   // GROUP NUMBER: taken, and no statistics are kept of it
constexpr std::uint8_t kAction = 0x1f;  // SERVICE ACTION
constexpr std::uint8_t kDpoFua = 0x18;
constexpr std::uint8_t kVerify = 0x16;     // DPO, BYTCHK
constexpr std::uint8_t kSameUnmap = 0x08;  // WRITE SAME: UNMAP
constexpr std::uint8_t kSameNdob = 0x01;   // WRITE SAME (16): NDOB
constexpr std::uint8_t kImmed = 0x02;
constexpr std::uint8_t kPmi = 0x01;
constexpr std::uint8_t kDefectLists = 0x1f;  // REQ_PLIST, REQ_GLIST, DEFECT LIST FORMAT

// RDPROTECT, WRPROTECT, VRPROTECT, ORPROTECT: refused but on a medium that is formatted with
// protection information (SBC-4 §5.15), for which protected_rows.h adds it.
constexpr std::uint8_t kProtect = 0xe0;
// FORMAT UNIT: the same.
constexpr std::uint8_t kFmtpInfo = 0xc0;

// Byte 1 of a block command has the flags.
constexpr Usage block_6() { return {0, 0x1f, kFull, kFull, kFull}; }
constexpr Usage block_10(std::uint8_t flags) {
  return {0, flags, kFull, kFull, kFull, kFull, kGroup, kFull, kFull};
}
constexpr Usage block_12(std::uint8_t flags) {
  return {0, flags, kFull, kFull, kFull, kFull, kFull, kFull, kFull, kFull, kGroup};
}
constexpr Usage block_16(std::uint8_t flags) {
  return {0,     flags, kFull, kFull, kFull, kFull, kFull, kFull,
          kFull, kFull, kFull, kFull, kFull, kFull, kGroup};
}
constexpr Usage block_32(std::uint8_t flags) {
  Usage usage{0, 0, 0, 0, 0, 0, kGroup, 0, 0, 0, flags};
  for (std::size_t i = 12; i < usage.size(); ++i) usage[i] = kFull;
  return usage;
}

// ---- Which way data go
constexpr auto kIn = DataDirection::in;
constexpr auto kOut = DataDirection::out;
constexpr auto kNone = DataDirection::none;

// Seconds after which an initiator may give up: small for what needs no medium.
constexpr std::uint16_t kQuick = 10;
constexpr std::uint16_t kMedium = 30;
constexpr std::uint16_t kLong = 120;
// An initiator has to wait as long as the medium is large.
constexpr std::uint16_t kVeryLong = 0xffff;

// ---- Restrictions that a command heeds (SPC-5 table 56, SBC-4 table 13, SPC-5 §5.17.2)
// One that reads or writes blocks.
constexpr Restrictions kReads =
    kNotReady | kFormatCorrupt | kLowPower | kReservedReads | kReservedAll | kAnyPathState;
constexpr Restrictions kWrites = kWriteProtected | kNotReady | kFormatCorrupt | kLowPower |
                                 kReservedWrites | kReservedAll | kAnyPathState;
// One that tells of the medium, but not of what is on it: persistent reservations let it pass.
constexpr Restrictions kTellsOfMedium = kNotReady | kFormatCorrupt | kReservedAll | kAnyPathState;
// One that reads what the unit keeps beside the medium: ALLOW COMMANDS of REPORT CAPABILITIES tells
// that persistent reservations let it pass.
constexpr Restrictions kReadsSettings = kReservedAll | kPathUnavailable | kPathInTransition;
// One that changes what the unit keeps beside the medium.
constexpr Restrictions kChangesSettings =
    kReservedWrites | kReservedAll | kPathUnavailable | kPathInTransition;
// One that tells of its size, which hosts also ask for by a path in standby.
constexpr Restrictions kTellsCapacity =
    kNotReady | kFormatCorrupt | kReservedAll | kPathUnavailable | kPathInTransition;
// One that reads what the unit has counted: persistent reservations let it pass.
constexpr Restrictions kTellsOfUnit = kReservedAll | kPathUnavailable | kPathInTransition;
// Writing what a cache holds changes nothing that was not accepted before: write protection allows
// it.
constexpr Restrictions kSynchronizes =
    kNotReady | kLowPower | kReservedWrites | kReservedAll | kAnyPathState;
constexpr Restrictions kNothing = 0;

struct Row {
  Opcode opcode;
  spec::ServiceActionCode action = 0;
  CommandFlags flags = 0;
  Restrictions heeds = kNothing;
  DataDirection direction = kNone;
  std::uint16_t timeout_s = kQuick;
  Usage usage{};
  bool (*decode)(Command&) = nullptr;
  void (*execute)(Command&) = nullptr;
};

constexpr CommandDescription row(const Row& row) {
  CommandDescription description{row.opcode};
  description.service_action = row.action;
  description.flags = row.flags;
  description.heeds = row.heeds;
  if ((row.flags & kDuringMediumOperation) == 0) description.heeds |= kMediumOperation;
  description.direction = row.direction;
  description.cdb_length = row.opcode == Opcode::variable_length_cdb
                               ? 32
                               : static_cast<std::uint8_t>(spec::cdb_length(row.opcode));
  description.recommended_timeout_s = row.timeout_s;
  description.usage = row.usage;
  description.usage[0] = static_cast<std::uint8_t>(row.opcode);
  if (row.opcode == Opcode::variable_length_cdb) {
    // ADDITIONAL CDB LENGTH and SERVICE ACTION, each checked as a whole.
    description.usage[7] = description.usage[8] = description.usage[9] = kFull;
  }
  description.decode = row.decode;
  description.execute = row.execute;
  return description;
}

// Decodes a CDB that has no fields.
inline bool decode_nothing(Command& command) {
  (void)command;
  return true;
}

constexpr CommandFlags kAlways =
    kWhileUnitAttention | kWithoutUnit | kDuringMediumOperation | kToWellKnown | kPassesOthers;

}  // namespace lunar::scsi::rows
