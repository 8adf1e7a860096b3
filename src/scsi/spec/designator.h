// Designation descriptors of the Device Identification VPD page, 83h (SPC-5). Each function appends
// one descriptor. Identity derives from the device's UUID and is as persistent as the UUID.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "lunar/uuid.h"

namespace lunar::scsi::spec {

// ASSOCIATION: what the designator identifies
enum class Association : std::uint8_t { logical_unit = 0, target_port = 1, target_device = 2 };

enum class DesignatorType : std::uint8_t {
  vendor_specific = 0x0,
  t10_vendor_id = 0x1,
  eui_64 = 0x2,
  naa = 0x3,
  relative_target_port_identifier = 0x4,
  target_port_group = 0x5,
  logical_unit_group = 0x6,
  md5_logical_unit = 0x7,
  scsi_name_string = 0x8,
  protocol_specific_port = 0x9,
  uuid = 0xa,
};

enum class CodeSet : std::uint8_t { binary = 1, ascii = 2, utf_8 = 3 };

// PROTOCOL IDENTIFIER (SPC-5); only for target ports and devices
constexpr std::uint8_t kProtocolIscsi = 0x5;

struct DesignatorHeader {
  std::uint8_t code_set = 0;  // PROTOCOL IDENTIFIER, CODE SET
  std::uint8_t type = 0;      // PIV, ASSOCIATION, DESIGNATOR TYPE
  std::uint8_t reserved = 0;
  std::uint8_t designator_length = 0;

  static constexpr std::uint8_t kPiv = 0x80;  // PROTOCOL IDENTIFIER is valid
};
static_assert(sizeof(DesignatorHeader) == 4);
static_assert(offsetof(DesignatorHeader, designator_length) == 3);

// The 64-bit NAA 3h (locally assigned) name of a device: 60 bits, folded from both halves of its
// UUID. Other NAA formats need an IEEE company id, which a UUID does not have.
[[nodiscard]] std::uint64_t naa_from_uuid(const Uuid& uuid);
// The same name as a SCSI name string: "naa." and 16 hexadecimal digits (RFC 3980).
[[nodiscard]] std::string naa_name_from_uuid(const Uuid& uuid);

// For the logical unit:
void append_naa_designator(ByteWriter& out, const Uuid& uuid);
void append_uuid_designator(ByteWriter& out, const Uuid& uuid);
// `vendor` is padded to 8 bytes (T10 VENDOR IDENTIFICATION). `specific` is ASCII, at most
// kMaxT10SpecificLength bytes.
constexpr std::size_t kMaxT10SpecificLength = 255 - 8;
void append_t10_vendor_id_designator(ByteWriter& out, std::string_view vendor,
                                     std::string_view specific);

// `name`: UTF-8 that begins with "iqn.", "eui." or "naa.", at most kMaxScsiNameLength bytes. This
// appends the null and padding. Names of ports and target devices have the protocol iSCSI.
constexpr std::size_t kMaxScsiNameLength = 251;
void append_scsi_name_designator(ByteWriter& out, Association association, std::string_view name);

// For the target port of an iSCSI target:
void append_relative_target_port_designator(ByteWriter& out, std::uint16_t relative_port);
void append_target_port_group_designator(ByteWriter& out, std::uint16_t group);

}  // namespace lunar::scsi::spec
