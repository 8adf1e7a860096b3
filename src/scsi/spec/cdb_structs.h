// CDBs of commands that do not address a range of blocks, as wire structs. Unnamed fields and bits
// are reserved; the device server's usage map rejects them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/endian.h"

namespace lunar::scsi::spec {

// INQUIRY (SPC-5)
struct InquiryCdb {
  std::uint8_t operation_code = 0;
  std::uint8_t flags = 0;
  std::uint8_t page_code = 0;
  be16 allocation_length;
  std::uint8_t control = 0;

  static constexpr std::uint8_t kEvpd = 0x01;
  [[nodiscard]] constexpr bool evpd() const { return (flags & kEvpd) != 0; }
};
static_assert(sizeof(InquiryCdb) == 6);
static_assert(offsetof(InquiryCdb, page_code) == 2);
static_assert(offsetof(InquiryCdb, allocation_length) == 3);

// REQUEST SENSE (SPC-5)
struct RequestSenseCdb {
  std::uint8_t operation_code = 0;
  std::uint8_t flags = 0;
  be16 reserved;
  std::uint8_t allocation_length = 0;
  std::uint8_t control = 0;

  static constexpr std::uint8_t kDesc = 0x01;
  [[nodiscard]] constexpr bool desc() const { return (flags & kDesc) != 0; }
};
static_assert(sizeof(RequestSenseCdb) == 6);
static_assert(offsetof(RequestSenseCdb, allocation_length) == 4);

// MODE SENSE (6) (SPC-5)
struct ModeSense6Cdb {
  std::uint8_t operation_code = 0;
  std::uint8_t flags = 0;
  std::uint8_t page = 0;  // PC and PAGE CODE
  std::uint8_t subpage_code = 0;
  std::uint8_t allocation_length = 0;
  std::uint8_t control = 0;

  static constexpr std::uint8_t kDbd = 0x08;
  [[nodiscard]] constexpr bool dbd() const { return (flags & kDbd) != 0; }
  [[nodiscard]] constexpr std::uint8_t page_control() const { return page >> 6; }
  [[nodiscard]] constexpr std::uint8_t page_code() const { return page & 0x3f; }
};
static_assert(sizeof(ModeSense6Cdb) == 6);
static_assert(offsetof(ModeSense6Cdb, page) == 2);
static_assert(offsetof(ModeSense6Cdb, subpage_code) == 3);
static_assert(offsetof(ModeSense6Cdb, allocation_length) == 4);

// MODE SENSE (10) (SPC-5)
struct ModeSense10Cdb {
  std::uint8_t operation_code = 0;
  std::uint8_t flags = 0;
  std::uint8_t page = 0;  // PC and PAGE CODE
  std::uint8_t subpage_code = 0;
  be24 reserved;
  be16 allocation_length;
  std::uint8_t control = 0;

  static constexpr std::uint8_t kLlbaa = 0x10;
  static constexpr std::uint8_t kDbd = 0x08;
  [[nodiscard]] constexpr bool llbaa() const { return (flags & kLlbaa) != 0; }
  [[nodiscard]] constexpr bool dbd() const { return (flags & kDbd) != 0; }
  [[nodiscard]] constexpr std::uint8_t page_control() const { return page >> 6; }
  [[nodiscard]] constexpr std::uint8_t page_code() const { return page & 0x3f; }
};
static_assert(sizeof(ModeSense10Cdb) == 10);
static_assert(offsetof(ModeSense10Cdb, page) == 2);
static_assert(offsetof(ModeSense10Cdb, subpage_code) == 3);
static_assert(offsetof(ModeSense10Cdb, allocation_length) == 7);

// MODE SELECT (6) (SPC-5)
struct ModeSelect6Cdb {
  std::uint8_t operation_code = 0;
  std::uint8_t flags = 0;
  be16 reserved;
  std::uint8_t parameter_list_length = 0;
  std::uint8_t control = 0;

  static constexpr std::uint8_t kPf = 0x10;
  static constexpr std::uint8_t kRtd = 0x02;
  static constexpr std::uint8_t kSp = 0x01;
};
static_assert(sizeof(ModeSelect6Cdb) == 6);
static_assert(offsetof(ModeSelect6Cdb, parameter_list_length) == 4);

// MODE SELECT (10) (SPC-5). Its flags are those of MODE SELECT (6).
struct ModeSelect10Cdb {
  std::uint8_t operation_code = 0;
  std::uint8_t flags = 0;
  std::array<std::uint8_t, 5> reserved{};
  be16 parameter_list_length;
  std::uint8_t control = 0;
};
static_assert(sizeof(ModeSelect10Cdb) == 10);
static_assert(offsetof(ModeSelect10Cdb, parameter_list_length) == 7);

// LOG SENSE (SPC-5)
struct LogSenseCdb {
  std::uint8_t operation_code = 0;
  std::uint8_t flags = 0;
  std::uint8_t page = 0;  // PC and PAGE CODE
  std::uint8_t subpage_code = 0;
  std::uint8_t reserved = 0;
  be16 parameter_pointer;
  be16 allocation_length;
  std::uint8_t control = 0;

  [[nodiscard]] constexpr std::uint8_t page_control() const { return page >> 6; }
  [[nodiscard]] constexpr std::uint8_t page_code() const { return page & 0x3f; }
};
static_assert(sizeof(LogSenseCdb) == 10);
static_assert(offsetof(LogSenseCdb, parameter_pointer) == 5);
static_assert(offsetof(LogSenseCdb, allocation_length) == 7);

// LOG SELECT (SPC-5)
struct LogSelectCdb {
  std::uint8_t operation_code = 0;
  std::uint8_t flags = 0;
  std::uint8_t page = 0;  // PC and PAGE CODE
  std::uint8_t subpage_code = 0;
  be24 reserved;
  be16 parameter_list_length;
  std::uint8_t control = 0;

  static constexpr std::uint8_t kPcr = 0x02;
  [[nodiscard]] constexpr bool pcr() const { return (flags & kPcr) != 0; }
  [[nodiscard]] constexpr std::uint8_t page_control() const { return page >> 6; }
  [[nodiscard]] constexpr std::uint8_t page_code() const { return page & 0x3f; }
};
static_assert(sizeof(LogSelectCdb) == 10);
static_assert(offsetof(LogSelectCdb, parameter_list_length) == 7);

// START STOP UNIT (SBC-4)
struct StartStopUnitCdb {
  std::uint8_t operation_code = 0;
  std::uint8_t flags = 0;
  std::uint8_t reserved = 0;
  std::uint8_t power_condition_modifier = 0;
  std::uint8_t power = 0;  // POWER CONDITION, NO_FLUSH, LOEJ, START
  std::uint8_t control = 0;

  static constexpr std::uint8_t kImmed = 0x01;
  static constexpr std::uint8_t kNoFlush = 0x04;
  static constexpr std::uint8_t kLoej = 0x02;
  static constexpr std::uint8_t kStart = 0x01;
  [[nodiscard]] constexpr bool immed() const { return (flags & kImmed) != 0; }
  [[nodiscard]] constexpr std::uint8_t power_condition() const { return power >> 4; }
  [[nodiscard]] constexpr bool no_flush() const { return (power & kNoFlush) != 0; }
  [[nodiscard]] constexpr bool loej() const { return (power & kLoej) != 0; }
  [[nodiscard]] constexpr bool start() const { return (power & kStart) != 0; }
};
static_assert(sizeof(StartStopUnitCdb) == 6);
static_assert(offsetof(StartStopUnitCdb, power_condition_modifier) == 3);
static_assert(offsetof(StartStopUnitCdb, power) == 4);

// READ CAPACITY (10) (SBC-4)
struct ReadCapacity10Cdb {
  std::uint8_t operation_code = 0;
  std::uint8_t reserved = 0;
  be32 obsolete_logical_block_address;
  be16 reserved2;
  std::uint8_t obsolete_pmi = 0;
  std::uint8_t control = 0;
};
static_assert(sizeof(ReadCapacity10Cdb) == 10);
static_assert(offsetof(ReadCapacity10Cdb, obsolete_logical_block_address) == 2);
static_assert(offsetof(ReadCapacity10Cdb, obsolete_pmi) == 8);

// SERVICE ACTION IN (16): READ CAPACITY (16) (SBC-4) and GET LBA STATUS (16) (SBC-4)
struct ServiceActionIn16Cdb {
  std::uint8_t operation_code = 0;
  std::uint8_t service_action = 0;
  be64 logical_block_address;  // GET LBA STATUS: first block; READ CAPACITY: obsolete
  be32 allocation_length;
  std::uint8_t flags = 0;  // GET LBA STATUS: REPORT TYPE; READ CAPACITY: obsolete PMI
  std::uint8_t control = 0;
};
static_assert(sizeof(ServiceActionIn16Cdb) == 16);
static_assert(offsetof(ServiceActionIn16Cdb, logical_block_address) == 2);
static_assert(offsetof(ServiceActionIn16Cdb, allocation_length) == 10);
static_assert(offsetof(ServiceActionIn16Cdb, flags) == 14);

// UNMAP (SBC-4)
struct UnmapCdb {
  std::uint8_t operation_code = 0;
  std::uint8_t flags = 0;
  be32 reserved;
  std::uint8_t group_number = 0;
  be16 parameter_list_length;
  std::uint8_t control = 0;

  static constexpr std::uint8_t kAnchor = 0x01;
  [[nodiscard]] constexpr bool anchor() const { return (flags & kAnchor) != 0; }
};
static_assert(sizeof(UnmapCdb) == 10);
static_assert(offsetof(UnmapCdb, group_number) == 6);
static_assert(offsetof(UnmapCdb, parameter_list_length) == 7);

// REPORT LUNS (SPC-5)
struct ReportLunsCdb {
  std::uint8_t operation_code = 0;
  std::uint8_t reserved = 0;
  std::uint8_t select_report = 0;
  be24 reserved2;
  be32 allocation_length;
  std::uint8_t reserved3 = 0;
  std::uint8_t control = 0;
};
static_assert(sizeof(ReportLunsCdb) == 12);
static_assert(offsetof(ReportLunsCdb, select_report) == 2);
static_assert(offsetof(ReportLunsCdb, allocation_length) == 6);

// MAINTENANCE IN: REPORT SUPPORTED OPERATION CODES (SPC-5)
struct ReportSupportedOperationCodesCdb {
  std::uint8_t operation_code = 0;
  std::uint8_t service_action = 0;
  std::uint8_t options = 0;  // RCTD and REPORTING OPTIONS
  std::uint8_t requested_operation_code = 0;
  be16 requested_service_action;
  be32 allocation_length;
  std::uint8_t reserved = 0;
  std::uint8_t control = 0;

  static constexpr std::uint8_t kRctd = 0x80;
  static constexpr std::uint8_t kReportingOptionsMask = 0x07;
  [[nodiscard]] constexpr bool rctd() const { return (options & kRctd) != 0; }
  [[nodiscard]] constexpr std::uint8_t reporting_options() const {
    return options & kReportingOptionsMask;
  }
};
static_assert(sizeof(ReportSupportedOperationCodesCdb) == 12);
static_assert(offsetof(ReportSupportedOperationCodesCdb, options) == 2);
static_assert(offsetof(ReportSupportedOperationCodesCdb, requested_operation_code) == 3);
static_assert(offsetof(ReportSupportedOperationCodesCdb, requested_service_action) == 4);
static_assert(offsetof(ReportSupportedOperationCodesCdb, allocation_length) == 6);

// MAINTENANCE IN: REPORT SUPPORTED TASK MANAGEMENT FUNCTIONS (SPC-5)
struct ReportSupportedTmfCdb {
  std::uint8_t operation_code = 0;
  std::uint8_t service_action = 0;
  std::uint8_t flags = 0;
  be24 reserved;
  be32 allocation_length;
  std::uint8_t reserved2 = 0;
  std::uint8_t control = 0;

  static constexpr std::uint8_t kRepd = 0x80;  // requests the extended form
  [[nodiscard]] constexpr bool repd() const { return (flags & kRepd) != 0; }
};
static_assert(sizeof(ReportSupportedTmfCdb) == 12);
static_assert(offsetof(ReportSupportedTmfCdb, allocation_length) == 6);

}  // namespace lunar::scsi::spec
