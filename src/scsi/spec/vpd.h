// Vital product data pages of a block device with a fixed layout (SBC-4).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/endian.h"
#include "scsi/spec/inquiry.h"

namespace lunar::scsi::spec {

// 86h (SPC-5, Extended INQUIRY Data VPD page)
struct ExtendedInquiryVpd {
  VpdHeader header{0, static_cast<std::uint8_t>(VpdPage::extended_inquiry_data),
                   std::uint16_t{0x3c}};
  std::uint8_t protection = 0;  // ACTIVATE MICROCODE, SPT, GRD_CHK, APP_CHK, REF_CHK
  std::uint8_t flags5 = 0;
  std::uint8_t flags6 = 0;
  std::uint8_t flags7 = 0;
  std::uint8_t flags8 = 0;     // R_SUP, RTD_SUP, HSSRELEF
  std::uint8_t microcode = 0;  // MULTI I_T NEXUS MICROCODE DOWNLOAD
  be16 extended_self_test_completion_minutes;
  std::uint8_t activation = 0;  // POA_SUP, HRA_SUP, VSA_SUP
  std::uint8_t maximum_supported_sense_data_length = 0;
  std::array<std::uint8_t, 50> reserved{};

  // protection: SPT of a unit that supports types 1, 2 and 3
  static constexpr std::uint8_t kSptAllTypes = 0x07 << 3;
  static constexpr std::uint8_t kGrdChk = 0x04;
  static constexpr std::uint8_t kAppChk = 0x02;
  static constexpr std::uint8_t kRefChk = 0x01;
  static constexpr std::uint8_t kUaskSup = 0x20;  // flags5: unit attentions report overflow
  static constexpr std::uint8_t kGroupSup = 0x10;
  static constexpr std::uint8_t kHeadSup = 0x04;
  static constexpr std::uint8_t kOrdSup = 0x02;
  static constexpr std::uint8_t kSimpSup = 0x01;
  static constexpr std::uint8_t kVSup = 0x01;  // flags6: there is a volatile cache
  // flags7: REPORT LUNS clears REPORTED LUNS DATA HAS CHANGED of every logical unit
  static constexpr std::uint8_t kLuiClr = 0x01;
};
static_assert(sizeof(ExtendedInquiryVpd) == 64);
static_assert(offsetof(ExtendedInquiryVpd, protection) == 4);
static_assert(offsetof(ExtendedInquiryVpd, flags5) == 5);
static_assert(offsetof(ExtendedInquiryVpd, extended_self_test_completion_minutes) == 10);
static_assert(offsetof(ExtendedInquiryVpd, maximum_supported_sense_data_length) == 13);

// 87h (SPC-5, Mode Page Policy VPD page): a descriptor
struct ModePagePolicyDescriptor {
  std::uint8_t policy_page_code = 0x3f;  // all pages …
  std::uint8_t policy_subpage_code = 0xff;
  std::uint8_t policy = 0;  // MLUS; 00b: shared by all I_T nexuses
  std::uint8_t reserved = 0;
};
static_assert(sizeof(ModePagePolicyDescriptor) == 4);

// 88h (SPC-5, SCSI Ports VPD page): precedes the designators of a target port
struct ScsiPortDescriptor {
  be16 reserved;
  be16 relative_port_identifier;
  be16 reserved2;
  be16 initiator_port_transport_id_length;
  be16 reserved3;
  be16 target_port_descriptors_length;
};
static_assert(sizeof(ScsiPortDescriptor) == 12);
static_assert(offsetof(ScsiPortDescriptor, relative_port_identifier) == 2);
static_assert(offsetof(ScsiPortDescriptor, target_port_descriptors_length) == 10);

// B0h (SBC-4, Block Limits VPD page). Counts are in logical blocks. Zero means "not reported"
// unless stated otherwise.
struct BlockLimitsVpd {
  VpdHeader header{0, static_cast<std::uint8_t>(VpdPage::block_limits), std::uint16_t{0x3c}};
  std::uint8_t flags = 0;
  std::uint8_t maximum_compare_and_write_length = 0;  // 0: the command is not supported
  be16 optimal_transfer_length_granularity;
  be32 maximum_transfer_length;
  be32 optimal_transfer_length;
  be32 maximum_prefetch_length;
  be32 maximum_unmap_lba_count;               // 0: UNMAP is not supported
  be32 maximum_unmap_block_descriptor_count;  // 0: UNMAP is not supported
  be32 optimal_unmap_granularity;
  be32 unmap_granularity_alignment;  // with UGAVALID
  be64 maximum_write_same_length;
  be32 maximum_atomic_transfer_length;
  be32 atomic_alignment;
  be32 atomic_transfer_length_granularity;
  be32 maximum_atomic_transfer_length_with_atomic_boundary;
  be32 maximum_atomic_boundary_size;

  static constexpr std::uint8_t kWsnz = 0x01;  // WRITE SAME of zero blocks is not supported
  static constexpr std::uint32_t kUgaValid = 0x8000'0000;
};
static_assert(sizeof(BlockLimitsVpd) == 64);
static_assert(offsetof(BlockLimitsVpd, flags) == 4);
static_assert(offsetof(BlockLimitsVpd, maximum_compare_and_write_length) == 5);
static_assert(offsetof(BlockLimitsVpd, optimal_transfer_length_granularity) == 6);
static_assert(offsetof(BlockLimitsVpd, maximum_transfer_length) == 8);
static_assert(offsetof(BlockLimitsVpd, optimal_transfer_length) == 12);
static_assert(offsetof(BlockLimitsVpd, maximum_prefetch_length) == 16);
static_assert(offsetof(BlockLimitsVpd, maximum_unmap_lba_count) == 20);
static_assert(offsetof(BlockLimitsVpd, maximum_unmap_block_descriptor_count) == 24);
static_assert(offsetof(BlockLimitsVpd, optimal_unmap_granularity) == 28);
static_assert(offsetof(BlockLimitsVpd, unmap_granularity_alignment) == 32);
static_assert(offsetof(BlockLimitsVpd, maximum_write_same_length) == 36);
static_assert(offsetof(BlockLimitsVpd, maximum_atomic_transfer_length) == 44);
static_assert(offsetof(BlockLimitsVpd, atomic_alignment) == 48);
static_assert(offsetof(BlockLimitsVpd, atomic_transfer_length_granularity) == 52);
static_assert(offsetof(BlockLimitsVpd, maximum_atomic_transfer_length_with_atomic_boundary) == 56);
static_assert(offsetof(BlockLimitsVpd, maximum_atomic_boundary_size) == 60);

// B1h (SBC-4, Block Device Characteristics VPD page)
struct BlockDeviceCharacteristicsVpd {
  VpdHeader header{0, static_cast<std::uint8_t>(VpdPage::block_device_characteristics),
                   std::uint16_t{0x3c}};
  be16 medium_rotation_rate;
  std::uint8_t product_type = 0;
  std::uint8_t form_factor = 0;  // WABEREQ, WACEREQ, NOMINAL FORM FACTOR
  std::uint8_t flags = 0;
  std::array<std::uint8_t, 55> reserved{};

  static constexpr std::uint16_t kNotReported = 0x0000;
  static constexpr std::uint16_t kNonRotating = 0x0001;
  // WABEREQ 01b: blocks can be read after SANITIZE (BLOCK ERASE) without being written first
  static constexpr std::uint8_t kReadableAfterBlockErase = 0x40;
  static constexpr std::uint8_t kFuab =
      0x02;  // FUA and SYNCHRONIZE CACHE may stop at non-volatile cache
  static constexpr std::uint8_t kVbuls = 0x01;  // VERIFY of unmapped blocks with data-out compares
};
static_assert(sizeof(BlockDeviceCharacteristicsVpd) == 64);
static_assert(offsetof(BlockDeviceCharacteristicsVpd, medium_rotation_rate) == 4);
static_assert(offsetof(BlockDeviceCharacteristicsVpd, product_type) == 6);
static_assert(offsetof(BlockDeviceCharacteristicsVpd, form_factor) == 7);
static_assert(offsetof(BlockDeviceCharacteristicsVpd, flags) == 8);

// PROVISIONING TYPE
enum class ProvisioningType : std::uint8_t { not_reported = 0, resource = 1, thin = 2 };

// B2h without a provisioning group descriptor (SBC-4, Logical Block Provisioning VPD page)
struct LogicalBlockProvisioningVpd {
  VpdHeader header{0, static_cast<std::uint8_t>(VpdPage::logical_block_provisioning),
                   std::uint16_t{4}};
  std::uint8_t threshold_exponent = 0;
  std::uint8_t flags = 0;
  std::uint8_t provisioning_type = 0;  // MINIMUM PERCENTAGE, PROVISIONING TYPE
  std::uint8_t threshold_percentage = 0;

  static constexpr std::uint8_t kLbpu = 0x80;         // UNMAP
  static constexpr std::uint8_t kLbpws = 0x40;        // WRITE SAME (16) with UNMAP
  static constexpr std::uint8_t kLbpws10 = 0x20;      // WRITE SAME (10) with UNMAP
  static constexpr std::uint8_t kLbprzZeroes = 0x04;  // LBPRZ xx1b: unmapped blocks read as zeroes
  static constexpr std::uint8_t kAncSup = 0x02;
  static constexpr std::uint8_t kDp = 0x01;
};
static_assert(sizeof(LogicalBlockProvisioningVpd) == 8);
static_assert(offsetof(LogicalBlockProvisioningVpd, threshold_exponent) == 4);
static_assert(offsetof(LogicalBlockProvisioningVpd, flags) == 5);
static_assert(offsetof(LogicalBlockProvisioningVpd, provisioning_type) == 6);
static_assert(offsetof(LogicalBlockProvisioningVpd, threshold_percentage) == 7);

}  // namespace lunar::scsi::spec
