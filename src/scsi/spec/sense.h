// Sense data (SPC-5 §4.4): why a command did not end in GOOD. A plain value; fixed (70h) or
// descriptor (72h) format on the wire.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>

#include "base/bytes.h"
#include "scsi/spec/additional_sense.h"

namespace lunar::scsi::spec {

// SPC-5, sense key descriptions
enum class SenseKey : std::uint8_t {
  no_sense = 0x0,
  recovered_error = 0x1,
  not_ready = 0x2,
  medium_error = 0x3,
  hardware_error = 0x4,
  illegal_request = 0x5,
  unit_attention = 0x6,
  data_protect = 0x7,
  blank_check = 0x8,
  vendor_specific = 0x9,
  copy_aborted = 0xa,
  aborted_command = 0xb,
  reserved = 0xc,
  volume_overflow = 0xd,
  miscompare = 0xe,
  completed = 0xf,
};

[[nodiscard]] std::string_view to_text(SenseKey key);

// The sense-key specific field. The sense key determines its meaning.
// ILLEGAL REQUEST: byte of the field in error, and optionally its most significant bit.
struct FieldPointer {
  std::uint16_t byte = 0;
  std::optional<std::uint8_t> bit;  // 0..7
  bool in_cdb = true;               // false: in the parameter list
  bool operator==(const FieldPointer&) const = default;
};
// NO SENSE, NOT READY: progress of the operation, in 65536ths.
struct ProgressIndication {
  std::uint16_t value = 0;
  bool operator==(const ProgressIndication&) const = default;
};
// RECOVERED ERROR, MEDIUM ERROR, HARDWARE ERROR
struct ActualRetryCount {
  std::uint16_t value = 0;
  bool operator==(const ActualRetryCount&) const = default;
};
// COPY ABORTED: a field pointer relative to the parameter list or to a segment descriptor.
struct SegmentPointer {
  std::uint16_t byte = 0;
  std::optional<std::uint8_t> bit;  // 0..7
  bool in_segment_descriptor = false;
  bool operator==(const SegmentPointer&) const = default;
};
// UNIT ATTENTION: whether unit attention conditions were lost.
struct UnitAttentionOverflow {
  bool overflow = false;
  bool operator==(const UnitAttentionOverflow&) const = default;
};
using SenseKeySpecific = std::variant<std::monostate, FieldPointer, ProgressIndication,
                                      ActualRetryCount, SegmentPointer, UnitAttentionOverflow>;

struct Sense {
  SenseKey key = SenseKey::no_sense;
  AdditionalSense additional = AdditionalSense::no_additional_sense_information;
  bool deferred = false;                     // about an earlier command (SPC-5, deferred errors)
  std::optional<std::uint64_t> information;  // e.g. the LBA, or the offset of a miscompare
  std::optional<std::uint64_t> command_specific;  // COMMAND-SPECIFIC INFORMATION
  SenseKeySpecific specific;                      // the alternative for `key`, or none

  bool operator==(const Sense&) const = default;

  static constexpr Sense of(SenseKey key, AdditionalSense additional) {
    Sense sense;
    sense.key = key;
    sense.additional = additional;
    return sense;
  }
  static constexpr Sense illegal_request(AdditionalSense additional) {
    return of(SenseKey::illegal_request, additional);
  }
  static constexpr Sense invalid_field_in_cdb(std::uint16_t byte,
                                              std::optional<std::uint8_t> bit = std::nullopt) {
    Sense sense = illegal_request(AdditionalSense::invalid_field_in_cdb);
    sense.specific = FieldPointer{byte, bit, true};
    return sense;
  }
  static constexpr Sense invalid_field_in_parameter_list(
      std::uint16_t byte, std::optional<std::uint8_t> bit = std::nullopt) {
    Sense sense = illegal_request(AdditionalSense::invalid_field_in_parameter_list);
    sense.specific = FieldPointer{byte, bit, false};
    return sense;
  }
  static constexpr Sense unit_attention(AdditionalSense additional) {
    return of(SenseKey::unit_attention, additional);
  }
  static constexpr Sense not_ready(AdditionalSense additional) {
    return of(SenseKey::not_ready, additional);
  }
  static constexpr Sense not_ready(AdditionalSense additional, ProgressIndication progress) {
    Sense sense = not_ready(additional);
    sense.specific = progress;
    return sense;
  }
  [[nodiscard]] constexpr Sense with_information(std::uint64_t value) const {
    Sense sense = *this;
    sense.information = value;
    return sense;
  }
};
static_assert(std::is_trivially_copyable_v<Sense>);

// Format that a device server sends, by the D_SENSE bit of the Control mode page or the DESC bit of
// REQUEST SENSE.
enum class SenseFormat : std::uint8_t { fixed, descriptor };

constexpr std::size_t kFixedSenseLength = 18;
// Header, information, command-specific information and sense-key specific descriptors.
constexpr std::size_t kMaxDescriptorSenseLength = 8 + 12 + 12 + 8;
constexpr std::size_t kMaxSenseLength = kMaxDescriptorSenseLength;

struct SenseData {
  std::array<std::byte, kMaxSenseLength> storage{};
  std::uint8_t length = 0;
  [[nodiscard]] Bytes bytes() const { return Bytes(storage).first(length); }
};

// In fixed format, INFORMATION and COMMAND-SPECIFIC INFORMATION have four bytes. A value that does
// not fit is left out, with VALID zero (SPC-5, fixed format sense data).
[[nodiscard]] SenseData encode(const Sense& sense, SenseFormat format);

// Takes response codes 70h..73h. Skips descriptors that this file does not name. Fields beyond the
// given bytes or the ADDITIONAL SENSE LENGTH are absent. Nothing: no header, or another response
// code.
[[nodiscard]] std::optional<Sense> decode_sense(Bytes bytes);

// "ILLEGAL REQUEST, INVALID FIELD IN CDB (24h/00h), CDB byte 1 bit 3"
[[nodiscard]] std::string to_text(const Sense& sense);

}  // namespace lunar::scsi::spec
