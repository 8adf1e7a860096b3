// Parameter data of REPORT SUPPORTED OPERATION CODES and REPORT SUPPORTED TASK MANAGEMENT FUNCTIONS
// (SPC-5).
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/endian.h"

namespace lunar::scsi::spec {

// REPORTING OPTIONS of the CDB
enum class ReportingOptions : std::uint8_t {
  all_commands = 0,
  one_operation_code = 1,      // INVALID FIELD IN CDB if it has service actions
  one_service_action = 2,      // INVALID FIELD IN CDB if it has none
  one_command_either_way = 3,  // SUPPORT is 001b for an unsupported service action
};

// SUPPORT of the one_command format
enum class CommandSupport : std::uint8_t {
  not_available_now = 0,
  not_supported = 1,
  per_standard = 3,
  vendor_specific = 5,
};

struct AllCommandsHeader {
  be32 command_data_length;  // bytes after this field, not altered by the ALLOCATION LENGTH
};
static_assert(sizeof(AllCommandsHeader) == 4);

struct CommandDescriptor {
  std::uint8_t operation_code = 0;
  std::uint8_t reserved = 0;
  be16 service_action;
  std::uint8_t reserved2 = 0;
  std::uint8_t flags = 0;  // RWCDLP, MLU, CDLP, CTDP, SERVACTV
  be16 cdb_length;

  static constexpr std::uint8_t kServactv = 0x01;    // service_action is valid
  static constexpr std::uint8_t kCtdp = 0x02;        // a CommandTimeoutsDescriptor follows
  static constexpr std::uint8_t kMluThisOne = 0x10;  // the command affects this logical unit only
};
static_assert(sizeof(CommandDescriptor) == 8);
static_assert(offsetof(CommandDescriptor, service_action) == 2);
static_assert(offsetof(CommandDescriptor, flags) == 5);
static_assert(offsetof(CommandDescriptor, cdb_length) == 6);

// The CDB usage map of cdb_size bytes follows. It has the operation code in its first byte and the
// value of the service action; all other bits that the device server evaluates are one.
struct OneCommandHeader {
  std::uint8_t reserved = 0;
  std::uint8_t support = 0;  // CTDP and a CommandSupport
  be16 cdb_size;

  static constexpr std::uint8_t kCtdp = 0x80;  // a CommandTimeoutsDescriptor follows the usage map
  static constexpr std::uint8_t kMluThisOne = 0x20;  // the command affects this logical unit only
};
static_assert(sizeof(OneCommandHeader) == 4);
static_assert(offsetof(OneCommandHeader, support) == 1);
static_assert(offsetof(OneCommandHeader, cdb_size) == 2);

// Zero: no time is reported.
struct CommandTimeoutsDescriptor {
  be16 descriptor_length = 0x000a;
  std::uint8_t reserved = 0;
  std::uint8_t command_specific = 0;
  be32 nominal_command_processing_timeout_s;
  be32 recommended_command_timeout_s;
};
static_assert(sizeof(CommandTimeoutsDescriptor) == 12);
static_assert(offsetof(CommandTimeoutsDescriptor, command_specific) == 3);
static_assert(offsetof(CommandTimeoutsDescriptor, nominal_command_processing_timeout_s) == 4);
static_assert(offsetof(CommandTimeoutsDescriptor, recommended_command_timeout_s) == 8);

// The basic form consists of the first four bytes.
struct SupportedTmfData {
  std::uint8_t functions = 0;
  std::uint8_t functions1 = 0;
  std::uint8_t reserved = 0;
  std::uint8_t additional_data_length = 0;
  std::uint8_t tmftmov = 0;  // the two timeouts are valid
  std::uint8_t reserved2 = 0;
  std::uint8_t timeout_selectors = 0;  // bits as in `functions`: one selects the long timeout
  std::uint8_t timeout_selectors1 = 0;
  be32 long_timeout_100ms;
  be32 short_timeout_100ms;

  static constexpr std::uint8_t kAbortTask = 0x80;  // functions
  static constexpr std::uint8_t kAbortTaskSet = 0x40;
  static constexpr std::uint8_t kClearAca = 0x20;
  static constexpr std::uint8_t kClearTaskSet = 0x10;
  static constexpr std::uint8_t kLogicalUnitReset = 0x08;
  static constexpr std::uint8_t kQueryTask = 0x04;
  static constexpr std::uint8_t kTargetReset = 0x02;
  static constexpr std::uint8_t kQueryAsynchronousEvent = 0x04;  // functions1
  static constexpr std::uint8_t kQueryTaskSet = 0x02;
  static constexpr std::uint8_t kITNexusReset = 0x01;
  static constexpr std::size_t kBasicBytes = 4;
};
static_assert(sizeof(SupportedTmfData) == 16);
static_assert(offsetof(SupportedTmfData, additional_data_length) == 3);
static_assert(offsetof(SupportedTmfData, timeout_selectors) == 6);
static_assert(offsetof(SupportedTmfData, long_timeout_100ms) == 8);
static_assert(offsetof(SupportedTmfData, short_timeout_100ms) == 12);

}  // namespace lunar::scsi::spec
