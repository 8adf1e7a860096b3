// Parameter lists of FORMAT UNIT and SANITIZE (SBC-4 §5.4, §5.24).
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/endian.h"

namespace lunar::scsi::spec {

struct FormatUnitCdb {
  std::uint8_t operation_code = 0;
  std::uint8_t flags = 0;
  std::uint8_t vendor_specific = 0;
  std::uint8_t reserved = 0;
  std::uint8_t fast_format = 0;
  std::uint8_t control = 0;

  static constexpr std::uint8_t kFmtpInfoMask = 0xc0;
  static constexpr std::uint8_t kLongList = 0x20;
  static constexpr std::uint8_t kFmtData = 0x10;
  [[nodiscard]] constexpr std::uint8_t fmtpinfo() const { return flags >> 6; }
  [[nodiscard]] constexpr bool long_list() const { return (flags & kLongList) != 0; }
  [[nodiscard]] constexpr bool format_data() const { return (flags & kFmtData) != 0; }
};
static_assert(sizeof(FormatUnitCdb) == 6);

// Bits of byte 1 of both parameter list headers.
constexpr std::uint8_t kFormatFov = 0x80;
constexpr std::uint8_t kFormatOptions = 0x78;  // DPRY, DCRT, STPF, IP: valid only with FOV
constexpr std::uint8_t kFormatIp = 0x08;
constexpr std::uint8_t kFormatImmed = 0x02;

struct FormatShortHeader {
  std::uint8_t protection_field_usage = 0;
  std::uint8_t flags = 0;
  be16 defect_list_length_bytes;
};
static_assert(sizeof(FormatShortHeader) == 4);

struct FormatLongHeader {
  std::uint8_t protection_field_usage = 0;
  std::uint8_t flags = 0;
  std::uint8_t reserved = 0;
  std::uint8_t protection_interval = 0;
  be32 defect_list_length_bytes;
};
static_assert(sizeof(FormatLongHeader) == 8);

struct InitializationPatternDescriptor {
  std::uint8_t modifier = 0;  // SI and obsolete bits
  std::uint8_t pattern_type = 0;
  be16 pattern_length_bytes;

  static constexpr std::uint8_t kDefaultPattern = 0;
  static constexpr std::uint8_t kRepeatPattern = 1;
};
static_assert(sizeof(InitializationPatternDescriptor) == 4);

struct SanitizeCdb {
  std::uint8_t operation_code = 0;
  std::uint8_t flags = 0;
  std::uint8_t reserved[5] = {};
  be16 parameter_list_length;
  std::uint8_t control = 0;

  static constexpr std::uint8_t kImmed = 0x80;
  static constexpr std::uint8_t kAuse = 0x20;
  [[nodiscard]] constexpr bool immed() const { return (flags & kImmed) != 0; }
  [[nodiscard]] constexpr bool ause() const { return (flags & kAuse) != 0; }
};
static_assert(sizeof(SanitizeCdb) == 10);
static_assert(offsetof(SanitizeCdb, parameter_list_length) == 7);

// Precedes the INITIALIZATION PATTERN of an overwrite.
struct SanitizeOverwriteHeader {
  std::uint8_t flags = 0;
  std::uint8_t reserved = 0;
  be16 pattern_length_bytes;

  static constexpr std::uint8_t kInvert = 0x80;
  static constexpr std::uint8_t kTestMask = 0x60;
  static constexpr std::uint8_t kCountMask = 0x1f;
};
static_assert(sizeof(SanitizeOverwriteHeader) == 4);

}  // namespace lunar::scsi::spec
