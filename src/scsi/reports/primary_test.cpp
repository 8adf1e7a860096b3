#include <gtest/gtest.h>

#include <algorithm>

#include "scsi/testing/bench.h"

namespace lunar::scsi {
namespace {

using namespace testing;
using spec::AdditionalSense;

std::vector<std::uint8_t> report_luns(std::uint8_t select, std::uint32_t length) {
  return {0xa0,
          0,
          select,
          0,
          0,
          0,
          static_cast<std::uint8_t>(length >> 24),
          static_cast<std::uint8_t>(length >> 16),
          static_cast<std::uint8_t>(length >> 8),
          static_cast<std::uint8_t>(length),
          0,
          0};
}

constexpr std::uint64_t kReportLunsUnit = 0xc101'0000'0000'0000;

TEST(TestUnitReady, IsGoodOnceTheUnitAttentionIsTold) {
  Bench bench;
  EXPECT_TRUE(bench.initiator()
                  .run({0, 0, 0, 0, 0, 0})
                  .is_attention(AdditionalSense::power_on_reset_or_bus_device_reset_occurred));
  EXPECT_TRUE(bench.initiator().run({0, 0, 0, 0, 0, 0}).is_good());
}

TEST(RequestSense, TellsAndClearsAUnitAttention) {
  Bench bench;
  const Outcome first = bench.initiator().run({3, 0, 0, 0, 252, 0});
  ASSERT_TRUE(first.is_good());
  ASSERT_EQ(first.data.size(), 18U);
  EXPECT_EQ(first.data[0], 0x70);
  EXPECT_EQ(first.data[2], 0x06);
  EXPECT_EQ(first.data[12], 0x29);
  EXPECT_TRUE(bench.initiator().run({0, 0, 0, 0, 0, 0}).is_good());
  const Outcome second = bench.initiator().run({3, 1, 0, 0, 252, 0});
  EXPECT_EQ(second.data[0], 0x72);
  EXPECT_EQ(second.data[1], 0x00);
}

TEST(RequestSense, SaysThatTheNumberHasNoLogicalUnit) {
  Bench bench;
  const Outcome outcome = bench.initiator().run({3, 0, 0, 0, 18, 0}, {}, 9);
  ASSERT_TRUE(outcome.is_good());
  EXPECT_EQ(outcome.data[2], 0x05);
  EXPECT_EQ(outcome.data[12], 0x25);
}

TEST(ReportLuns, ListsTheNumbersInOrder) {
  Bench bench;
  ASSERT_TRUE(bench.add(Lun(16383), bench.unit()));
  ASSERT_TRUE(bench.add(Lun(256), bench.unit()));
  ASSERT_TRUE(bench.add(Lun(3), bench.unit()));
  const Outcome outcome = bench.initiator().run(report_luns(0, 4096));
  ASSERT_TRUE(outcome.is_good());
  ASSERT_EQ(outcome.data.size(), 8U + 4 * 8);
  EXPECT_EQ(outcome.data[3], 32);
  std::vector<int> first_bytes;
  for (std::size_t i = 0; i < 4; ++i) {
    first_bytes.push_back((outcome.data[8 + i * 8] << 8) | outcome.data[9 + i * 8]);
  }
  EXPECT_EQ(first_bytes, (std::vector<int>{0x0000, 0x0003, 0x4100, 0x7fff}));
}

TEST(ReportLuns, TruncatesButTellsTheWholeLength) {
  Bench bench;
  ASSERT_TRUE(bench.add(Lun(3), bench.unit()));
  const Outcome outcome = bench.initiator().run(report_luns(0, 16));
  EXPECT_EQ(outcome.data.size(), 16U);
  EXPECT_EQ(outcome.data[3], 16);
}

TEST(ReportLuns, RefusesWhatTheStandardRefuses) {
  Bench bench;
  EXPECT_TRUE(bench.initiator().run(report_luns(3, 64)).is_invalid_field(2));
  EXPECT_TRUE(bench.initiator().run(report_luns(0x13, 64)).is_invalid_field(2));
  EXPECT_TRUE(bench.initiator().run(report_luns(0xf8, 64)).is_invalid_field(2));
}

// The first two bytes of each listed LUN.
std::vector<int> listed(const Outcome& outcome) {
  EXPECT_TRUE(outcome.is_good());
  std::vector<int> numbers;
  for (std::size_t at = 8; at + 8 <= outcome.data.size(); at += 8)
    numbers.push_back((outcome.data[at] << 8) | outcome.data[at + 1]);
  return numbers;
}

TEST(ReportLuns, SelectsWhatIsAskedFor) {
  Bench bench;
  ASSERT_TRUE(bench.add(Lun(3), bench.unit()));
  Initiator& initiator = bench.initiator();
  EXPECT_EQ(listed(initiator.run(report_luns(0x00, 64))), (std::vector<int>{0, 3}));
  EXPECT_EQ(listed(initiator.run(report_luns(0x01, 64))), (std::vector<int>{0xc101}));
  EXPECT_EQ(listed(initiator.run(report_luns(0x02, 64))), (std::vector<int>{0, 3, 0xc101}));
  EXPECT_EQ(listed(initiator.run(report_luns(0x10, 64))), (std::vector<int>{}));
  EXPECT_EQ(listed(initiator.run(report_luns(0x11, 64))), (std::vector<int>{0, 3}));
  EXPECT_EQ(listed(initiator.run(report_luns(0x12, 64))), (std::vector<int>{}));
}

TEST(ReportLuns, OfAdministrativeUnitsIsForLunZeroAndTheWellKnownUnit) {
  Bench bench;
  ASSERT_TRUE(bench.add(Lun(3), bench.unit()));
  EXPECT_TRUE(bench.initiator().run(report_luns(0x10, 64), {}, 3).is_invalid_field(2));
  EXPECT_TRUE(bench.initiator().run(report_luns(0x11, 64), {}, 3).is_invalid_field(2));
  EXPECT_TRUE(bench.initiator().run(report_luns(0x12, 64), {}, 3).is_good());
  EXPECT_EQ(listed(bench.initiator().run(report_luns(0x11, 64), {}, kReportLunsUnit)),
            (std::vector<int>{0, 3}));
}

TEST(ReportLuns, ListsEveryNumberThatThereIs) {
  Bench bench;
  LunMaps maps;
  for (std::uint16_t i = 0; i <= spec::kMaxLun; ++i)
    ASSERT_TRUE(maps.others.add(Lun(i), bench.unit()));
  bench.publish(maps);
  const Outcome outcome = bench.initiator().run(report_luns(2, 0xffff'ffff));
  ASSERT_EQ(outcome.data.size(), 8U + 16385 * 8);
  const std::vector<int> numbers = listed(outcome);
  EXPECT_EQ(numbers[255], 255);
  EXPECT_EQ(numbers[256], 0x4100);
  EXPECT_EQ(numbers[16383], 0x7fff);
  EXPECT_EQ(numbers[16384], 0xc101);
  // In pieces, as by initiators that ask twice.
  EXPECT_EQ(bench.initiator().run(report_luns(0, 65536)).data.size(), 65536U);
  EXPECT_EQ(bench.initiator().run(report_luns(0, 16384 * 8 + 8)).data.size(), 16384U * 8 + 8);
}

// ---- The REPORT LUNS well known logical unit

TEST(WellKnownUnit, HasAUnitAttentionOfItsOwn) {
  Bench bench;
  Initiator& initiator = bench.initiator();
  EXPECT_TRUE(initiator.run({0, 0, 0, 0, 0, 0}, {}, kReportLunsUnit)
                  .is_attention(AdditionalSense::power_on_reset_or_bus_device_reset_occurred));
  EXPECT_TRUE(initiator.run({0, 0, 0, 0, 0, 0}, {}, kReportLunsUnit).is_good());
  EXPECT_TRUE(initiator.run({0, 0, 0, 0, 0, 0})
                  .is_attention(AdditionalSense::power_on_reset_or_bus_device_reset_occurred));
  const Outcome sense = initiator.run({3, 0, 0, 0, 18, 0}, {}, kReportLunsUnit);
  ASSERT_TRUE(sense.is_good());
  EXPECT_EQ(sense.data[2], 0);
}

TEST(WellKnownUnit, TellsItsTypeAndItsTarget) {
  Bench bench;
  Initiator& initiator = bench.initiator();
  EXPECT_EQ(initiator.run({0x12, 0, 0, 0, 36, 0}, {}, kReportLunsUnit).data[0], 0x1e);
  EXPECT_EQ(initiator.run({0x12, 1, 0, 0, 255, 0}, {}, kReportLunsUnit).data,
            (std::vector<std::uint8_t>{0x1e, 0, 0, 2, 0x00, 0x83}));
  const Outcome page = initiator.run({0x12, 1, 0x83, 4, 0, 0}, {}, kReportLunsUnit);
  ASSERT_TRUE(page.is_good());
  EXPECT_EQ(page.data[0], 0x1e);
  std::vector<int> associations;
  for (std::size_t at = 4; at < page.data.size(); at += 4U + page.data[at + 3])
    associations.push_back((page.data[at + 1] >> 4) & 3);
  EXPECT_EQ(associations, (std::vector<int>{1, 1, 1, 2})) << "no logical unit's";
  EXPECT_TRUE(initiator.run({0x12, 1, 0x80, 0, 255, 0}, {}, kReportLunsUnit).is_invalid_field(2));
}

TEST(WellKnownUnit, KnowsNothingElse) {
  Bench bench;
  bench.initiator().clear_attention(kReportLunsUnit);
  for (const std::uint8_t opcode :
       std::initializer_list<std::uint8_t>{0x28, 0x2a, 0x25, 0x1a, 0x5e, 0xff}) {
    EXPECT_TRUE(bench.initiator()
                    .run({opcode, 0, 0, 0, 0, 0, 0, 0, 1, 0}, {}, kReportLunsUnit)
                    .is_illegal(AdditionalSense::invalid_command_operation_code))
        << int{opcode};
  }
  EXPECT_TRUE(bench.initiator().run({0, 0, 0, 0, 1, 0}, {}, kReportLunsUnit).is_invalid_field(4));
  const auto aca =
      bench.initiator().prepare({0, 0, 0, 0, 0, 0}, {}, kReportLunsUnit, TaskAttribute::aca);
  EXPECT_TRUE(bench.initiator().finish(*aca).is_illegal(AdditionalSense::invalid_message_error));
}

TEST(ReportLuns, IsAnsweredAtANumberWithoutLogicalUnit) {
  Bench bench;
  EXPECT_TRUE(bench.initiator().run(report_luns(2, 64), {}, 5).is_good());
}

TEST(ReadCapacity, TellsLastBlockAndBlockSize) {
  Bench bench(2048, {}, 1, 4096);
  bench.initiator().clear_attention();
  const Outcome ten = bench.initiator().run({0x25, 0, 0, 0, 0, 0, 0, 0, 0, 0});
  EXPECT_EQ(ten.data, (std::vector<std::uint8_t>{0, 0, 0x07, 0xff, 0, 0, 0x10, 0}));
  const Outcome sixteen =
      bench.initiator().run({0x9e, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 32, 0, 0});
  ASSERT_EQ(sixteen.data.size(), 32U);
  EXPECT_EQ(sixteen.data[6], 0x07);
  EXPECT_EQ(sixteen.data[7], 0xff);
  EXPECT_EQ(sixteen.data[14] & 0xc0, 0xc0) << "LBPME and LBPRZ";
}

TEST(ReadCapacity, RefusesAnAddressWithoutPmi) {
  Bench bench;
  bench.initiator().clear_attention();
  EXPECT_TRUE(bench.initiator().run({0x25, 0, 0, 0, 0, 1, 0, 0, 0, 0}).is_invalid_field(2));
  EXPECT_TRUE(bench.initiator().run({0x25, 0, 0, 0, 0, 1, 0, 0, 1, 0}).is_good());
}

TEST(ReadCapacity, TakesAnyAllocationLength) {
  Bench bench;
  bench.initiator().clear_attention();
  for (std::uint8_t length = 0; length < 16; ++length) {
    const Outcome outcome =
        bench.initiator().run({0x9e, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, length, 0, 0});
    EXPECT_TRUE(outcome.is_good());
    EXPECT_EQ(outcome.data.size(), length);
  }
}

// SPC-4 §4.2.5.6: an ALLOCATION LENGTH truncates the data and is never an error.
TEST(AllocationLength, CutsTheDataOfEveryCommand) {
  struct Case {
    const char* name;
    std::vector<std::uint8_t> cdb;
    std::size_t at;     // offset of the ALLOCATION LENGTH
    std::size_t bytes;  // its size
  };
  const std::vector<Case> cases = {
      {"REQUEST SENSE", {0x03, 0, 0, 0, 0, 0}, 4, 1},
      {"INQUIRY", {0x12, 0, 0, 0, 0, 0}, 3, 2},
      {"INQUIRY, VPD page 83h", {0x12, 1, 0x83, 0, 0, 0}, 3, 2},
      {"INQUIRY, VPD page B0h", {0x12, 1, 0xb0, 0, 0, 0}, 3, 2},
      {"MODE SENSE (6)", {0x1a, 0, 0x3f, 0, 0, 0}, 4, 1},
      {"MODE SENSE (10)", {0x5a, 0, 0x3f, 0, 0, 0, 0, 0, 0, 0}, 7, 2},
      {"RECEIVE DIAGNOSTIC RESULTS", {0x1c, 1, 0, 0, 0, 0}, 3, 2},
      {"LOG SENSE", {0x4d, 0, 0x40, 0, 0, 0, 0, 0, 0, 0}, 7, 2},
      {"READ BUFFER, descriptor", {0x3c, 3, 0, 0, 0, 0, 0, 0, 0, 0}, 6, 3},
      {"READ DEFECT DATA (10)", {0x37, 0, 0x18, 0, 0, 0, 0, 0, 0, 0}, 7, 2},
      {"READ DEFECT DATA (12)", {0xb7, 0x18, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, 6, 4},
      {"READ KEYS", {0x5e, 0, 0, 0, 0, 0, 0, 0, 0, 0}, 7, 2},
      {"READ RESERVATION", {0x5e, 1, 0, 0, 0, 0, 0, 0, 0, 0}, 7, 2},
      {"REPORT CAPABILITIES", {0x5e, 2, 0, 0, 0, 0, 0, 0, 0, 0}, 7, 2},
      {"READ FULL STATUS", {0x5e, 3, 0, 0, 0, 0, 0, 0, 0, 0}, 7, 2},
      {"READ CAPACITY (16)", {0x9e, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, 10, 4},
      {"GET LBA STATUS", {0x9e, 0x12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, 10, 4},
      {"REPORT LUNS", {0xa0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, 6, 4},
      {"REPORT IDENTIFYING INFORMATION", {0xa3, 0x05, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, 6, 4},
      {"REPORT TARGET PORT GROUPS", {0xa3, 0x0a, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, 6, 4},
      {"REPORT SUPPORTED OPERATION CODES", {0xa3, 0x0c, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, 6, 4},
      {"REPORT SUPPORTED TMFS", {0xa3, 0x0d, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0}, 6, 4},
      {"REPORT PRIORITY", {0xa3, 0x0e, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, 6, 4},
  };
  Bench bench;
  bench.initiator().clear_attention();
  for (const Case& each : cases) {
    const auto run = [&](std::size_t length) {
      std::vector<std::uint8_t> cdb = each.cdb;
      for (std::size_t i = 0; i < each.bytes; ++i)
        cdb[each.at + i] = static_cast<std::uint8_t>(length >> (8 * (each.bytes - 1 - i)));
      return bench.initiator().run(cdb);
    };
    const Outcome all = run(each.bytes == 1 ? 0xff : 0xffff);
    ASSERT_TRUE(all.is_good()) << each.name;
    for (const std::size_t length : {0U, 1U, 3U, 4U, 7U, 8U, 15U, 16U, 19U}) {
      const Outcome cut = run(length);
      ASSERT_TRUE(cut.is_good()) << each.name << " " << length;
      std::vector<std::uint8_t> begin = all.data;
      begin.resize(std::min(length, begin.size()));
      EXPECT_EQ(cut.data, begin) << each.name << " " << length;
    }
  }
}

// ---- MODE SENSE

TEST(ModeSense, ReturnsAllPagesInOrder) {
  Bench bench;
  bench.initiator().clear_attention();
  const Outcome outcome = bench.initiator().run({0x1a, 0, 0x3f, 0, 255, 0});
  ASSERT_TRUE(outcome.is_good());
  EXPECT_EQ(outcome.data[0] + 1U, outcome.data.size());
  EXPECT_EQ(outcome.data[2], 0x10) << "DPOFUA, not write-protected";
  EXPECT_EQ(outcome.data[3], 8);
  std::vector<int> pages;
  for (std::size_t at = 12; at < outcome.data.size(); at += 2U + outcome.data[at + 1]) {
    pages.push_back(outcome.data[at] & 0x3f);
  }
  EXPECT_EQ(pages, (std::vector<int>{0x01, 0x08, 0x0a, 0x1a, 0x1c}));
}

TEST(ModeSense, ReturnsSubpagesBehindTheirPage) {
  Bench bench;
  bench.initiator().clear_attention();
  const Outcome outcome = bench.initiator().run({0x1a, 8, 0x0a, 0xff, 255, 0});
  ASSERT_EQ(outcome.data.size(), 4U + 12 + 32);
  EXPECT_EQ(outcome.data[4], 0x0a);
  EXPECT_EQ(outcome.data[16], 0x4a);
  EXPECT_EQ(outcome.data[17], 0x01);
}

TEST(ModeSense, LeavesTheBlockDescriptorOutWithDbd) {
  Bench bench;
  bench.initiator().clear_attention();
  const Outcome outcome = bench.initiator().run({0x1a, 0x08, 0x0a, 0, 255, 0});
  ASSERT_EQ(outcome.data.size(), 4U + 12);
  EXPECT_EQ(outcome.data[3], 0);
  EXPECT_EQ(outcome.data[4], 0x0a);
}

TEST(ModeSense, TenByteFormHasALongDescriptorWhenAllowed) {
  Bench bench;
  bench.initiator().clear_attention();
  const Outcome long_form = bench.initiator().run({0x5a, 0x10, 0x08, 0, 0, 0, 0, 0, 255, 0});
  ASSERT_EQ(long_form.data.size(), 8U + 16 + 20);
  EXPECT_EQ(long_form.data[4], 1);
  EXPECT_EQ(long_form.data[7], 16);
  const Outcome short_form = bench.initiator().run({0x5a, 0, 0x08, 0, 0, 0, 0, 0, 255, 0});
  EXPECT_EQ(short_form.data.size(), 8U + 8 + 20);
}

TEST(ModeSense, TellsWriteProtection) {
  LogicalUnitOptions options;
  options.read_only = true;
  Bench bench(64, options);
  bench.initiator().clear_attention();
  EXPECT_EQ(bench.initiator().run({0x1a, 0, 0x3f, 0, 255, 0}).data[2], 0x90);
}

TEST(ModeSense, TellsTheVolatileCache) {
  block::Capabilities capabilities = Bench::full();
  Bench without(64, {}, 1, 512, capabilities);
  without.initiator().clear_attention();
  EXPECT_EQ(without.initiator().run({0x1a, 8, 8, 0, 255, 0}).data[6] & 0x04, 0);
  capabilities.volatile_cache = true;
  Bench with(64, {}, 1, 512, capabilities);
  with.initiator().clear_attention();
  EXPECT_EQ(with.initiator().run({0x1a, 8, 8, 0, 255, 0}).data[6] & 0x04, 4);
}

TEST(ModeSense, RefusesPagesThatAreNotThere) {
  Bench bench;
  bench.initiator().clear_attention();
  EXPECT_TRUE(bench.initiator().run({0x1a, 0, 0x02, 0, 255, 0}).is_invalid_field(2));
  EXPECT_TRUE(bench.initiator().run({0x1a, 0, 0x0a, 5, 255, 0}).is_invalid_field(3));
  EXPECT_TRUE(bench.initiator().run({0x1a, 0, 0x3f, 1, 255, 0}).is_invalid_field(3));
  EXPECT_TRUE(bench.initiator().run({0x1a, 0, 0x3f, 0xff, 255, 0}).is_good());
  EXPECT_TRUE(bench.initiator().run({0x1a, 0, 0x0a, 1, 255, 0}).is_good());
}

}  // namespace
}  // namespace lunar::scsi
