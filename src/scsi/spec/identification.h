// Identifying information and timestamps (SPC-5 §6.33, §6.44, §6.38, §6.47).
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/endian.h"

namespace lunar::scsi::spec {

// REPORT and SET IDENTIFYING INFORMATION. The length is ALLOCATION LENGTH or PARAMETER LIST LENGTH.
struct IdentifyingInformationCdb {
  std::uint8_t operation_code = 0;
  std::uint8_t service_action = 0;
  be16 reserved;
  be16 restricted;
  be32 length;
  std::uint8_t type = 0;
  std::uint8_t control = 0;

  [[nodiscard]] constexpr std::uint8_t information_type() const { return type >> 1; }
};
static_assert(sizeof(IdentifyingInformationCdb) == 12);
static_assert(offsetof(IdentifyingInformationCdb, length) == 6);

// IDENTIFYING INFORMATION TYPE
constexpr std::uint8_t kIdentifyingInformation = 0x00;
constexpr std::uint8_t kTextIdentifyingInformation = 0x02;
constexpr std::uint8_t kSupportedIdentifyingInformation = 0x7f;

struct IdentifyingInformationHeader {
  be16 reserved;
  be16 length_bytes;
};
static_assert(sizeof(IdentifyingInformationHeader) == 4);

struct IdentifyingInformationDescriptor {
  std::uint8_t type = 0;  // shifted by one
  std::uint8_t reserved = 0;
  be16 maximum_length_bytes;
};
static_assert(sizeof(IdentifyingInformationDescriptor) == 4);

// REPORT and SET TIMESTAMP. The length is as above.
struct TimestampCdb {
  std::uint8_t operation_code = 0;
  std::uint8_t service_action = 0;
  be32 reserved;
  be32 length;
  std::uint8_t reserved_10 = 0;
  std::uint8_t control = 0;
};
static_assert(sizeof(TimestampCdb) == 12);
static_assert(offsetof(TimestampCdb, length) == 6);

// Milliseconds since 1970-01-01 00:00:00 UTC.
struct TimestampData {
  be16 timestamp_parameter_data_length_bytes;
  std::uint8_t timestamp_origin = 0;
  std::uint8_t reserved = 0;
  be48 timestamp_ms;
  be16 reserved_10;

  static constexpr std::uint8_t kSetByCommand = 0x02;
  static constexpr std::uint8_t kSetByOtherMethods = 0x03;
};
static_assert(sizeof(TimestampData) == 12);
static_assert(offsetof(TimestampData, timestamp_ms) == 4);

}  // namespace lunar::scsi::spec
