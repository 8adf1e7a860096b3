#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "scsi/testing/bench.h"

namespace lunar::scsi {
namespace {

using namespace testing;
using spec::AdditionalSense;
using Data = std::vector<std::uint8_t>;

std::vector<std::uint8_t> inquiry(std::uint16_t length, int page = -1) {
  return {0x12,
          static_cast<std::uint8_t>(page >= 0 ? 1 : 0),
          static_cast<std::uint8_t>(std::max(page, 0)),
          static_cast<std::uint8_t>(length >> 8),
          static_cast<std::uint8_t>(length),
          0};
}

std::string text(const Outcome& outcome, std::size_t offset, std::size_t length) {
  return {outcome.data.begin() + static_cast<std::ptrdiff_t>(offset),
          outcome.data.begin() + static_cast<std::ptrdiff_t>(offset + length)};
}

TEST(Inquiry, DescribesADisk) {
  Bench bench;
  const Outcome outcome = bench.initiator().run(inquiry(255));
  ASSERT_TRUE(outcome.is_good());
  ASSERT_EQ(outcome.data.size(), 96U);
  EXPECT_EQ(outcome.data[0], 0x00);
  EXPECT_EQ(outcome.data[1], 0x00);
  EXPECT_EQ(outcome.data[2], 0x06);
  EXPECT_EQ(outcome.data[3], 0x02);
  EXPECT_EQ(outcome.data[4], 96 - 5);
  EXPECT_EQ(outcome.data[7], 0x02);
  EXPECT_EQ(text(outcome, 8, 8), "LUNAR   ");
  EXPECT_EQ(text(outcome, 16, 16), "lunar disk      ");
  EXPECT_EQ(text(outcome, 32, 4), "0001");
}

TEST(Inquiry, TruncatesToAllocationLength) {
  Bench bench;
  for (const std::uint16_t length : std::initializer_list<std::uint16_t>{0, 1, 5, 36, 95}) {
    const Outcome outcome = bench.initiator().run(inquiry(length));
    ASSERT_TRUE(outcome.is_good());
    EXPECT_EQ(outcome.data.size(), length);
    if (length >= 5) {
      EXPECT_EQ(outcome.data[4], 96 - 5) << "ADDITIONAL LENGTH tells the whole length";
    }
  }
}

TEST(Inquiry, TellsThatTheMediumIsRemovable) {
  LogicalUnitOptions options;
  options.removable = true;
  Bench bench(64, options);
  EXPECT_EQ(bench.initiator().run(inquiry(36)).data[1], 0x80);
}

TEST(Inquiry, RefusesAPageCodeWithoutEvpd) {
  Bench bench;
  EXPECT_TRUE(bench.initiator().run({0x12, 0, 1, 0, 255, 0}).is_invalid_field(2));
}

TEST(Inquiry, RefusesAPageThatIsNotThere) {
  Bench bench;
  EXPECT_TRUE(bench.initiator().run(inquiry(255, 0xc0)).is_invalid_field(2));
}

TEST(Inquiry, IsAnsweredWhileAUnitAttentionIsPending) {
  Bench bench;
  EXPECT_TRUE(bench.initiator().run(inquiry(36)).is_good());
  const Outcome next = bench.initiator().run({0, 0, 0, 0, 0, 0});
  EXPECT_TRUE(next.is_attention(AdditionalSense::power_on_reset_or_bus_device_reset_occurred));
}

TEST(Inquiry, TellsWhenNoLogicalUnitHasTheNumber) {
  Bench bench;
  const Outcome outcome = bench.initiator().run(inquiry(36), {}, 7);
  ASSERT_TRUE(outcome.is_good());
  EXPECT_EQ(outcome.data[0], 0x7f);
  EXPECT_TRUE(
      bench.initiator().run(inquiry(36, 0), {}, 7).is_illegal(AdditionalSense::lu_not_supported));
}

TEST(VitalProductData, ListsEveryPageAndAnswersIt) {
  Bench bench;
  const Outcome list = bench.initiator().run(inquiry(255, 0));
  ASSERT_TRUE(list.is_good());
  const std::vector<std::uint8_t> pages(list.data.begin() + 4, list.data.end());
  EXPECT_EQ(pages, (std::vector<std::uint8_t>{0x00, 0x80, 0x83, 0x85, 0x86, 0x87, 0x88, 0xb0, 0xb1,
                                              0xb2}));
  EXPECT_EQ(list.data[3], pages.size());
  for (const std::uint8_t page : pages) {
    const Outcome outcome = bench.initiator().run(inquiry(1024, page));
    ASSERT_TRUE(outcome.is_good()) << int{page};
    EXPECT_EQ(outcome.data[1], page);
    EXPECT_EQ(outcome.data.size(),
              std::size_t{4} + outcome.data[2] * std::size_t{256} + outcome.data[3]);
  }
}

TEST(VitalProductData, SerialNumberIsTheDevicesUuid) {
  Bench bench;
  const Outcome outcome = bench.initiator().run(inquiry(255, 0x80));
  EXPECT_EQ(text(outcome, 4, outcome.data.size() - 4), bench.unit().serial_number());
  EXPECT_EQ(bench.unit().serial_number().size(), 32U);
}

TEST(VitalProductData, IdentifiesUnitPortAndTarget) {
  Bench bench;
  const Outcome outcome = bench.initiator().run(inquiry(1024, 0x83));
  // Association and type of each designator.
  std::vector<int> kinds;
  for (std::size_t at = 4; at < outcome.data.size(); at += 4 + outcome.data[at + 3]) {
    kinds.push_back(outcome.data[at + 1] & 0x3f);
  }
  EXPECT_EQ(kinds, (std::vector<int>{0x03, 0x01, 0x08, 0x14, 0x15, 0x18, 0x28}));
}

TEST(VitalProductData, ExtendedInquiryTellsTaskAttributesAndTheCache) {
  block::Capabilities capabilities = Bench::full();
  Bench without;
  Data page = without.initiator().run(inquiry(64, 0x86)).data;
  ASSERT_EQ(page.size(), 64U);
  EXPECT_EQ(page[4], 0) << "no protection information";
  EXPECT_EQ(page[5], 0x27);
  EXPECT_EQ(page[6], 0) << "V_SUP";
  EXPECT_EQ(page[7], 1) << "LUICLR";
  EXPECT_EQ(page[13], spec::kMaxSenseLength);
  capabilities.volatile_cache = true;
  Bench with(64, {}, 1, 512, capabilities);
  EXPECT_EQ(with.initiator().run(inquiry(64, 0x86)).data[6], 1);
}

TEST(VitalProductData, PoliciesPortsAndAddresses) {
  Bench bench;
  EXPECT_EQ(bench.initiator().run(inquiry(255, 0x85)).data, (Data{0, 0x85, 0, 0}));
  EXPECT_EQ(bench.initiator().run(inquiry(255, 0x87)).data,
            (Data{0, 0x87, 0, 4, 0x3f, 0xff, 0, 0}));
  const Outcome ports = bench.initiator().run(inquiry(1024, 0x88));
  ASSERT_GT(ports.data.size(), 20U);
  EXPECT_EQ(ports.data[7], 1) << "RELATIVE PORT IDENTIFIER";
  EXPECT_EQ(ports.data[16], 0x53) << "iSCSI, UTF-8";
  EXPECT_EQ(ports.data[17], 0x98) << "PIV, target port, SCSI name string";
  EXPECT_EQ(text(ports, 20, bench.initiator().nexus().target_port_name().size()),
            bench.initiator().nexus().target_port_name());
}

TEST(VitalProductData, TellsTheLimitsThatAreChecked) {
  Bench bench;
  const Outcome outcome = bench.initiator().run(inquiry(64, 0xb0));
  const auto page = *load<std::array<std::uint8_t, 64>>(std::as_bytes(std::span(outcome.data)));
  const auto u32 = [&](std::size_t at) {
    return static_cast<std::uint32_t>((page[at] << 24U) | (page[at + 1] << 16U) |
                                      (page[at + 2] << 8U) | page[at + 3]);
  };
  EXPECT_EQ(u32(8), block::kMaxTransferBytes / 512);
  EXPECT_EQ(u32(12), 2048U) << "OPTIMAL TRANSFER LENGTH";
  EXPECT_EQ(u32(20), 0xffffffffU);
  EXPECT_EQ(u32(36), 0U);
  EXPECT_EQ(u32(40), kMaxWriteSameBytes / 512);
  EXPECT_EQ(u32(24), kMaxUnmapDescriptors);
  EXPECT_EQ(page[5], kMaxCompareAndWriteBlocks);
  for (const std::size_t at : {44U, 48U, 52U}) EXPECT_EQ(u32(at), 1U) << "WRITE ATOMIC";
}

TEST(VitalProductData, OptimalTransferLengthIsThatOfTheMedium) {
  const auto told = [](std::uint64_t blocks, std::uint32_t physical_block_size) {
    auto device = std::make_unique<FakeDevice>(2048);
    device->the_limits.physical_block_size = physical_block_size;
    device->the_limits.optimal_transfer = BlockCount(blocks);
    Bench bench(std::move(device), {}, 1, Bench::full());
    const Outcome outcome = bench.initiator().run(inquiry(64, 0xb0));
    return std::uint32_t{*load<be32>(std::as_bytes(std::span(outcome.data)).subspan(12))};
  };
  EXPECT_EQ(told(0, 512), 2048U);
  EXPECT_EQ(told(256, 512), 256U);
  EXPECT_EQ(told(100, 4096), 96U) << "whole physical blocks";
  EXPECT_EQ(told(1U << 20U, 512), block::kMaxTransferBytes / 512) << "no more than is taken";
}

TEST(VitalProductData, HasNoProvisioningWithoutUnmap) {
  Bench bench(64, {}, 1, 512, block::Capabilities{});
  const Outcome limits = bench.initiator().run(inquiry(64, 0xb0));
  EXPECT_TRUE(std::all_of(limits.data.begin() + 20, limits.data.begin() + 36,
                          [](auto b) { return b == 0; }));
  EXPECT_EQ(bench.initiator().run(inquiry(64, 0xb2)).data[5], 0);
}

}  // namespace
}  // namespace lunar::scsi
