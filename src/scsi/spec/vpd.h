// The vital product data pages of a block device that have a fixed layout (SBC-4).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/endian.h"
#include "scsi/spec/inquiry.h"

namespace lunar::scsi::spec {

// B0h (SBC-4, Block Limits VPD page). Counts are in logical blocks; zero means "not told" unless
// said.
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
