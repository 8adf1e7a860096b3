#include <gtest/gtest.h>

#include "scsi/testing/bench.h"

namespace lunar::scsi {
namespace {

using namespace testing;
using spec::AdditionalSense;

// The test determines which blocks are unmapped.
class HoleyDevice : public FakeDevice {
 public:
  explicit HoleyDevice(std::uint64_t blocks) : FakeDevice(blocks), allocated(blocks, true) {
    make_protection_room(2);  // required for 32-byte CDBs
  }
  [[nodiscard]] Result<block::Extent> extent_at(Lba lba, BlockCount count) const override {
    if (broken) return fail(ErrorCode::io, "the map is broken");
    std::uint64_t length = 1;
    while (length < count.value && allocated[lba.value + length] == allocated[lba.value]) ++length;
    // In pieces, as some file systems report.
    return block::Extent{lba, BlockCount(std::min(length, most)), allocated[lba.value]};
  }

  std::vector<bool> allocated;
  std::uint64_t most = 64;
  bool broken = false;
};

struct Status {
  std::uint64_t lba;
  std::uint64_t blocks;
  int provisioning;
  bool operator==(const Status&) const = default;
};

class GetLbaStatus : public ::testing::Test {
 protected:
  GetLbaStatus() {
    bench.initiator().clear_attention();
    std::fill(device().allocated.begin() + 100, device().allocated.begin() + 300, false);
    std::fill(device().allocated.begin() + 1000, device().allocated.end(), false);
  }
  HoleyDevice& device() { return static_cast<HoleyDevice&>(bench.device()); }

  static std::vector<std::uint8_t> cdb_16(std::uint64_t lba, std::uint32_t length,
                                          std::uint8_t type = 0) {
    std::vector<std::uint8_t> cdb(16);
    cdb[0] = 0x9e;
    cdb[1] = 0x12;
    put(cdb, 2, 8, lba);
    put(cdb, 10, 4, length);
    cdb[14] = type;
    return cdb;
  }
  static std::vector<std::uint8_t> cdb_32(std::uint64_t lba, std::uint32_t scan,
                                          std::uint8_t type = 0) {
    std::vector<std::uint8_t> cdb(32);
    cdb[0] = 0x7f;
    cdb[7] = 0x18;
    cdb[9] = 0x12;
    cdb[10] = type;
    put(cdb, 12, 8, lba);
    put(cdb, 20, 4, scan);
    put(cdb, 28, 4, 4096);
    return cdb;
  }
  Outcome run(std::vector<std::uint8_t> cdb) { return bench.initiator().run(std::move(cdb)); }

  static std::uint64_t get(const std::vector<std::uint8_t>& data, std::size_t at,
                           std::size_t bytes) {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < bytes; ++i) value = value << 8 | data[at + i];
    return value;
  }
  static std::vector<Status> statuses(const Outcome& outcome) {
    EXPECT_TRUE(outcome.is_good());
    EXPECT_EQ(get(outcome.data, 0, 4) + 4, outcome.data.size());
    std::vector<Status> found;
    for (std::size_t at = 8; at < outcome.data.size(); at += 16) {
      found.push_back({get(outcome.data, at, 8), get(outcome.data, at + 8, 4),
                       static_cast<int>(outcome.data[at + 12])});
    }
    return found;
  }

  Bench bench{std::make_unique<HoleyDevice>(2048), {}, 1, Bench::full()};

 private:
  static void put(std::vector<std::uint8_t>& cdb, std::size_t at, std::size_t bytes,
                  std::uint64_t value) {
    for (std::size_t i = 0; i < bytes; ++i)
      cdb[at + bytes - 1 - i] = static_cast<std::uint8_t>(value >> (8 * i));
  }
};

TEST_F(GetLbaStatus, TellsTheRunsOfTheMediumFromTheBlockOn) {
  const Outcome outcome = run(cdb_16(50, 4096));
  EXPECT_EQ(statuses(outcome),
            (std::vector<Status>{{50, 50, 0}, {100, 200, 1}, {300, 700, 0}, {1000, 1048, 1}}));
  EXPECT_EQ(outcome.data[7], 3 << 1) << "to the end of the medium";
  EXPECT_EQ(statuses(run(cdb_16(2047, 4096))), (std::vector<Status>{{2047, 1, 1}}));
}

TEST_F(GetLbaStatus, StopsWhereTheAllocationLengthEnds) {
  const Outcome two = run(cdb_16(0, 8 + 32));
  EXPECT_EQ(statuses(two), (std::vector<Status>{{0, 100, 0}, {100, 200, 1}}));
  EXPECT_EQ(two.data[7], 1 << 1);
  const Outcome part = run(cdb_16(0, 12));
  EXPECT_EQ(part.data.size(), 12U);
  EXPECT_EQ(get(part.data, 0, 4), 20U) << "one descriptor, as far as it fits";
  EXPECT_TRUE(run(cdb_16(0, 0)).is_good());
}

TEST_F(GetLbaStatus, TheLongFormScansAsFarAsItIsTold) {
  const Outcome outcome = run(cdb_32(50, 100));
  EXPECT_EQ(statuses(outcome), (std::vector<Status>{{50, 50, 0}, {100, 50, 1}}));
  EXPECT_EQ(outcome.data[7], 2 << 1) << "the scan length";
  EXPECT_EQ(statuses(run(cdb_32(1500, 0))), (std::vector<Status>{{1500, 548, 1}}));
  EXPECT_EQ(statuses(run(cdb_32(2000, 4000))), (std::vector<Status>{{2000, 48, 1}}));
}

TEST(GetLbaStatus32, IsThereWhereOther32ByteCdbsAre) {
  Bench bench;
  bench.initiator().clear_attention();
  std::vector<std::uint8_t> cdb(32);
  cdb[0] = 0x7f;
  cdb[7] = 0x18;
  cdb[9] = 0x12;
  EXPECT_TRUE(
      bench.initiator().run(cdb).is_illegal(AdditionalSense::invalid_command_operation_code));
}

TEST_F(GetLbaStatus, ReportTypesChoose) {
  const Outcome mapped = run(cdb_16(0, 4096, 0x02));
  EXPECT_EQ(statuses(mapped), (std::vector<Status>{{0, 100, 0}, {300, 700, 0}}));
  EXPECT_EQ(mapped.data[7] & 1, 1);
  EXPECT_EQ(statuses(run(cdb_32(0, 0, 0x03))),
            (std::vector<Status>{{100, 200, 1}, {1000, 1048, 1}}));
  EXPECT_EQ(run(cdb_16(0, 4096, 0x10)).data[7] & 1, 0) << "it was not obeyed, and that is told";
  EXPECT_TRUE(run(cdb_16(0, 4096, 0x05)).is_invalid_field(14));
  EXPECT_TRUE(run(cdb_32(0, 0, 0x05)).is_invalid_field(10));
}

TEST_F(GetLbaStatus, RefusesWhatIsNotThere) {
  EXPECT_TRUE(run(cdb_16(2048, 4096)).is_illegal(AdditionalSense::lba_out_of_range));
  EXPECT_TRUE(run(cdb_32(UINT64_MAX, 0)).is_illegal(AdditionalSense::lba_out_of_range));
  auto element = cdb_32(0, 0);
  element[27] = 1;
  EXPECT_TRUE(run(element).is_invalid_field(24));
  auto shorter = cdb_32(0, 0);
  shorter[7] = 0x08;
  EXPECT_TRUE(run(shorter).is_invalid_field(7));
  auto unknown = cdb_32(0, 0);
  unknown[9] = 0x0f;  // WRITE ATOMIC (32)
  EXPECT_TRUE(run(unknown).is_invalid_field(8));
}

TEST_F(GetLbaStatus, AMapThatCannotBeReadIsAnError) {
  device().broken = true;
  EXPECT_TRUE(run(cdb_16(0, 4096))
                  .is(spec::SenseKey::hardware_error, AdditionalSense::internal_target_failure));
}

TEST(GetLbaStatusOfAFullUnit, AllIsMapped) {
  block::Capabilities full = Bench::full();
  full.unmap = full.unmap_reads_zeroes = false;
  auto device = std::make_unique<HoleyDevice>(2048);
  device->allocated.assign(2048, false);
  Bench bench(std::move(device), {}, 1, full);
  bench.initiator().clear_attention();
  const Outcome outcome =
      bench.initiator().run({0x9e, 0x12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0});
  ASSERT_EQ(outcome.data.size(), 24U);
  EXPECT_EQ(outcome.data[20], 0);
}

}  // namespace
}  // namespace lunar::scsi
