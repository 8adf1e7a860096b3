#include "scsi/spec/sense.h"

#include <algorithm>
#include <cstddef>

#include "base/endian.h"

namespace lunar::scsi::spec {
namespace {

// Byte 0: RESPONSE CODE
constexpr std::uint8_t kResponseCodeMask = 0x7f;
constexpr std::uint8_t kFixedCurrent = 0x70;
constexpr std::uint8_t kFixedDeferred = 0x71;
constexpr std::uint8_t kDescriptorCurrent = 0x72;
constexpr std::uint8_t kDescriptorDeferred = 0x73;
constexpr std::uint8_t kValid =
    0x80;  // of INFORMATION: in byte 0 (fixed) or byte 2 of its descriptor
constexpr std::uint8_t kSenseKeyMask = 0x0f;

// SENSE KEY SPECIFIC, three bytes (SPC-5, sense key specific sense data descriptor)
struct SenseKeySpecificField {
  std::uint8_t flags = 0;
  be16 value;

  static constexpr std::uint8_t kSksv = 0x80;
  static constexpr std::uint8_t kCommandData = 0x40;  // C/D: the pointer is into the CDB
  static constexpr std::uint8_t kSegmentDescriptor = 0x20;
  static constexpr std::uint8_t kBitPointerValid = 0x08;
  static constexpr std::uint8_t kBitPointerMask = 0x07;
  static constexpr std::uint8_t kOverflow = 0x01;
};
static_assert(sizeof(SenseKeySpecificField) == 3);
static_assert(offsetof(SenseKeySpecificField, value) == 1);

// SPC-5, fixed format sense data
struct FixedSense {
  std::uint8_t response_code = 0;  // with VALID
  std::uint8_t obsolete = 0;
  std::uint8_t sense_key = 0;  // with FILEMARK, EOM, ILI, SDAT_OVFL
  be32 information;
  std::uint8_t additional_sense_length = 0;
  be32 command_specific_information;
  std::uint8_t asc = 0;
  std::uint8_t ascq = 0;
  std::uint8_t field_replaceable_unit_code = 0;
  SenseKeySpecificField specific;
};
static_assert(sizeof(FixedSense) == kFixedSenseLength);
static_assert(offsetof(FixedSense, sense_key) == 2);
static_assert(offsetof(FixedSense, information) == 3);
static_assert(offsetof(FixedSense, additional_sense_length) == 7);
static_assert(offsetof(FixedSense, command_specific_information) == 8);
static_assert(offsetof(FixedSense, asc) == 12);
static_assert(offsetof(FixedSense, ascq) == 13);
static_assert(offsetof(FixedSense, field_replaceable_unit_code) == 14);
static_assert(offsetof(FixedSense, specific) == 15);

// SPC-5, descriptor format sense data
struct DescriptorSenseHeader {
  std::uint8_t response_code = 0;
  std::uint8_t sense_key = 0;
  std::uint8_t asc = 0;
  std::uint8_t ascq = 0;
  std::array<std::uint8_t, 3> reserved{};  // SDAT_OVFL in the first
  std::uint8_t additional_sense_length = 0;
};
static_assert(sizeof(DescriptorSenseHeader) == 8);
static_assert(offsetof(DescriptorSenseHeader, sense_key) == 1);
static_assert(offsetof(DescriptorSenseHeader, asc) == 2);
static_assert(offsetof(DescriptorSenseHeader, ascq) == 3);
static_assert(offsetof(DescriptorSenseHeader, additional_sense_length) == 7);
constexpr std::size_t kHeaderLength = sizeof(DescriptorSenseHeader);  // of both formats

constexpr std::uint8_t kInformationDescriptor = 0x00;
constexpr std::uint8_t kCommandSpecificDescriptor = 0x01;
constexpr std::uint8_t kSenseKeySpecificDescriptor = 0x02;

// Types 00h (INFORMATION) and 01h (COMMAND-SPECIFIC INFORMATION). Only 00h has VALID.
struct InformationSenseDescriptor {
  std::uint8_t descriptor_type = kInformationDescriptor;
  std::uint8_t additional_length = 0x0a;
  std::uint8_t valid = 0;
  std::uint8_t reserved = 0;
  be64 information;
};
static_assert(sizeof(InformationSenseDescriptor) == 12);
static_assert(offsetof(InformationSenseDescriptor, valid) == 2);
static_assert(offsetof(InformationSenseDescriptor, information) == 4);

// Type 02h
struct SpecificSenseDescriptor {
  std::uint8_t descriptor_type = kSenseKeySpecificDescriptor;
  std::uint8_t additional_length = 0x06;
  be16 reserved;
  SenseKeySpecificField specific;
  std::uint8_t reserved2 = 0;
};
static_assert(sizeof(SpecificSenseDescriptor) == 8);
static_assert(offsetof(SpecificSenseDescriptor, specific) == 4);

std::uint8_t bit_pointer(std::optional<std::uint8_t> bit) {
  if (!bit) return 0;
  return static_cast<std::uint8_t>(SenseKeySpecificField::kBitPointerValid |
                                   (*bit & SenseKeySpecificField::kBitPointerMask));
}

std::optional<std::uint8_t> bit_pointer(std::uint8_t flags) {
  if ((flags & SenseKeySpecificField::kBitPointerValid) == 0) return std::nullopt;
  return static_cast<std::uint8_t>(flags & SenseKeySpecificField::kBitPointerMask);
}

// One overload per alternative of SenseKeySpecific. They do not set SKSV.
struct EncodeSpecific {
  using Field = SenseKeySpecificField;
  Field operator()(std::monostate) const { return {}; }
  Field operator()(const FieldPointer& pointer) const {
    const unsigned in_cdb = pointer.in_cdb ? Field::kCommandData : 0U;
    return {static_cast<std::uint8_t>(in_cdb | bit_pointer(pointer.bit)), pointer.byte};
  }
  Field operator()(ProgressIndication progress) const { return {0, progress.value}; }
  Field operator()(ActualRetryCount count) const { return {0, count.value}; }
  Field operator()(const SegmentPointer& pointer) const {
    const unsigned in_segment = pointer.in_segment_descriptor ? Field::kSegmentDescriptor : 0U;
    return {static_cast<std::uint8_t>(in_segment | bit_pointer(pointer.bit)), pointer.byte};
  }
  Field operator()(UnitAttentionOverflow attention) const {
    return {attention.overflow ? Field::kOverflow : std::uint8_t{0}, std::uint16_t{0}};
  }
};

SenseKeySpecificField encode_specific(const SenseKeySpecific& specific) {
  SenseKeySpecificField field = std::visit(EncodeSpecific{}, specific);
  if (!std::holds_alternative<std::monostate>(specific)) {
    field.flags = static_cast<std::uint8_t>(field.flags | SenseKeySpecificField::kSksv);
  }
  return field;
}

SenseKeySpecific decode_specific(SenseKey key, const SenseKeySpecificField& field) {
  if ((field.flags & SenseKeySpecificField::kSksv) == 0) return {};
  switch (key) {
    case SenseKey::illegal_request:
      return FieldPointer{field.value, bit_pointer(field.flags),
                          (field.flags & SenseKeySpecificField::kCommandData) != 0};
    case SenseKey::no_sense:
    case SenseKey::not_ready: return ProgressIndication{field.value};
    case SenseKey::recovered_error:
    case SenseKey::medium_error:
    case SenseKey::hardware_error: return ActualRetryCount{field.value};
    case SenseKey::copy_aborted:
      return SegmentPointer{field.value, bit_pointer(field.flags),
                            (field.flags & SenseKeySpecificField::kSegmentDescriptor) != 0};
    case SenseKey::unit_attention:
      return UnitAttentionOverflow{(field.flags & SenseKeySpecificField::kOverflow) != 0};
    case SenseKey::data_protect:
    case SenseKey::blank_check:
    case SenseKey::vendor_specific:
    case SenseKey::aborted_command:
    case SenseKey::reserved:
    case SenseKey::volume_overflow:
    case SenseKey::miscompare:
    case SenseKey::completed: return {};
  }
  return {};
}

constexpr bool fits_32_bits(std::uint64_t value) { return value <= 0xffffffffU; }

void encode_fixed(const Sense& sense, ByteWriter& out) {
  FixedSense fixed;
  fixed.response_code = sense.deferred ? kFixedDeferred : kFixedCurrent;
  fixed.sense_key = static_cast<std::uint8_t>(sense.key);
  if (sense.information && fits_32_bits(*sense.information)) {
    fixed.response_code = static_cast<std::uint8_t>(fixed.response_code | kValid);
    fixed.information = static_cast<std::uint32_t>(*sense.information);
  }
  fixed.additional_sense_length = kFixedSenseLength - kHeaderLength;
  if (sense.command_specific && fits_32_bits(*sense.command_specific)) {
    fixed.command_specific_information = static_cast<std::uint32_t>(*sense.command_specific);
  }
  fixed.asc = asc(sense.additional);
  fixed.ascq = ascq(sense.additional);
  fixed.specific = encode_specific(sense.specific);
  out.write(fixed);
}

void encode_descriptors(const Sense& sense, ByteWriter& out) {
  DescriptorSenseHeader header;
  header.response_code = sense.deferred ? kDescriptorDeferred : kDescriptorCurrent;
  header.sense_key = static_cast<std::uint8_t>(sense.key);
  header.asc = asc(sense.additional);
  header.ascq = ascq(sense.additional);
  const bool has_specific = !std::holds_alternative<std::monostate>(sense.specific);
  header.additional_sense_length =
      static_cast<std::uint8_t>((sense.information ? sizeof(InformationSenseDescriptor) : 0U) +
                                (sense.command_specific ? sizeof(InformationSenseDescriptor) : 0U) +
                                (has_specific ? sizeof(SpecificSenseDescriptor) : 0U));
  out.write(header);

  if (sense.information) {
    InformationSenseDescriptor descriptor;
    descriptor.valid = kValid;
    descriptor.information = *sense.information;
    out.write(descriptor);
  }
  if (sense.command_specific) {
    InformationSenseDescriptor descriptor;
    descriptor.descriptor_type = kCommandSpecificDescriptor;
    descriptor.information = *sense.command_specific;
    out.write(descriptor);
  }
  if (has_specific) {
    SpecificSenseDescriptor descriptor;
    descriptor.specific = encode_specific(sense.specific);
    out.write(descriptor);
  }
}

Sense decode_fixed(Bytes bytes) {
  // Fields that were not sent read as zero, which means "absent" for each of them.
  std::array<std::byte, kFixedSenseLength> whole{};
  std::ranges::copy(bytes.first(std::min(bytes.size(), whole.size())), whole.begin());
  const FixedSense fixed = *load<FixedSense>(whole);

  Sense sense = Sense::of(static_cast<SenseKey>(fixed.sense_key & kSenseKeyMask),
                          make_additional_sense(fixed.asc, fixed.ascq));
  if ((fixed.response_code & kValid) != 0) sense.information = fixed.information.value();
  // The fixed format has no validity bit for this field.
  if (fixed.command_specific_information != 0) {
    sense.command_specific = fixed.command_specific_information.value();
  }
  sense.specific = decode_specific(sense.key, fixed.specific);
  return sense;
}

void decode_descriptor(Bytes descriptor, Sense& sense) {
  switch (static_cast<std::uint8_t>(descriptor[0])) {
    case kInformationDescriptor:
      if (const auto found = load<InformationSenseDescriptor>(descriptor);
          found && (found->valid & kValid) != 0) {
        sense.information = found->information.value();
      }
      break;
    case kCommandSpecificDescriptor:
      if (const auto found = load<InformationSenseDescriptor>(descriptor)) {
        sense.command_specific = found->information.value();
      }
      break;
    case kSenseKeySpecificDescriptor:
      if (const auto found = load<SpecificSenseDescriptor>(descriptor)) {
        sense.specific = decode_specific(sense.key, found->specific);
      }
      break;
    default: break;  // an unused type
  }
}

Sense decode_descriptors(Bytes bytes) {
  ByteReader reader(bytes);
  const DescriptorSenseHeader header = *reader.read<DescriptorSenseHeader>();
  Sense sense = Sense::of(static_cast<SenseKey>(header.sense_key & kSenseKeyMask),
                          make_additional_sense(header.asc, header.ascq));
  while (reader.remaining() >= 2) {
    const std::size_t length = 2 + static_cast<std::size_t>(reader.rest()[1]);
    const auto descriptor = reader.read_bytes(length);
    if (!descriptor) break;  // truncated by an allocation length
    decode_descriptor(*descriptor, sense);
  }
  return sense;
}

}  // namespace

SenseData encode(const Sense& sense, SenseFormat format) {
  SenseData data;
  ByteWriter out(data.storage);
  switch (format) {
    case SenseFormat::fixed: encode_fixed(sense, out); break;
    case SenseFormat::descriptor: encode_descriptors(sense, out); break;
  }
  data.length = static_cast<std::uint8_t>(out.stored());
  return data;
}

std::optional<Sense> decode_sense(Bytes bytes) {
  if (bytes.size() < kHeaderLength) return std::nullopt;
  // ADDITIONAL SENSE LENGTH is byte 7 in both formats and counts from byte 8.
  const std::size_t told = kHeaderLength + static_cast<std::size_t>(bytes[7]);
  bytes = bytes.first(std::min(told, bytes.size()));

  const std::uint8_t response_code = static_cast<std::uint8_t>(bytes[0]) & kResponseCodeMask;
  const bool fixed = response_code == kFixedCurrent || response_code == kFixedDeferred;
  const bool descriptor =
      response_code == kDescriptorCurrent || response_code == kDescriptorDeferred;
  if (!fixed && !descriptor) return std::nullopt;
  Sense sense = fixed ? decode_fixed(bytes) : decode_descriptors(bytes);
  sense.deferred = response_code == kFixedDeferred || response_code == kDescriptorDeferred;
  return sense;
}

}  // namespace lunar::scsi::spec
