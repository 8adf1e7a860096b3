// Log parameters (SPC-5 §7.3, SBC-4 §6.4): headers of pages and parameters, and a disk's parameters
// with a fixed layout.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/endian.h"

namespace lunar::scsi::spec {

enum class LogPage : std::uint8_t {
  supported_pages = 0x00,
  write_error_counters = 0x02,
  read_error_counters = 0x03,
  verify_error_counters = 0x05,
  logical_block_provisioning = 0x0c,
  temperature = 0x0d,
  start_stop_cycle_counter = 0x0e,
  self_test_results = 0x10,
  general_statistics_and_performance = 0x19,
  informational_exceptions = 0x2f,
};
constexpr std::uint8_t kAllLogSubpages = 0xff;  // with page 00h: subpages of all pages

// PC of LOG SENSE and LOG SELECT
enum class LogPageControl : std::uint8_t {
  threshold = 0,
  cumulative = 1,
  default_threshold = 2,
  default_cumulative = 3,
};

struct LogPageHeader {
  std::uint8_t page_code = 0;  // DS, SPF, PAGE CODE
  std::uint8_t subpage_code = 0;
  be16 page_length;  // bytes after the header

  static constexpr std::uint8_t kDs = 0x80;   // parameters are not saved
  static constexpr std::uint8_t kSpf = 0x40;  // the page is a subpage
  static constexpr std::uint8_t kPageCodeMask = 0x3f;
};
static_assert(sizeof(LogPageHeader) == 4);
static_assert(offsetof(LogPageHeader, page_length) == 2);

struct LogParameterHeader {
  be16 parameter_code;
  std::uint8_t control = 0;  // DU, TSD, ETC, TMC, FORMAT AND LINKING
  std::uint8_t parameter_length = 0;

  static constexpr std::uint8_t kTsd = 0x20;  // not saved by the device itself
  static constexpr std::uint8_t kBoundedCounter = 0x00;
  static constexpr std::uint8_t kUnboundedCounter = 0x02;
  static constexpr std::uint8_t kBinaryList = 0x03;
};
static_assert(sizeof(LogParameterHeader) == 4);
static_assert(offsetof(LogParameterHeader, control) == 2);
static_assert(offsetof(LogParameterHeader, parameter_length) == 3);

// Parameter codes of the error counter pages 02h, 03h and 05h
enum class ErrorCounter : std::uint16_t {
  corrected_without_substantial_delay = 0,
  corrected_with_possible_delays = 1,
  total_retries = 2,
  total_corrected = 3,
  correction_algorithm_runs = 4,
  total_bytes_processed = 5,
  total_uncorrected = 6,
};

// 0Ch (SBC-4): counts threshold sets
struct ProvisioningParameter {
  be32 resource_count;
  std::uint8_t scope = 0;
  be24 reserved;

  static constexpr std::uint8_t kDedicated = 0x01;  // independent of other logical units
};
static_assert(sizeof(ProvisioningParameter) == 8);
static_assert(offsetof(ProvisioningParameter, scope) == 4);
constexpr std::uint16_t kUsedLbaMappingResources = 2;

// 0Dh, parameter 0000h
struct TemperatureParameter {
  std::uint8_t reserved = 0;
  std::uint8_t temperature = kNotAvailable;  // degrees Celsius

  static constexpr std::uint8_t kNotAvailable = 0xff;
};
static_assert(sizeof(TemperatureParameter) == 2);

// 0Eh, parameter 0004h
constexpr std::uint16_t kAccumulatedStartStopCycles = 4;

// 10h, parameters 0001h to 0014h, newest first
constexpr std::uint16_t kSelfTestResults = 20;

// SELF-TEST RESULTS
enum class SelfTestOutcome : std::uint8_t {
  no_error = 0x0,
  aborted_by_send_diagnostic = 0x1,
  aborted_otherwise = 0x2,
  unknown_error = 0x3,
  unknown_segment_failed = 0x4,
  first_segment_failed = 0x5,
  second_segment_failed = 0x6,
  other_segment_failed = 0x7,
  in_progress = 0xf,
};

struct SelfTestParameter {
  std::uint8_t code_and_results = 0;  // SELF-TEST CODE, SELF-TEST RESULTS
  std::uint8_t self_test_number = 0;  // the segment that failed
  be16 accumulated_power_on_hours;
  be64 address_of_first_failure;
  std::uint8_t sense_key = 0;
  std::uint8_t additional_sense_code = 0;
  std::uint8_t additional_sense_code_qualifier = 0;
  std::uint8_t vendor_specific = 0;

  static constexpr std::uint64_t kNoAddress = ~std::uint64_t{0};
};
static_assert(sizeof(SelfTestParameter) == 16);
static_assert(offsetof(SelfTestParameter, accumulated_power_on_hours) == 2);
static_assert(offsetof(SelfTestParameter, address_of_first_failure) == 4);
static_assert(offsetof(SelfTestParameter, sense_key) == 12);

// 19h, parameter 0001h
struct StatisticsParameter {
  be64 read_commands;
  be64 write_commands;
  be64 logical_blocks_received;
  be64 logical_blocks_transmitted;
  be64 read_command_processing_intervals;
  be64 write_command_processing_intervals;
  be64 weighted_commands;
  be64 weighted_command_processing;
};
static_assert(sizeof(StatisticsParameter) == 64);
constexpr std::uint16_t kStatistics = 1;

// 19h, parameter 0003h: an interval is `integer` times 10 to the power of -`exponent` seconds.
struct TimeIntervalParameter {
  be32 exponent;
  be32 integer;
};
static_assert(sizeof(TimeIntervalParameter) == 8);
constexpr std::uint16_t kTimeInterval = 3;

// 2Fh, parameter 0000h
struct InformationalExceptionsParameter {
  std::uint8_t additional_sense_code = 0;
  std::uint8_t additional_sense_code_qualifier = 0;
  std::uint8_t most_recent_temperature = TemperatureParameter::kNotAvailable;
};
static_assert(sizeof(InformationalExceptionsParameter) == 3);

}  // namespace lunar::scsi::spec
