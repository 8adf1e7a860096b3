#include "scsi/spec/sense.h"

#include <gtest/gtest.h>

#include "scsi/spec/status.h"
#include "scsi/spec/test_bytes.h"

namespace lunar::scsi::spec {
namespace {

std::string encoded(const Sense& sense, SenseFormat format) {
  return to_hex(encode(sense, format).bytes());
}

TEST(Sense, FixedFormatIsEighteenBytes) {
  EXPECT_EQ(encoded(Sense::illegal_request(AdditionalSense::invalid_command_operation_code),
                    SenseFormat::fixed),
            "70 00 05 00 00 00 00 0a 00 00 00 00 20 00 00 00 00 00");
}

TEST(Sense, FixedFormatPointsAtTheFieldInTheCdb) {
  EXPECT_EQ(encoded(Sense::invalid_field_in_cdb(2, 6), SenseFormat::fixed),
            "70 00 05 00 00 00 00 0a 00 00 00 00 24 00 00 ce 00 02");
  EXPECT_EQ(encoded(Sense::invalid_field_in_cdb(1), SenseFormat::fixed),
            "70 00 05 00 00 00 00 0a 00 00 00 00 24 00 00 c0 00 01");
}

TEST(Sense, FixedFormatPointsAtTheFieldInTheParameterList) {
  EXPECT_EQ(encoded(Sense::invalid_field_in_parameter_list(0x108), SenseFormat::fixed),
            "70 00 05 00 00 00 00 0a 00 00 00 00 26 00 00 80 01 08");
}

TEST(Sense, FixedFormatCarriesInformationOfFourBytes) {
  const auto sense = Sense::of(SenseKey::medium_error, AdditionalSense::unrecovered_read_error);
  EXPECT_EQ(encoded(sense.with_information(0x12345678), SenseFormat::fixed),
            "f0 00 03 12 34 56 78 0a 00 00 00 00 11 00 00 00 00 00");
  EXPECT_EQ(encoded(sense.with_information(0x1'0000'0000), SenseFormat::fixed),
            "70 00 03 00 00 00 00 0a 00 00 00 00 11 00 00 00 00 00");
}

TEST(Sense, DescriptorFormatIsEightBytesWithoutDescriptors) {
  EXPECT_EQ(
      encoded(Sense::unit_attention(AdditionalSense::power_on_occurred), SenseFormat::descriptor),
      "72 06 29 01 00 00 00 00");
}

TEST(Sense, DescriptorFormatCarriesInformationOfEightBytes) {
  const auto sense =
      Sense::of(SenseKey::miscompare, AdditionalSense::miscompare_during_verify_operation);
  EXPECT_EQ(encoded(sense.with_information(0x123456789abcdef0), SenseFormat::descriptor),
            "72 0e 1d 00 00 00 00 0c 00 0a 80 00 12 34 56 78 9a bc de f0");
}

TEST(Sense, DescriptorFormatCarriesAFieldPointer) {
  EXPECT_EQ(encoded(Sense::invalid_field_in_cdb(1, 3), SenseFormat::descriptor),
            "72 05 24 00 00 00 00 08 02 06 00 00 cb 00 01 00");
}

TEST(Sense, DescriptorFormatCarriesEveryDescriptorInOrder) {
  Sense sense = Sense::of(SenseKey::copy_aborted, AdditionalSense::third_party_device_failure);
  sense.information = 1;
  sense.command_specific = 2;
  sense.specific = SegmentPointer{0x10, 7, true};
  const SenseData data = encode(sense, SenseFormat::descriptor);
  EXPECT_EQ(to_hex(data.bytes()),
            "72 0a 0d 01 00 00 00 20 00 0a 80 00 00 00 00 00 00 00 00 01 "
            "01 0a 00 00 00 00 00 00 00 00 00 02 02 06 00 00 af 00 10 00");
  EXPECT_EQ(data.bytes().size(), kMaxDescriptorSenseLength);
}

TEST(Sense, CarriesProgressAndRetriesAndOverflow) {
  EXPECT_EQ(
      encoded(Sense::not_ready(AdditionalSense::format_in_progress, {0x8000}), SenseFormat::fixed),
      "70 00 02 00 00 00 00 0a 00 00 00 00 04 04 00 80 80 00");
  Sense retries = Sense::of(SenseKey::hardware_error, AdditionalSense::internal_target_failure);
  retries.specific = ActualRetryCount{3};
  EXPECT_EQ(encoded(retries, SenseFormat::fixed),
            "70 00 04 00 00 00 00 0a 00 00 00 00 44 00 00 80 00 03");
  Sense overflow = Sense::unit_attention(AdditionalSense::parameters_changed);
  overflow.specific = UnitAttentionOverflow{true};
  EXPECT_EQ(encoded(overflow, SenseFormat::descriptor),
            "72 06 2a 00 00 00 00 08 02 06 00 00 81 00 00 00");
}

TEST(Sense, DeferredErrorsHaveTheirOwnResponseCodes) {
  Sense sense = Sense::of(SenseKey::medium_error, AdditionalSense::write_error);
  sense.deferred = true;
  EXPECT_EQ(encoded(sense, SenseFormat::fixed).substr(0, 2), "71");
  EXPECT_EQ(encoded(sense, SenseFormat::descriptor).substr(0, 2), "73");
}

TEST(Sense, DecodesWhatItEncodesInBothFormats) {
  std::vector<Sense> cases = {
      Sense{},
      Sense::invalid_field_in_cdb(2, 6),
      Sense::invalid_field_in_cdb(0xffff),
      Sense::invalid_field_in_parameter_list(8, 0),
      Sense::not_ready(AdditionalSense::sanitize_in_progress, {1}),
      Sense::of(SenseKey::medium_error, AdditionalSense::unrecovered_read_error)
          .with_information(0),
      Sense::unit_attention(AdditionalSense::reported_luns_data_has_changed),
      Sense::of(SenseKey::data_protect, AdditionalSense::write_protected),
  };
  cases.push_back(cases[5]);
  cases.back().specific = ActualRetryCount{7};
  cases.back().command_specific = 9;
  cases.back().deferred = true;
  cases.push_back(cases[6]);
  cases.back().specific = UnitAttentionOverflow{false};
  for (const Sense& sense : cases) {
    for (const SenseFormat format : {SenseFormat::fixed, SenseFormat::descriptor}) {
      EXPECT_EQ(decode_sense(encode(sense, format).bytes()), sense) << to_text(sense);
    }
  }
}

TEST(Sense, RejectsWhatHasNoHeaderOrAnotherResponseCode) {
  EXPECT_FALSE(decode_sense({}));
  EXPECT_FALSE(decode_sense(hex("70 00 05 00 00 00 00")));
  EXPECT_FALSE(decode_sense(hex("7f 00 05 00 00 00 00 00")));
  EXPECT_FALSE(decode_sense(hex("00 00 00 00 00 00 00 00")));
}

TEST(Sense, ReadsNothingBeyondTheAdditionalSenseLength) {
  const auto sense = decode_sense(hex("70 00 05 00 00 00 00 05 00 00 00 00 24 55 00 c0 00 02"));
  ASSERT_TRUE(sense);
  EXPECT_EQ(sense->additional, AdditionalSense::invalid_field_in_cdb);  // byte 13 is not counted
  EXPECT_EQ(sense->specific, SenseKeySpecific());
}

TEST(Sense, TakesTruncatedDataAsFarAsItGoes) {
  const auto fixed = decode_sense(hex("f0 00 03 00 00 00 07 0a"));
  ASSERT_TRUE(fixed);
  EXPECT_EQ(fixed->information, 7U);
  EXPECT_EQ(fixed->additional, AdditionalSense::no_additional_sense_information);
  const auto descriptor = decode_sense(hex("72 03 11 00 00 00 00 0c 00 0a 80 00 00 00"));
  ASSERT_TRUE(descriptor);
  EXPECT_EQ(*descriptor,
            Sense::of(SenseKey::medium_error, AdditionalSense::unrecovered_read_error));
}

TEST(Sense, SkipsDescriptorsItDoesNotKnow) {
  const auto sense = decode_sense(
      hex("72 01 5d 00 00 00 00 12  03 02 00 42  80 00  00 0a 80 00 00 00 00 00 00 00 00 05"));
  ASSERT_TRUE(sense);
  EXPECT_EQ(sense->information, 5U);
}

TEST(Sense, IgnoresInformationThatIsNotValid) {
  EXPECT_FALSE(decode_sense(hex("72 03 11 00 00 00 00 0c 00 0a 00 00 00 00 00 00 00 00 00 05"))
                   ->information);
  EXPECT_FALSE(
      decode_sense(hex("70 00 03 00 00 00 05 0a 00 00 00 00 11 00 00 00 00 00"))->information);
}

TEST(Sense, TextNamesKeyCodeAndField) {
  EXPECT_EQ(to_text(Sense::invalid_field_in_cdb(1, 3)),
            "ILLEGAL REQUEST, INVALID FIELD IN CDB (24h/00h), CDB byte 1 bit 3");
  EXPECT_EQ(
      to_text(Sense::of(SenseKey::miscompare, AdditionalSense::miscompare_during_verify_operation)
                  .with_information(16)),
      "MISCOMPARE, MISCOMPARE DURING VERIFY OPERATION (1Dh/00h), information 0x10");
  EXPECT_EQ(to_text(Sense::of(SenseKey::vendor_specific, make_additional_sense(0x80, 1))),
            "VENDOR SPECIFIC, ADDITIONAL SENSE 80h/01h");
}

TEST(AdditionalSense, SplitsIntoCodeAndQualifier) {
  EXPECT_EQ(asc(AdditionalSense::reported_luns_data_has_changed), 0x3f);
  EXPECT_EQ(ascq(AdditionalSense::reported_luns_data_has_changed), 0x0e);
  EXPECT_EQ(make_additional_sense(0x3f, 0x0e), AdditionalSense::reported_luns_data_has_changed);
}

TEST(AdditionalSense, HasTheStandardsText) {
  EXPECT_EQ(to_text(AdditionalSense::capacity_data_has_changed),
            "CAPACITY DATA HAS CHANGED (2Ah/09h)");
  EXPECT_EQ(find_text(make_additional_sense(0xff, 0xff)), "");
}

TEST(Status, HasTheStandardsCodesAndText) {
  EXPECT_EQ(static_cast<int>(Status::reservation_conflict), 0x18);
  EXPECT_EQ(to_text(Status::task_set_full), "TASK SET FULL");
  EXPECT_EQ(to_text(static_cast<Status>(0x22)), "RESERVED STATUS");
}

}  // namespace
}  // namespace lunar::scsi::spec
