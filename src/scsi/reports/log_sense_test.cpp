#include <gtest/gtest.h>

#include "scsi/blocks/allocation.h"
#include "scsi/testing/bench.h"

namespace lunar::scsi {
namespace {

using namespace testing;
using spec::AdditionalSense;
using spec::Opcode;
using Data = std::vector<std::uint8_t>;

constexpr std::uint8_t kCumulative = 1;

Data log_sense(std::uint8_t page, std::uint8_t subpage = 0, std::uint8_t control = kCumulative,
               std::uint16_t pointer = 0) {
  const auto selected = static_cast<std::uint8_t>((control << 6) | page);
  return {0x4d,
          0,
          selected,
          subpage,
          0,
          static_cast<std::uint8_t>(pointer >> 8),
          static_cast<std::uint8_t>(pointer),
          2,
          0,
          0};
}

Data log_select(std::uint8_t flags, std::uint8_t page = 0, std::uint8_t subpage = 0,
                std::uint8_t length = 0) {
  return {0x4c, flags, page, subpage, 0, 0, 0, 0, length, 0};
}

// The value of a parameter of eight bytes or fewer.
std::uint64_t parameter(const Outcome& outcome, std::uint16_t code, std::size_t offset = 0,
                        std::size_t bytes = 0) {
  for (std::size_t at = 4; at + 4 <= outcome.data.size(); at += 4U + outcome.data[at + 3]) {
    if ((outcome.data[at] << 8 | outcome.data[at + 1]) != code) continue;
    const std::size_t length = bytes != 0 ? bytes : outcome.data[at + 3];
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < length; ++i) value = value << 8 | outcome.data[at + 4 + offset + i];
    return value;
  }
  ADD_FAILURE() << "no parameter " << code;
  return 0;
}

struct LogSense : ::testing::Test {
  Bench bench{2048, {}, 2};
  Initiator other{bench, 1, "iqn.2026-11.test:two"};
  Initiator& initiator = bench.initiator();

  LogSense() {
    initiator.clear_attention();
    other.clear_attention();
  }
};

TEST_F(LogSense, ListsItsPagesInOrderAndAnswersEach) {
  const Outcome list = initiator.run(log_sense(0));
  ASSERT_TRUE(list.is_good());
  const Data pages(list.data.begin() + 4, list.data.end());
  EXPECT_EQ(pages, (Data{0x00, 0x02, 0x03, 0x05, 0x0c, 0x0d, 0x0e, 0x10, 0x19, 0x2f}));
  const Outcome all = initiator.run(log_sense(0, 0xff));
  ASSERT_TRUE(all.is_good());
  EXPECT_EQ(all.data[0] & 0x7f, 0x40) << "SPF";
  EXPECT_EQ(all.data[1], 0xff);
  for (std::size_t at = 4; at < all.data.size(); at += 2) {
    const Outcome page = initiator.run(log_sense(all.data[at], all.data[at + 1]));
    ASSERT_TRUE(page.is_good());
    EXPECT_EQ(page.data[0] & 0x3f, all.data[at]);
    EXPECT_EQ(page.data.size(), 4U + page.data[2] * 256U + page.data[3]);
  }
}

TEST_F(LogSense, CountsWhatEveryShardHasDone) {
  ASSERT_TRUE(initiator.run(block_cdb(Opcode::write_10, 0, 4), filled(2048, 1)).is_good());
  ASSERT_TRUE(other.run(block_cdb(Opcode::write_10, 8, 1), filled(512, 1)).is_good());
  ASSERT_TRUE(other.run(block_cdb(Opcode::read_10, 0, 2)).is_good());
  EXPECT_EQ(parameter(initiator.run(log_sense(0x02)), 5), 2560U);
  EXPECT_EQ(parameter(initiator.run(log_sense(0x03)), 5), 1024U);
  const Outcome statistics = initiator.run(log_sense(0x19));
  EXPECT_EQ(parameter(statistics, 1, 0, 8), 1U);
  EXPECT_EQ(parameter(statistics, 1, 8, 8), 2U);
  EXPECT_EQ(parameter(statistics, 1, 16, 8), 5U);
  EXPECT_EQ(parameter(statistics, 1, 24, 8), 2U);
}

TEST_F(LogSense, CountsErrors) {
  bench.device().answers[block::Op::read] = block::Status::read_error;
  (void)initiator.run(block_cdb(Opcode::read_10, 0, 1));
  EXPECT_EQ(parameter(initiator.run(log_sense(0x03)), 6), 1U);
  EXPECT_EQ(parameter(initiator.run(log_sense(0x02)), 6), 0U);
}

TEST_F(LogSense, BeginsAtTheParameterPointer) {
  const Outcome outcome = initiator.run(log_sense(0x02, 0, kCumulative, 5));
  ASSERT_TRUE(outcome.is_good());
  EXPECT_EQ(outcome.data[3], 24);
  EXPECT_EQ(outcome.data[5], 5);
  EXPECT_TRUE(initiator.run(log_sense(0x02, 0, kCumulative, 7)).is_invalid_field(5));
  EXPECT_TRUE(initiator.run(log_sense(0x00, 0, kCumulative, 1)).is_invalid_field(5));
}

TEST_F(LogSense, HasDefaultsButNoThresholds) {
  ASSERT_TRUE(initiator.run(block_cdb(Opcode::read_10, 0, 1)).is_good());
  EXPECT_EQ(parameter(initiator.run(log_sense(0x03, 0, 3)), 5), 0U);
  EXPECT_TRUE(initiator.run(log_sense(0x03, 0, 0)).is_invalid_field(2));
  EXPECT_TRUE(initiator.run(log_sense(0x03, 0, 2)).is_invalid_field(2));
  EXPECT_TRUE(initiator.run(log_sense(0x0d, 0, 0)).is_good()) << "PC means nothing for lists";
}

TEST_F(LogSense, RefusesPagesThatAreNotThere) {
  EXPECT_TRUE(initiator.run(log_sense(0x3e)).is_invalid_field(2));
  EXPECT_TRUE(initiator.run(log_sense(0x02, 1)).is_invalid_field(3));
  EXPECT_TRUE(initiator.run(log_sense(0x02, 0xff)).is_invalid_field(3));
}

// The first blocks of this disk are mapped, in pieces.
struct PartlyMapped : FakeDevice {
  using FakeDevice::FakeDevice;
  [[nodiscard]] Result<block::Extent> extent_at(Lba lba, BlockCount count) const override {
    if (broken) return fail(ErrorCode::io, "the map is broken");
    return block::Extent{lba, BlockCount(std::min<std::uint64_t>(count.value, 8)),
                         lba.value < mapped};
  }
  std::uint64_t mapped = 48;
  bool broken = false;
};

TEST(Allocation, IsToldOfAThinUnit) {
  auto device = std::make_unique<PartlyMapped>(2048);
  PartlyMapped& medium = *device;
  Bench bench(std::move(device), {}, 1, Bench::full());
  bench.initiator().clear_attention();
  const Outcome page = bench.initiator().run(log_sense(0x0c));
  ASSERT_TRUE(page.is_good());
  EXPECT_EQ(page.data.size(), 16U);
  EXPECT_EQ(parameter(page, 2, 0, 4), 48U);
  EXPECT_EQ(parameter(page, 2, 4, 1), 1U) << "SCOPE: of this unit alone";
  EXPECT_TRUE(bench.initiator().run(log_sense(0x0c, 0, kCumulative, 3)).is_invalid_field(5));
  medium.broken = true;
  EXPECT_TRUE(bench.initiator()
                  .run(log_sense(0x0c))
                  .is(spec::SenseKey::hardware_error, AdditionalSense::internal_target_failure));
}

TEST(Allocation, OfAMapWithVeryManyPiecesIsAnEstimate) {
  auto device = std::make_unique<PartlyMapped>(1 << 20);
  device->mapped = 8 * 4096;  // a quarter of the extents that are read
  Bench bench(std::move(device), {}, 1, Bench::full());
  bench.initiator().clear_attention();
  EXPECT_EQ(parameter(bench.initiator().run(log_sense(0x0c)), 2, 0, 4), (1U << 20) / 4);
}

TEST(Allocation, OfAUnitThatIsNotThinIsNotTold) {
  Bench bench(2048, {}, 1, 512, block::Capabilities{});
  bench.initiator().clear_attention();
  EXPECT_TRUE(bench.initiator().run(log_sense(0x0c)).is_invalid_field(2));
  const Outcome list = bench.initiator().run(log_sense(0));
  EXPECT_EQ(std::ranges::count(list.data.begin() + 4, list.data.end(), 0x0c), 0);
}

TEST(Allocation, IsCountedInUnitsWithWhichItFits) {
  EXPECT_EQ(threshold_exponent(2048), 0U);
  EXPECT_EQ(threshold_exponent(0xffff'ffff), 0U);
  EXPECT_EQ(threshold_exponent(0x1'0000'0000), 1U);
  EXPECT_EQ(threshold_exponent(std::uint64_t{1} << 40), 9U);
}

TEST_F(LogSense, HasNoTemperature) {
  EXPECT_EQ(parameter(initiator.run(log_sense(0x0d)), 0), 0xffU);
}

TEST_F(LogSense, CountsStarts) {
  EXPECT_EQ(parameter(initiator.run(log_sense(0x0e)), 4), 0U);
  for (const std::uint8_t start : Data{0, 1, 1, 0, 1}) {
    ASSERT_TRUE(initiator.run({0x1b, 0, 0, 0, start, 0}).is_good());
  }
  EXPECT_EQ(parameter(initiator.run(log_sense(0x0e)), 4), 2U);
}

TEST_F(LogSense, TellsTheInformationalException) {
  EXPECT_EQ(parameter(initiator.run(log_sense(0x2f)), 0), 0x0000ffU);
  const Data list = {0, 0, 0, 0, 0x1c, 0x0a, 0x04, 0x06, 0, 0, 0, 0, 0, 0, 0, 0};
  const Bytes bytes = std::as_bytes(std::span(list));
  ASSERT_TRUE(initiator.run({0x15, 0x10, 0, 0, 16, 0}, {bytes.begin(), bytes.end()}).is_good());
  EXPECT_EQ(parameter(initiator.run(log_sense(0x2f)), 0), 0x5dffffU);
}

TEST_F(LogSense, LogSelectResetsAndTellsTheOthers) {
  ASSERT_TRUE(initiator.run(block_cdb(Opcode::read_10, 0, 1)).is_good());
  ASSERT_TRUE(other.run(block_cdb(Opcode::read_10, 0, 1)).is_good());
  ASSERT_TRUE(initiator.run(log_select(0x02, 0x03)).is_good());
  EXPECT_TRUE(other.run({0, 0, 0, 0, 0, 0}).is_attention(AdditionalSense::log_parameters_changed));
  EXPECT_EQ(parameter(other.run(log_sense(0x03)), 5), 0U);
  EXPECT_EQ(parameter(other.run(log_sense(0x19)), 1, 0, 8), 2U) << "another page";
  ASSERT_TRUE(other.run(block_cdb(Opcode::read_10, 0, 1)).is_good());
  EXPECT_EQ(parameter(other.run(log_sense(0x03)), 5), 512U);
  ASSERT_TRUE(other.run(log_select(0x02)).is_good());
  initiator.clear_attention();
  EXPECT_EQ(parameter(initiator.run(log_sense(0x19)), 1, 0, 8), 0U) << "every page";
}

TEST_F(LogSense, LogSelectOfDefaultCumulativeValuesResets) {
  ASSERT_TRUE(initiator.run(block_cdb(Opcode::read_10, 0, 1)).is_good());
  ASSERT_TRUE(initiator.run(log_select(0, 0xc3)).is_good());
  EXPECT_EQ(parameter(initiator.run(log_sense(0x03)), 5), 0U);
}

TEST_F(LogSense, LogSelectWithoutAnythingToDoDoesNothing) {
  ASSERT_TRUE(initiator.run(block_cdb(Opcode::read_10, 0, 1)).is_good());
  ASSERT_TRUE(initiator.run(log_select(0, 0x40)).is_good());
  ASSERT_TRUE(initiator.run(log_select(0x02, 0x0d)).is_good()) << "nothing to reset there";
  EXPECT_EQ(parameter(initiator.run(log_sense(0x03)), 5), 512U);
  EXPECT_TRUE(other.run({0, 0, 0, 0, 0, 0}).is_good());
}

TEST_F(LogSense, LogSelectSetsNoParameter) {
  const auto send = [&](std::uint8_t flags, std::uint8_t page, const Data& list) {
    const Bytes bytes = std::as_bytes(std::span(list));
    return initiator.run(log_select(flags, page, 0, static_cast<std::uint8_t>(list.size())),
                         {bytes.begin(), bytes.end()});
  };
  const auto fault_at = [](const Outcome& outcome) {
    EXPECT_TRUE(outcome.is_illegal(AdditionalSense::invalid_field_in_parameter_list));
    return std::get<spec::FieldPointer>(outcome.sense.specific).byte;
  };
  EXPECT_TRUE(send(0, 0, {0x02, 0, 0, 0}).is_good());
  EXPECT_EQ(fault_at(send(0, 0, {0x02, 0, 0, 0, 0x03, 0, 0, 4, 0, 0, 3, 0})), 8);
  EXPECT_EQ(fault_at(send(0, 0, {0x3e, 0, 0, 0})), 0);
  EXPECT_TRUE(send(0, 0, {0x02, 0, 0}).is_illegal(AdditionalSense::parameter_list_length_error));
  EXPECT_TRUE(
      send(0, 0, {0x02, 0, 0, 9, 0}).is_illegal(AdditionalSense::parameter_list_length_error));
  EXPECT_TRUE(send(2, 0, {0x02, 0, 0, 0}).is_invalid_field(1));
  EXPECT_TRUE(send(0, 2, {0x02, 0, 0, 0}).is_invalid_field(2));
}

}  // namespace
}  // namespace lunar::scsi
