#include "scsi/state/priority.h"

#include <gtest/gtest.h>

#include "scsi/spec/transport_id.h"
#include "scsi/testing/bench.h"

namespace lunar::scsi {
namespace {

using namespace testing;
using spec::AdditionalSense;
using Cdb = std::vector<std::uint8_t>;

constexpr std::uint8_t kOwn = 0x00;
constexpr std::uint8_t kOfList = 0x40;
constexpr std::uint8_t kAll = 0x80;

Cdb report(std::uint8_t reported = kOwn) {
  return {0xa3, 0x0e, reported, 0, 0, 0, 0, 0, 2, 0, 0, 0};
}
Cdb set(std::uint8_t to_set, std::size_t length) {
  return {0xa4, 0x0e, to_set, 0, 0, 0, 0, 0, 0, static_cast<std::uint8_t>(length), 0, 0};
}
std::vector<std::byte> list(std::uint8_t priority, std::uint16_t port = 0,
                            const std::string& initiator = {}) {
  std::vector<std::byte> bytes(8 + 300);
  ByteWriter out(bytes);
  out.write_u8(priority);
  out.write_u8(0);
  out.write(be16(port));
  out.write(be16(0));
  out.write(be16(
      static_cast<std::uint16_t>(initiator.empty() ? 0 : spec::transport_id_bytes(initiator))));
  if (!initiator.empty()) spec::append_transport_id(out, initiator);
  bytes.resize(out.written());
  return bytes;
}
// MODE SELECT of the INITIAL COMMAND PRIORITY.
Outcome select_initial(Initiator& initiator, std::uint8_t priority) {
  std::vector<std::byte> data(4 + 32);
  data[4] = std::byte{0x4a};
  data[5] = std::byte{0x01};
  data[7] = std::byte{0x1c};
  data[9] = std::byte{priority};
  return initiator.run({0x15, 0x10, 0, 0, 36, 0}, data);
}

struct Priority : ::testing::Test {
  Bench bench{2048, {}, 2};
  Initiator& initiator = bench.initiator();
  Initiator other{bench, 1, "iqn.2026-11.test:two", std::uint16_t{2}};

  Priority() {
    initiator.clear_attention();
    other.clear_attention();
  }
  Outcome give(Initiator& by, std::uint8_t to_set, const std::vector<std::byte>& data) {
    return by.run(set(to_set, data.size()), data);
  }
  std::uint8_t own(Initiator& of) {
    const Outcome outcome = of.run(report());
    EXPECT_TRUE(outcome.is_good());
    return outcome.data.at(4);
  }
};

TEST_F(Priority, OfANexusIsReportedWithItsPorts) {
  ASSERT_TRUE(give(initiator, kOwn, list(7)).is_good());
  const Outcome outcome = initiator.run(report());
  ASSERT_TRUE(outcome.is_good());
  const std::size_t name = spec::transport_id_bytes(initiator.nexus().initiator_port_name());
  ASSERT_EQ(outcome.data.size(), 4 + 8 + name);
  EXPECT_EQ(outcome.data[3], 8 + name);
  EXPECT_EQ(outcome.data[4], 7);
  EXPECT_EQ(outcome.data[7], 1) << "RELATIVE TARGET PORT IDENTIFIER";
  EXPECT_EQ(outcome.data[11], name);
  const auto id = spec::parse_transport_id(std::as_bytes(std::span(outcome.data)).subspan(12));
  ASSERT_TRUE(id);
  EXPECT_EQ(id->id.name, initiator.nexus().initiator_port_name());
  EXPECT_EQ(own(other), 0) << "another nexus has the initial one, which is told as zero";
  EXPECT_TRUE(other.run({0, 0, 0, 0, 0, 0}).is_good()) << "nobody is told of one's own";
}

TEST_F(Priority, OfOthersIsSetByTheirNamesAndToldToThem) {
  const std::string& name = other.nexus().initiator_port_name();
  ASSERT_TRUE(give(initiator, kOfList, list(3, 2, name)).is_good());
  EXPECT_TRUE(other.run({0, 0, 0, 0, 0, 0}).is_attention(AdditionalSense::priority_changed));
  EXPECT_EQ(own(other), 3);
  EXPECT_EQ(own(initiator), 0);
  const Outcome all = initiator.run(report(kOfList));
  ASSERT_TRUE(all.is_good());
  EXPECT_EQ(all.data[3], 8 + spec::transport_id_bytes(name));
  EXPECT_EQ(all.data[4], 3);
  EXPECT_EQ(all.data[7], 2);
}

TEST_F(Priority, OutlivesTheSessionButNoReset) {
  {
    Initiator brief(bench, 1, "iqn.2026-11.test:three");
    brief.clear_attention();
    ASSERT_TRUE(give(brief, kOwn, list(15)).is_good());
  }
  Initiator again(bench, 0, "iqn.2026-11.test:three");
  again.clear_attention();
  EXPECT_EQ(own(again), 15);
  const auto reset = [&]() -> engine::Task<void> {
    (void)co_await initiator.server().logical_unit_reset(initiator.nexus(), lun_field(0));
  };
  bench.world().run(reset);
  again.clear_attention();
  EXPECT_EQ(own(again), 0);
}

TEST_F(Priority, ComesBackToTheInitialOneOfAll) {
  ASSERT_TRUE(give(initiator, kOwn, list(1)).is_good());
  ASSERT_TRUE(give(other, kOwn, list(2)).is_good());
  ASSERT_TRUE(initiator.run(set(kOwn, 0)).is_good()) << "no list: one's own alone";
  EXPECT_EQ(own(initiator), 0);
  EXPECT_EQ(own(other), 2);
  ASSERT_TRUE(initiator.run(set(kAll, 0)).is_good());
  EXPECT_TRUE(other.run({0, 0, 0, 0, 0, 0}).is_attention(AdditionalSense::priority_changed));
  EXPECT_EQ(own(other), 0);
  EXPECT_TRUE(initiator.run({0, 0, 0, 0, 0, 0}).is_good());
}

TEST_F(Priority, TheInitialOneIsOfThoseThatHaveNoneOfTheirOwn) {
  ASSERT_TRUE(give(other, kOwn, list(2)).is_good());
  ASSERT_TRUE(select_initial(initiator, 5).is_good());
  EXPECT_TRUE(initiator.run({0, 0, 0, 0, 0, 0}).is_attention(AdditionalSense::priority_changed));
  EXPECT_TRUE(other.run({0, 0, 0, 0, 0, 0}).is_attention(AdditionalSense::mode_parameters_changed));
  EXPECT_TRUE(other.run({0, 0, 0, 0, 0, 0}).is_good()) << "its own is as it was";
  EXPECT_EQ(own(other), 2);
  ASSERT_TRUE(give(other, kOwn, list(5)).is_good());
  EXPECT_EQ(own(other), 0) << "the initial one";
  EXPECT_EQ(other.run(report(kOfList)).data.size(), 4U) << "none is another";
}

TEST_F(Priority, RefusesWhatIsNotThere) {
  const std::string& name = other.nexus().initiator_port_name();
  const auto fault_at = [](const Outcome& outcome) {
    EXPECT_TRUE(outcome.is_illegal(AdditionalSense::invalid_field_in_parameter_list));
    const auto* pointer = std::get_if<spec::FieldPointer>(&outcome.sense.specific);
    return pointer == nullptr ? -1 : pointer->byte;
  };
  EXPECT_TRUE(initiator.run(report(0x80)).is_invalid_field(2));
  EXPECT_TRUE(initiator.run(set(0xc0, 0)).is_invalid_field(2));
  EXPECT_TRUE(
      give(initiator, kOfList, {}).is_illegal(AdditionalSense::parameter_list_length_error));
  auto cut = list(3, 2, name);
  cut.pop_back();
  EXPECT_TRUE(
      give(initiator, kOfList, cut).is_illegal(AdditionalSense::parameter_list_length_error));
  EXPECT_EQ(fault_at(give(initiator, kOfList, list(3, 9, name))), 2) << "no such port";
  EXPECT_EQ(fault_at(give(initiator, kOfList, list(3, 2))), 8) << "no TransportID";
  EXPECT_TRUE(other.run({0, 0, 0, 0, 0, 0}).is_good()) << "nothing has changed";
}

TEST(Priorities, HaveABound) {
  Priorities priorities;
  for (std::size_t i = 0; i < kMaxPriorities; ++i)
    ASSERT_TRUE(priorities.assign({std::to_string(i), "t", 1}, 4));
  EXPECT_FALSE(priorities.assign({"more", "t", 1}, 4));
  EXPECT_TRUE(priorities.assign({"7", "t", 1}, 9));
  EXPECT_TRUE(priorities.assign({"8", "t", 1}, 0));
  EXPECT_TRUE(priorities.assign({"more", "t", 1}, 4));
  EXPECT_EQ(priorities.find({"7", "t", 1})->priority, 9);
  EXPECT_EQ(priorities.find({"8", "t", 1}), nullptr);
}

}  // namespace
}  // namespace lunar::scsi
