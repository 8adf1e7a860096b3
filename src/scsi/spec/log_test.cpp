// Log parameters by literal bytes.
#include "scsi/spec/log.h"

#include <gtest/gtest.h>

#include "scsi/spec/rsoc.h"
#include "scsi/spec/test_bytes.h"
#include "scsi/spec/vpd.h"

namespace lunar::scsi::spec {
namespace {

template <WireStruct T>
std::string hex_of(const T& value) {
  return to_hex(as_bytes(value));
}

TEST(Log, Bytes) {
  LogPageHeader page;
  page.page_code = LogPageHeader::kDs | LogPageHeader::kSpf;
  page.subpage_code = kAllLogSubpages;
  page.page_length = 0x102;
  EXPECT_EQ(hex_of(page), "c0 ff 01 02");

  LogParameterHeader parameter;
  parameter.parameter_code = 0x0003;
  parameter.control = LogParameterHeader::kTsd | LogParameterHeader::kBinaryList;
  parameter.parameter_length = 8;
  EXPECT_EQ(hex_of(parameter), "00 03 23 08");

  TimeIntervalParameter interval;
  interval.exponent = 6U;
  interval.integer = 1U;
  EXPECT_EQ(hex_of(interval), "00 00 00 06 00 00 00 01");
  EXPECT_EQ(hex_of(TemperatureParameter{}), "00 ff");
  EXPECT_EQ(hex_of(InformationalExceptionsParameter{0x5d, 0xff, 0xff}), "5d ff ff");
}

TEST(SupportedTaskManagementFunctions, Bytes) {
  SupportedTmfData data;
  data.functions = SupportedTmfData::kAbortTask | SupportedTmfData::kQueryTask;
  data.functions1 = SupportedTmfData::kITNexusReset;
  data.additional_data_length = 12;
  data.short_timeout_100ms = 10U;
  EXPECT_EQ(hex_of(data), "84 01 00 0c 00 00 00 00 00 00 00 00 00 00 00 0a");
}

TEST(Vpd, PolicyAndPortBytes) {
  EXPECT_EQ(hex_of(ModePagePolicyDescriptor{}), "3f ff 00 00");
  ScsiPortDescriptor port;
  port.relative_port_identifier = 2;
  port.target_port_descriptors_length = 0x44;
  EXPECT_EQ(hex_of(port), "00 00 00 02 00 00 00 00 00 00 00 44");
  ExtendedInquiryVpd extended;
  extended.flags5 = ExtendedInquiryVpd::kHeadSup;
  extended.maximum_supported_sense_data_length = 40;
  EXPECT_EQ(hex_of(extended).substr(0, 41), "00 86 00 3c 00 04 00 00 00 00 00 00 00 28");
}

}  // namespace
}  // namespace lunar::scsi::spec
