// SEND DIAGNOSTIC and RECEIVE DIAGNOSTIC RESULTS (SPC-5 §6.26, §6.42, §7.2).
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/endian.h"

namespace lunar::scsi::spec {

struct ReceiveDiagnosticResultsCdb {
  std::uint8_t operation_code = 0;
  std::uint8_t flags = 0;
  std::uint8_t page_code = 0;
  be16 allocation_length;
  std::uint8_t control = 0;

  static constexpr std::uint8_t kPcv = 0x01;
  [[nodiscard]] constexpr bool pcv() const { return (flags & kPcv) != 0; }
};
static_assert(sizeof(ReceiveDiagnosticResultsCdb) == 6);
static_assert(offsetof(ReceiveDiagnosticResultsCdb, allocation_length) == 3);

// SELF-TEST CODE of SEND DIAGNOSTIC
enum class SelfTestCode : std::uint8_t {
  none = 0,  // the default self-test, or a diagnostic page
  background_short = 1,
  background_extended = 2,
  abort_background = 4,
  foreground_short = 5,
  foreground_extended = 6,
};
[[nodiscard]] constexpr bool is_foreground(SelfTestCode code) {
  return code == SelfTestCode::foreground_short || code == SelfTestCode::foreground_extended;
}
[[nodiscard]] constexpr bool is_extended(SelfTestCode code) {
  return code == SelfTestCode::background_extended || code == SelfTestCode::foreground_extended;
}

struct SendDiagnosticCdb {
  std::uint8_t operation_code = 0;
  std::uint8_t flags = 0;
  std::uint8_t reserved = 0;
  be16 parameter_list_length;
  std::uint8_t control = 0;

  static constexpr std::uint8_t kPf = 0x10;
  static constexpr std::uint8_t kSelfTest = 0x04;
  [[nodiscard]] constexpr std::uint8_t self_test_code() const { return flags >> 5; }
  [[nodiscard]] constexpr bool page_format() const { return (flags & kPf) != 0; }
  [[nodiscard]] constexpr bool self_test() const { return (flags & kSelfTest) != 0; }
};
static_assert(sizeof(SendDiagnosticCdb) == 6);
static_assert(offsetof(SendDiagnosticCdb, parameter_list_length) == 3);

struct DiagnosticPageHeader {
  std::uint8_t page_code = 0;
  std::uint8_t page_specific = 0;
  be16 page_length_bytes;
};
static_assert(sizeof(DiagnosticPageHeader) == 4);

constexpr std::uint8_t kSupportedDiagnosticPages = 0x00;

}  // namespace lunar::scsi::spec
