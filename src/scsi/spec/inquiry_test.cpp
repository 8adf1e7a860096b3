#include "scsi/spec/inquiry.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string_view>

#include "scsi/spec/designator.h"
#include "scsi/spec/test_bytes.h"
#include "scsi/spec/vpd.h"

namespace lunar::scsi::spec {
namespace {

const Uuid kUuid = *Uuid::parse("00112233-4455-4677-8899-aabbccddeeff");

template <class Append>
std::string appended(Append append) {
  std::array<std::byte, 300> buffer{};
  ByteWriter out(buffer);
  append(out);
  EXPECT_EQ(out.written(), out.stored());
  return to_hex(out.bytes());
}

TEST(StandardInquiry, Bytes) {
  StandardInquiryData data;
  data.peripheral = kPeripheralDisk;
  data.response_data_format = 0x02 | StandardInquiryData::kHiSup;
  data.flags7 = StandardInquiryData::kCmdQue;
  std::ranges::copy(std::string_view("LUNAR   "), data.t10_vendor_identification.begin());
  std::ranges::copy(std::string_view("VIRTUAL-DISK    "), data.product_identification.begin());
  std::ranges::copy(std::string_view("0001"), data.product_revision_level.begin());
  data.version_descriptors[0] = version_descriptor::kSam5;
  data.version_descriptors[1] = version_descriptor::kIscsi;
  const std::string text = to_hex(as_bytes(data));
  EXPECT_EQ(text.substr(0, 3 * 36),
            "00 00 07 12 5b 00 00 02 4c 55 4e 41 52 20 20 20 56 49 52 54 55 41 4c 2d "
            "44 49 53 4b 20 20 20 20 30 30 30 31 ");
  EXPECT_EQ(text.substr(std::size_t{3} * 58, 3 * 6), "00 a0 09 60 00 00 ");
}

TEST(StandardInquiry, AbsentLogicalUnitIs7Fh) { EXPECT_EQ(kPeripheralAbsent, 0x7f); }

TEST(Vpd, BlockLimits) {
  BlockLimitsVpd page;
  page.flags = BlockLimitsVpd::kWsnz;
  page.maximum_compare_and_write_length = 1;
  page.optimal_transfer_length_granularity = 8;
  page.maximum_transfer_length = 0x2000;
  page.optimal_transfer_length = 0x100;
  page.maximum_unmap_lba_count = 0x400000;
  page.maximum_unmap_block_descriptor_count = 256;
  page.optimal_unmap_granularity = 8;
  page.unmap_granularity_alignment = BlockLimitsVpd::kUgaValid;
  page.maximum_write_same_length = 0x10000;
  EXPECT_EQ(to_hex(as_bytes(page)),
            "00 b0 00 3c 01 01 00 08 00 00 20 00 00 00 01 00 00 00 00 00 00 40 00 00 "
            "00 00 01 00 00 00 00 08 80 00 00 00 00 00 00 00 00 01 00 00 00 00 00 00 "
            "00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00");
}

TEST(Vpd, BlockDeviceCharacteristics) {
  BlockDeviceCharacteristicsVpd page;
  page.medium_rotation_rate = BlockDeviceCharacteristicsVpd::kNonRotating;
  page.flags = BlockDeviceCharacteristicsVpd::kFuab;
  const std::string text = to_hex(as_bytes(page));
  EXPECT_EQ(text.substr(0, 3 * 10), "00 b1 00 3c 00 01 00 00 02 00 ");
}

TEST(Vpd, LogicalBlockProvisioning) {
  LogicalBlockProvisioningVpd page;
  page.flags = LogicalBlockProvisioningVpd::kLbpu | LogicalBlockProvisioningVpd::kLbpws |
               LogicalBlockProvisioningVpd::kLbpws10 | LogicalBlockProvisioningVpd::kLbprzZeroes;
  page.provisioning_type = static_cast<std::uint8_t>(ProvisioningType::thin);
  EXPECT_EQ(to_hex(as_bytes(page)), "00 b2 00 04 00 e4 02 00");
}

TEST(Designator, NaaIsLocallyAssignedAndFollowsTheUuid) {
  EXPECT_EQ(naa_from_uuid(kUuid), 0x3888'8888'8888'a888U);  // the halves' xor, NAA 3h
  EXPECT_EQ(naa_name_from_uuid(kUuid), "naa.388888888888A888");
  EXPECT_EQ(appended([](ByteWriter& out) { append_naa_designator(out, kUuid); }),
            "01 03 00 08 38 88 88 88 88 88 a8 88");
}

TEST(Designator, NaaDiffersWhereOneBitOfTheUuidDiffers) {
  const std::uint64_t naa = naa_from_uuid(kUuid);
  for (const std::size_t byte : {1U, 7U, 9U, 15U}) {
    Uuid other = kUuid;
    other.bytes[byte] ^= 1;
    EXPECT_NE(naa_from_uuid(other), naa) << byte;
    EXPECT_EQ(naa_from_uuid(other) >> 60, 3U);
  }
}

TEST(Designator, Uuid) {
  EXPECT_EQ(appended([](ByteWriter& out) { append_uuid_designator(out, kUuid); }),
            "01 0a 00 12 10 00 00 11 22 33 44 55 46 77 88 99 aa bb cc dd ee ff");
}

TEST(Designator, T10VendorId) {
  EXPECT_EQ(appended([](ByteWriter& out) { append_t10_vendor_id_designator(out, "LUNAR", "ab1"); }),
            "02 01 00 0b 4c 55 4e 41 52 20 20 20 61 62 31");
}

TEST(Designator, T10VendorIdIsCutAtItsLongest) {
  const std::string specific(300, 'x');
  const std::string text =
      appended([&](ByteWriter& out) { append_t10_vendor_id_designator(out, "LUNAR", specific); });
  EXPECT_EQ(text.substr(0, 11), "02 01 00 ff");
  EXPECT_EQ((text.size() + 1) / 3, 4U + 255U);
}

TEST(Designator, ScsiNameIsTerminatedAndPaddedToFour) {
  EXPECT_EQ(appended([](ByteWriter& out) {
              append_scsi_name_designator(out, Association::target_device, "iqn.x:y");
            }),
            "53 a8 00 08 69 71 6e 2e 78 3a 79 00");
  EXPECT_EQ(appended([](ByteWriter& out) {
              append_scsi_name_designator(out, Association::logical_unit, "naa.1234");
            }),
            "03 08 00 0c 6e 61 61 2e 31 32 33 34 00 00 00 00");
}

TEST(Designator, PortNumbers) {
  EXPECT_EQ(appended([](ByteWriter& out) { append_relative_target_port_designator(out, 0x102); }),
            "51 94 00 04 00 00 01 02");
  EXPECT_EQ(appended([](ByteWriter& out) { append_target_port_group_designator(out, 1); }),
            "51 95 00 04 00 00 00 01");
}

}  // namespace
}  // namespace lunar::scsi::spec
