// Parameter data by literal bytes: LUN, REPORT LUNS, UNMAP, capacity, operation codes, mode pages.
#include <gtest/gtest.h>

#include "scsi/spec/capacity.h"
#include "scsi/spec/lun.h"
#include "scsi/spec/mode.h"
#include "scsi/spec/report_luns.h"
#include "scsi/spec/rsoc.h"
#include "scsi/spec/test_bytes.h"
#include "scsi/spec/unmap.h"

namespace lunar::scsi::spec {
namespace {

template <WireStruct T>
std::string hex_of(const T& value) {
  return to_hex(as_bytes(value));
}

TEST(Lun, EncodesPeripheralBelow256AndFlatFromThere) {
  EXPECT_EQ(encode_lun(Lun(0)), 0U);
  EXPECT_EQ(encode_lun(Lun(255)), 0x00ff'0000'0000'0000U);
  EXPECT_EQ(encode_lun(Lun(256)), 0x4100'0000'0000'0000U);
  EXPECT_EQ(encode_lun(Lun(kMaxLun)), 0x7fff'0000'0000'0000U);
  EXPECT_EQ(encode_lun(WellKnownLun::report_luns), 0xc101'0000'0000'0000U);
}

TEST(Lun, DecodesEveryNumberItEncodes) {
  for (std::uint16_t n = 0; n <= kMaxLun; ++n) {
    ASSERT_EQ(decode_lun(encode_lun(Lun(n))), LunAddress(Lun(n))) << n;
  }
}

TEST(Lun, TakesTheFlatFormOfSmallNumbers) {
  EXPECT_EQ(decode_lun(0x4005'0000'0000'0000), LunAddress(Lun(5)));
}

TEST(Lun, DecodesWellKnownLogicalUnits) {
  EXPECT_EQ(decode_lun(0xc101'0000'0000'0000), LunAddress(WellKnownLun::report_luns));
  EXPECT_FALSE(decode_lun(0xc100'0000'0000'0000));
  EXPECT_FALSE(decode_lun(0xc17f'0000'0000'0000));
}

TEST(Lun, RejectsOtherBusesMethodsAndLevels) {
  EXPECT_FALSE(decode_lun(0x0105'0000'0000'0000));  // peripheral device on bus 1
  EXPECT_FALSE(decode_lun(0x8005'0000'0000'0000));  // logical unit addressing
  EXPECT_FALSE(decode_lun(0xd200'0005'0000'0000));  // extended flat space
  EXPECT_FALSE(decode_lun(0xffff'ffff'ffff'ffff));  // not specified
  EXPECT_FALSE(decode_lun(0x0005'0001'0000'0000));  // a second level
  EXPECT_FALSE(decode_lun(0x0005'0000'0000'0001));
}

TEST(ReportLuns, HeaderBytes) {
  ReportLunsHeader header;
  header.lun_list_length = 16;
  EXPECT_EQ(hex_of(header), "00 00 00 10 00 00 00 00");
}

TEST(Unmap, ReadsEveryDescriptor) {
  const auto bytes =
      hex("0026 0020 00000000"
          "0000000000000100 00000008 00000000"
          "0102030405060708 ffffffff 00000000");
  const auto list = UnmapParameterList::parse(bytes);
  ASSERT_TRUE(list);
  ASSERT_EQ(list->size(), 2U);
  EXPECT_EQ((*list)[0], (UnmapExtent{Lba(0x100), BlockCount(8)}));
  EXPECT_EQ((*list)[1], (UnmapExtent{Lba(0x0102030405060708), BlockCount(0xffffffff)}));
  EXPECT_EQ(list->total_blocks(), BlockCount(0x1'0000'0007));
}

TEST(Unmap, NoBytesAndNoDescriptorsAreEmptyLists) {
  for (const auto& bytes : {hex(""), hex("0006 0000 00000000")}) {
    const auto list = UnmapParameterList::parse(bytes);
    ASSERT_TRUE(list);
    EXPECT_EQ(list->size(), 0U);
    EXPECT_EQ(list->total_blocks(), BlockCount(0));
  }
}

TEST(Unmap, IgnoresALastDescriptorThatIsIncomplete) {
  const auto bytes = hex("001d 0017 00000000 0000000000000001 00000002 00000000 00000000000000");
  const auto list = UnmapParameterList::parse(bytes);
  ASSERT_TRUE(list);
  EXPECT_EQ(list->size(), 1U);
}

TEST(Unmap, RejectsLengthsBeyondTheParameterList) {
  EXPECT_FALSE(UnmapParameterList::parse(hex("00")));
  EXPECT_FALSE(UnmapParameterList::parse(hex("0006 0000 000000")));
  EXPECT_FALSE(UnmapParameterList::parse(hex("0007 0000 00000000")));  // data length
  EXPECT_FALSE(UnmapParameterList::parse(hex("0006 0010 00000000")));  // descriptor data length
  EXPECT_FALSE(
      UnmapParameterList::parse(hex("0016 0010 00000000 0000000000000001 00000002 000000")));
  EXPECT_FALSE(UnmapParameterList::parse(hex("ffff ffff 00000000")));
}

TEST(Unmap, RejectsDescriptorsBehindTheEndOfTheData) {
  const auto descriptor = std::string("0000000000000001 00000002 00000000");
  const auto error_of = [&](const std::string& header) {
    const auto bytes = hex(header + descriptor);
    const auto list = UnmapParameterList::parse(bytes);
    return list ? Sense() : list.error();
  };
  const Sense wrong = Sense::invalid_field_in_parameter_list(2);
  EXPECT_EQ(error_of("0000 0010 00000000"), wrong);
  EXPECT_EQ(error_of("0006 0010 00000000"), wrong);
  EXPECT_EQ(error_of("0015 0010 00000000"), wrong);
  EXPECT_EQ(error_of("0016 0010 00000000"), Sense());
  EXPECT_EQ(error_of("0000 0000 00000000"), Sense()) << "no descriptors, no contradiction";
}

TEST(Capacity, Bytes) {
  ReadCapacity10Data ten;
  ten.returned_logical_block_address = 0x1fffff;
  ten.logical_block_length_bytes = 512;
  EXPECT_EQ(hex_of(ten), "00 1f ff ff 00 00 02 00");

  ReadCapacity16Data sixteen;
  sixteen.returned_logical_block_address = 0x1'0000'0000;
  sixteen.logical_block_length_bytes = 512;
  sixteen.exponents = 3;
  sixteen.provisioning_and_alignment = ReadCapacity16Data::kLbpme | ReadCapacity16Data::kLbprz | 7;
  EXPECT_EQ(hex_of(sixteen),
            "00 00 00 01 00 00 00 00 00 00 02 00 00 03 c0 07 "
            "00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00");
}

TEST(SupportedOperationCodes, Bytes) {
  CommandDescriptor descriptor;
  descriptor.operation_code = 0x9e;
  descriptor.service_action = 0x10;
  descriptor.flags = CommandDescriptor::kServactv | CommandDescriptor::kCtdp;
  descriptor.cdb_length = 16;
  EXPECT_EQ(hex_of(descriptor), "9e 00 00 10 00 03 00 10");

  CommandTimeoutsDescriptor timeouts;
  timeouts.nominal_command_processing_timeout_s = 1;
  timeouts.recommended_command_timeout_s = 30;
  EXPECT_EQ(hex_of(timeouts), "00 0a 00 00 00 00 00 01 00 00 00 1e");

  OneCommandHeader one;
  one.support = OneCommandHeader::kCtdp | static_cast<std::uint8_t>(CommandSupport::per_standard);
  one.cdb_size = 10;
  EXPECT_EQ(hex_of(one), "00 83 00 0a");
}

TEST(Mode, HeadersAndBlockDescriptors) {
  ModeParameterHeader6 six;
  six.mode_data_length = 0x0b;
  six.device_specific_parameter = kModeWriteProtected | kModeDpoFua;
  six.block_descriptor_length = 8;
  EXPECT_EQ(hex_of(six), "0b 00 90 08");

  ModeParameterHeader10 ten;
  ten.mode_data_length = 0x16;
  ten.device_specific_parameter = kModeDpoFua;
  ten.flags = ModeParameterHeader10::kLongLba;
  ten.block_descriptor_length = 16;
  EXPECT_EQ(hex_of(ten), "00 16 00 10 01 00 00 10");

  ShortLbaBlockDescriptor shorter;
  shorter.number_of_logical_blocks = 0x200000;
  shorter.logical_block_length_bytes = 4096;
  EXPECT_EQ(hex_of(shorter), "00 20 00 00 00 00 10 00");

  LongLbaBlockDescriptor longer;
  longer.number_of_logical_blocks = 0x1'0000'0001;
  longer.logical_block_length_bytes = 512;
  EXPECT_EQ(hex_of(longer), "00 00 00 01 00 00 00 01 00 00 00 00 00 00 02 00");
}

TEST(Mode, PagesBeginWithTheirCodeAndLength) {
  EXPECT_EQ(hex_of(ReadWriteErrorRecoveryPage{}), "01 0a 00 00 00 00 00 00 00 00 00 00");
  EXPECT_EQ(hex_of(ControlPage{}), "0a 0a 00 00 00 00 00 00 00 00 00 00");
  EXPECT_EQ(hex_of(InformationalExceptionsControlPage{}), "1c 0a 00 00 00 00 00 00 00 00 00 00");
  EXPECT_EQ(hex_of(CachingPage{}).substr(0, 6), "08 12 ");
  EXPECT_EQ(hex_of(ControlExtensionPage{}).substr(0, 12), "4a 01 00 1c ");
}

TEST(Mode, FlagsLieWhereTheStandardPutsThem) {
  CachingPage caching;
  caching.flags = CachingPage::kWce | CachingPage::kRcd;
  caching.flags12 = CachingPage::kDra;
  EXPECT_EQ(hex_of(caching), "08 12 05 00 00 00 00 00 00 00 00 00 20 00 00 00 00 00 00 00");
  ControlPage control;
  control.flags2 = ControlPage::kDSense;
  control.flags3 = ControlPage::kUnrestrictedReordering;
  control.flags4 = ControlPage::kSwp;
  control.flags5 = ControlPage::kTas;
  control.busy_timeout_period_100ms = 0xffff;
  EXPECT_EQ(hex_of(control), "0a 0a 04 10 08 40 00 00 ff ff 00 00");
}

}  // namespace
}  // namespace lunar::scsi::spec
