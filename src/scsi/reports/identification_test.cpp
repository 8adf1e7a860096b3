#include "scsi/state/identification.h"

#include <gtest/gtest.h>

#include "scsi/testing/bench.h"

namespace lunar::scsi {
namespace {

using namespace testing;
using spec::AdditionalSense;
using Cdb = std::vector<std::uint8_t>;

Cdb maintenance(std::uint8_t opcode, std::uint8_t action, std::uint16_t length,
                std::uint8_t type = 0) {
  return {opcode,
          action,
          0,
          0,
          0,
          0,
          0,
          0,
          static_cast<std::uint8_t>(length >> 8),
          static_cast<std::uint8_t>(length),
          static_cast<std::uint8_t>(type << 1),
          0};
}
Cdb report_information(std::uint8_t type) { return maintenance(0xa3, 0x05, 600, type); }
Cdb set_information(std::uint16_t length, std::uint8_t type = 0) {
  return maintenance(0xa4, 0x06, length, type);
}

TEST(IdentifyingInformation, IsKeptAndToldToOthers) {
  Bench bench(2048, {}, 2);
  Initiator far(bench, 1, "iqn.2026-11.test:two");
  bench.initiator().clear_attention();
  far.clear_attention();
  EXPECT_EQ(bench.initiator().run(report_information(0)).data, (Cdb{0, 0, 0, 0}));
  ASSERT_TRUE(bench.initiator().run(set_information(3), filled(3, 'x')).is_good());
  EXPECT_TRUE(
      far.run(report_information(0)).is_attention(AdditionalSense::device_identifier_changed));
  EXPECT_EQ(far.run(report_information(0)).data, (Cdb{0, 0, 0, 3, 'x', 'x', 'x'}));
  auto text = filled(4, 'y');
  text.back() = std::byte{0};
  ASSERT_TRUE(far.run(set_information(4, 2), text).is_good());
  bench.initiator().clear_attention();
  EXPECT_EQ(bench.initiator().run(report_information(2)).data, (Cdb{0, 0, 0, 4, 'y', 'y', 'y', 0}));
  EXPECT_EQ(bench.initiator().run(report_information(0x7f)).data,
            (Cdb{0, 0, 0, 8, 0, 0, 2, 0, 4, 0, 1, 0}));
  ASSERT_TRUE(bench.initiator().run(set_information(0)).is_good()) << "no bytes: none are left";
  EXPECT_EQ(bench.initiator().run(report_information(0)).data, (Cdb{0, 0, 0, 0}));
}

TEST(IdentifyingInformation, RefusesWhatIsTooLongOrOfNoKnownType) {
  Bench bench;
  bench.initiator().clear_attention();
  EXPECT_TRUE(bench.initiator().run(set_information(513), filled(513, 1)).is_invalid_field(6));
  EXPECT_TRUE(bench.initiator().run(set_information(257, 2), filled(257, 0)).is_invalid_field(6));
  EXPECT_TRUE(bench.initiator().run(set_information(1, 1), filled(1, 0)).is_invalid_field(10));
  EXPECT_TRUE(bench.initiator().run(report_information(3)).is_invalid_field(10));
  EXPECT_TRUE(bench.initiator()
                  .run(set_information(2, 2), filled(2, 'y'))
                  .is_illegal(AdditionalSense::invalid_field_in_parameter_list))
      << "text ends with a zero byte";
  EXPECT_TRUE(bench.initiator()
                  .run(set_information(4), filled(2, 'y'))
                  .is_illegal(AdditionalSense::parameter_list_length_error));
}

TEST(IdentifyingInformation, RecordIsReadBack) {
  const IdentifyingInformation information{"a\n1", std::string("text\0", 5)};
  const auto same = identifying_information_of(to_record(information));
  ASSERT_TRUE(same);
  EXPECT_EQ(same->bytes, information.bytes);
  EXPECT_EQ(same->text, information.text);
  EXPECT_FALSE(identifying_information_of(state::Record()));
  EXPECT_FALSE(identifying_information_of(
      to_record({std::string(kMaxIdentifyingBytes + 1, 'x'), std::string()})));
  EXPECT_FALSE(identifying_information_of(
      to_record({std::string(), std::string(kMaxTextIdentifyingBytes + 1, 'x')})));
}

std::uint64_t timestamp_of(const Outcome& outcome) {
  std::uint64_t value = 0;
  for (std::size_t i = 4; i < 10; ++i) value = value << 8 | outcome.data.at(i);
  return value;
}

TEST(Timestamp, IsTheClocksUntilSetAndGoesOnFromThere) {
  Bench bench(2048, {}, 2);
  Initiator far(bench, 1, "iqn.2026-11.test:two");
  bench.initiator().clear_attention();
  far.clear_attention();
  const Outcome before = bench.initiator().run(maintenance(0xa3, 0x0f, 12));
  ASSERT_EQ(before.data.size(), 12U);
  EXPECT_EQ(before.data[1], 10);
  EXPECT_EQ(before.data[2], 3) << "set by other methods";
  EXPECT_EQ(timestamp_of(before), bench.world().clock().wall_clock_ms());
  auto wanted = filled(12, 0);
  wanted[4] = std::byte{1};
  ASSERT_TRUE(bench.initiator().run(maintenance(0xa4, 0x0f, 12), wanted).is_good());
  bench.world().run_for(7 * engine::kMillisecond);
  EXPECT_TRUE(
      far.run(maintenance(0xa3, 0x0f, 12)).is_attention(AdditionalSense::timestamp_changed));
  const Outcome after = far.run(maintenance(0xa3, 0x0f, 12));
  EXPECT_EQ(after.data[2], 2) << "set by a command";
  EXPECT_GE(timestamp_of(after), (std::uint64_t{1} << 40) + 7);
  EXPECT_LT(timestamp_of(after), (std::uint64_t{1} << 40) + 1000);
  EXPECT_TRUE(bench.initiator().run(maintenance(0xa4, 0x0f, 0)).is_good());
  EXPECT_TRUE(bench.initiator()
                  .run(maintenance(0xa4, 0x0f, 4), filled(4, 0))
                  .is_illegal(AdditionalSense::parameter_list_length_error));
}

TEST(Diagnostics, TheSelfTestReadsTheMedium) {
  Bench bench;
  bench.initiator().clear_attention();
  ASSERT_TRUE(bench.initiator().run({0x1d, 0x04, 0, 0, 0, 0}).is_good());
  EXPECT_EQ(bench.device().calls.size(), 3U);
  bench.device().answers[block::Op::read] = block::Status::read_error;
  EXPECT_TRUE(bench.initiator()
                  .run({0x1d, 0x04, 0, 0, 0, 0})
                  .is(spec::SenseKey::hardware_error, AdditionalSense::lu_failed_self_test));
}

TEST(Diagnostics, OnlyTheListOfPagesIsThere) {
  Bench bench;
  bench.initiator().clear_attention();
  EXPECT_TRUE(bench.initiator().run({0x1d, 0x10, 0, 0, 4, 0}, filled(4, 0)).is_good());
  EXPECT_EQ(bench.initiator().run({0x1c, 0, 0, 0, 64, 0}).data, (Cdb{0, 0, 0, 1, 0}));
  EXPECT_EQ(bench.initiator().run({0x1c, 1, 0, 0, 64, 0}).data, (Cdb{0, 0, 0, 1, 0}));
  EXPECT_TRUE(bench.initiator().run({0x1c, 1, 0x40, 0, 64, 0}).is_invalid_field(2));
  EXPECT_TRUE(bench.initiator()
                  .run({0x1d, 0x10, 0, 0, 4, 0}, filled(4, 0x40))
                  .is_illegal(AdditionalSense::invalid_field_in_parameter_list));
  EXPECT_TRUE(bench.initiator().run({0x1d, 0x60, 0, 0, 0, 0}).is_invalid_field(1));
  EXPECT_TRUE(bench.initiator().run({0x1d, 0x04, 0, 0, 4, 0}, filled(4, 0)).is_invalid_field(3));
}

}  // namespace
}  // namespace lunar::scsi
