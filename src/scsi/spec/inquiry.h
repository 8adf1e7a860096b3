// INQUIRY data: the standard INQUIRY data (SPC-5), and the header of all vital product data pages.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/endian.h"

namespace lunar::scsi::spec {

// PERIPHERAL QUALIFIER, bits 7..5 of byte 0
enum class PeripheralQualifier : std::uint8_t {
  connected = 0,      // a logical unit is there, or it is unknown whether one is
  not_connected = 1,  // none is there, but the target could have one here
  incapable = 3,      // no logical unit can be here; the device type is then unknown
};

// PERIPHERAL DEVICE TYPE, bits 4..0 of byte 0
enum class PeripheralDeviceType : std::uint8_t {
  direct_access = 0x00,
  well_known_logical_unit = 0x1e,
  unknown = 0x1f,
};

[[nodiscard]] constexpr std::uint8_t peripheral(PeripheralQualifier qualifier,
                                                PeripheralDeviceType type) {
  return static_cast<std::uint8_t>((static_cast<std::uint8_t>(qualifier) << 5) |
                                   static_cast<std::uint8_t>(type));
}
// Byte 0 of a disk's INQUIRY data and VPD pages.
constexpr std::uint8_t kPeripheralDisk =
    peripheral(PeripheralQualifier::connected, PeripheralDeviceType::direct_access);
// The same for a well known logical unit.
constexpr std::uint8_t kPeripheralWellKnown =
    peripheral(PeripheralQualifier::connected, PeripheralDeviceType::well_known_logical_unit);
// The same for a LUN without a logical unit.
constexpr std::uint8_t kPeripheralAbsent =
    peripheral(PeripheralQualifier::incapable, PeripheralDeviceType::unknown);

// VERSION: the SPC that the device server implements
constexpr std::uint8_t kVersionSpc3 = 0x05;
constexpr std::uint8_t kVersionSpc4 = 0x06;
constexpr std::uint8_t kVersionSpc5 = 0x07;

// VERSION DESCRIPTOR values, each for a standard without claiming a version of it
namespace version_descriptor {
constexpr std::uint16_t kSam5 = 0x00a0;
constexpr std::uint16_t kSpc4 = 0x0460;
constexpr std::uint16_t kSpc5 = 0x05c0;
constexpr std::uint16_t kSbc3 = 0x04c0;
constexpr std::uint16_t kSbc4 = 0x0600;
constexpr std::uint16_t kIscsi = 0x0960;
}  // namespace version_descriptor

struct StandardInquiryData {
  std::uint8_t peripheral = 0;  // PERIPHERAL QUALIFIER, PERIPHERAL DEVICE TYPE
  std::uint8_t removable = 0;   // RMB, LU_CONG, HOT_PLUGGABLE
  std::uint8_t version = kVersionSpc5;
  std::uint8_t response_data_format = 0x02;  // NORMACA, HISUP, RESPONSE DATA FORMAT
  std::uint8_t additional_length = 0x5b;     // bytes after this one
  std::uint8_t flags5 = 0;                   // SCCS, TPGS, 3PC, PROTECT
  std::uint8_t flags6 = 0;                   // ENCSERV, MULTIP
  std::uint8_t flags7 = 0;                   // CMDQUE
  // Left-aligned ASCII, padded with spaces.
  std::array<char, 8> t10_vendor_identification{};
  std::array<char, 16> product_identification{};
  std::array<char, 4> product_revision_level{};
  std::array<std::uint8_t, 20> vendor_specific{};
  std::array<std::uint8_t, 2> reserved{};
  std::array<be16, 8> version_descriptors{};
  std::array<std::uint8_t, 22> reserved2{};

  static constexpr std::uint8_t kRmb = 0x80;
  static constexpr std::uint8_t kNormAca = 0x20;
  static constexpr std::uint8_t kHiSup = 0x10;
  static constexpr std::uint8_t kTpgsImplicit = 0x10;  // flags5
  static constexpr std::uint8_t kTpgsExplicit = 0x20;
  static constexpr std::uint8_t k3Pc = 0x08;
  static constexpr std::uint8_t kProtect = 0x01;
  static constexpr std::uint8_t kMultiP = 0x10;  // flags6
  static constexpr std::uint8_t kCmdQue = 0x02;  // flags7
};
static_assert(sizeof(StandardInquiryData) == 96);
static_assert(offsetof(StandardInquiryData, version) == 2);
static_assert(offsetof(StandardInquiryData, response_data_format) == 3);
static_assert(offsetof(StandardInquiryData, additional_length) == 4);
static_assert(offsetof(StandardInquiryData, flags5) == 5);
static_assert(offsetof(StandardInquiryData, flags7) == 7);
static_assert(offsetof(StandardInquiryData, t10_vendor_identification) == 8);
static_assert(offsetof(StandardInquiryData, product_identification) == 16);
static_assert(offsetof(StandardInquiryData, product_revision_level) == 32);
static_assert(offsetof(StandardInquiryData, vendor_specific) == 36);
static_assert(offsetof(StandardInquiryData, version_descriptors) == 58);
static_assert(offsetof(StandardInquiryData, reserved2) == 74);

// Vital product data page codes (SPC-5, SBC-4)
enum class VpdPage : std::uint8_t {
  supported_vpd_pages = 0x00,
  unit_serial_number = 0x80,
  device_identification = 0x83,
  software_interface_identification = 0x84,
  management_network_addresses = 0x85,
  extended_inquiry_data = 0x86,
  mode_page_policy = 0x87,
  scsi_ports = 0x88,
  third_party_copy = 0x8f,
  block_limits = 0xb0,
  block_device_characteristics = 0xb1,
  logical_block_provisioning = 0xb2,
  referrals = 0xb3,
  block_limits_extension = 0xb7,
};

struct VpdHeader {
  std::uint8_t peripheral = 0;
  std::uint8_t page_code = 0;
  be16 page_length;  // bytes after the header, not altered by the ALLOCATION LENGTH
};
static_assert(sizeof(VpdHeader) == 4);
static_assert(offsetof(VpdHeader, page_code) == 1);
static_assert(offsetof(VpdHeader, page_length) == 2);

}  // namespace lunar::scsi::spec
