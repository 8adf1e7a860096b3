#include "scsi/spec/designator.h"

#include <fmt/format.h>

#include <cassert>

#include "base/endian.h"

namespace lunar::scsi::spec {
namespace {

void append_header(ByteWriter& out, CodeSet code_set, Association association, DesignatorType type,
                   std::size_t length) {
  assert(length <= 0xff);
  DesignatorHeader header;
  header.code_set = static_cast<std::uint8_t>(code_set);
  header.type = static_cast<std::uint8_t>((static_cast<std::uint8_t>(association) << 4) |
                                          static_cast<std::uint8_t>(type));
  if (association != Association::logical_unit) {
    header.code_set = static_cast<std::uint8_t>(header.code_set | (kProtocolIscsi << 4));
    header.type = static_cast<std::uint8_t>(header.type | DesignatorHeader::kPiv);
  }
  header.designator_length = static_cast<std::uint8_t>(length);
  out.write(header);
}

// Relative target port identifier and target port group designators: two reserved bytes, then a
// number.
struct PortNumberDesignator {
  be16 reserved;
  be16 number;
};
static_assert(sizeof(PortNumberDesignator) == 4);
static_assert(offsetof(PortNumberDesignator, number) == 2);

// SPC-5, UUID identifier designator format
struct UuidDesignator {
  std::uint8_t uuid_type = 0x10;  // 1h in bits 7..4: a UUID of RFC 4122
  std::uint8_t reserved = 0;
  std::array<std::uint8_t, 16> uuid{};
};
static_assert(sizeof(UuidDesignator) == 18);
static_assert(offsetof(UuidDesignator, uuid) == 2);

std::uint64_t half(const Uuid& uuid, std::size_t from) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < 8; ++i) value = (value << 8) | uuid.bytes[from + i];
  return value;
}

}  // namespace

std::uint64_t naa_from_uuid(const Uuid& uuid) {
  constexpr std::uint64_t kLocallyAssigned = 0x3ULL << 60;
  constexpr std::uint64_t kValueMask = (1ULL << 60) - 1;
  // Folding covers the version and variant bits of each half with random bits of the other.
  return kLocallyAssigned | ((half(uuid, 0) ^ half(uuid, 8)) & kValueMask);
}

std::string naa_name_from_uuid(const Uuid& uuid) {
  return fmt::format("naa.{:016X}", naa_from_uuid(uuid));
}

void append_naa_designator(ByteWriter& out, const Uuid& uuid) {
  append_header(out, CodeSet::binary, Association::logical_unit, DesignatorType::naa, 8);
  out.write(be64(naa_from_uuid(uuid)));
}

void append_uuid_designator(ByteWriter& out, const Uuid& uuid) {
  append_header(out, CodeSet::binary, Association::logical_unit, DesignatorType::uuid,
                sizeof(UuidDesignator));
  UuidDesignator designator;
  designator.uuid = uuid.bytes;
  out.write(designator);
}

void append_t10_vendor_id_designator(ByteWriter& out, std::string_view vendor,
                                     std::string_view specific) {
  constexpr std::size_t kVendorLength = 8;
  specific = specific.substr(0, kMaxT10SpecificLength);
  append_header(out, CodeSet::ascii, Association::logical_unit, DesignatorType::t10_vendor_id,
                kVendorLength + specific.size());
  out.write_padded(vendor, kVendorLength);
  out.write_text(specific);
}

void append_scsi_name_designator(ByteWriter& out, Association association, std::string_view name) {
  assert(name.size() <= kMaxScsiNameLength);
  name = name.substr(0, kMaxScsiNameLength);
  const auto length = static_cast<std::size_t>(round_up(name.size() + 1, 4));
  append_header(out, CodeSet::utf_8, association, DesignatorType::scsi_name_string, length);
  out.write_text(name);
  out.write_zeroes(length - name.size());
}

void append_relative_target_port_designator(ByteWriter& out, std::uint16_t relative_port) {
  append_header(out, CodeSet::binary, Association::target_port,
                DesignatorType::relative_target_port_identifier, sizeof(PortNumberDesignator));
  out.write(PortNumberDesignator{{}, relative_port});
}

void append_target_port_group_designator(ByteWriter& out, std::uint16_t group) {
  append_header(out, CodeSet::binary, Association::target_port, DesignatorType::target_port_group,
                sizeof(PortNumberDesignator));
  out.write(PortNumberDesignator{{}, group});
}

}  // namespace lunar::scsi::spec
