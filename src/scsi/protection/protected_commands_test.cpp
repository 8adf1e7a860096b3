// Commands other than READ and WRITE on a medium with protection information.
#include <gtest/gtest.h>

#include "scsi/testing/protected_disk.h"

namespace lunar::scsi {
namespace {

using namespace testing;
using spec::AdditionalSense;
using spec::Opcode;
using spec::SenseKey;
using Numbers = std::vector<std::uint8_t>;

constexpr auto kGuard = AdditionalSense::logical_block_guard_check_failed;
constexpr auto kApplication = AdditionalSense::logical_block_application_tag_check_failed;
constexpr auto kReference = AdditionalSense::logical_block_reference_tag_check_failed;
const Numbers kNothing(8, 0xff);
constexpr std::uint8_t kByteCheck = 0x02;
constexpr std::uint8_t kByteCheckOne = 0x06;

bool failed_at(const Outcome& outcome, AdditionalSense check, std::uint64_t lba) {
  return outcome.is(SenseKey::aborted_command, check) && outcome.sense.information == lba;
}
bool differs_at(const Outcome& outcome, AdditionalSense what, std::uint64_t lba) {
  return outcome.is(SenseKey::miscompare, what) && outcome.sense.information == lba;
}

std::vector<std::byte> twice(std::vector<std::byte> first, const std::vector<std::byte>& second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

// ---- VERIFY

TEST(ProtectedVerify, ChecksTheMedium) {
  ProtectedBench bench(1);
  Initiator& initiator = bench.initiator();
  ASSERT_TRUE(initiator.run(block_cdb(Opcode::write_10, 0, 8), filled(4096, 1)).is_good());
  EXPECT_TRUE(initiator.run(block_cdb(Opcode::verify_10, 0, 16, protect(1))).is_good());
  bench.damage(6);
  EXPECT_TRUE(failed_at(initiator.run(block_cdb(Opcode::verify_10, 0, 8)), kGuard, 6));
  EXPECT_TRUE(failed_at(initiator.run(block_cdb(Opcode::verify_16, 0, 8, protect(4))), kGuard, 6));
  EXPECT_TRUE(initiator.run(block_cdb(Opcode::verify_12, 0, 8, protect(2))).is_good());
  EXPECT_TRUE(initiator.run(block_cdb(Opcode::verify_12, 0, 8, protect(3))).is_good());
  EXPECT_TRUE(initiator.run(block_cdb(Opcode::verify_12, 0, 8, protect(6))).is_invalid_field(1));
}

TEST(ProtectedVerify, ComparesBlocksAndTheirInformation) {
  ProtectedBench bench(1);
  Initiator& initiator = bench.initiator();
  const auto verify = [&](unsigned value, std::uint8_t byte_check,
                          const std::vector<std::byte>& data) {
    const auto flags = static_cast<std::uint8_t>(protect(value) | byte_check);
    return initiator.run(block_cdb(Opcode::verify_10, 60, 8, flags), data);
  };
  const std::vector<std::byte> blocks = with_tags(8, 7, 0x1111, 60);
  ASSERT_TRUE(initiator.run(block_cdb(Opcode::write_10, 60, 8, protect(1)), blocks).is_good());
  EXPECT_TRUE(verify(1, kByteCheck, blocks).is_good());
  EXPECT_TRUE(verify(0, kByteCheck, filled(4096, 7)).is_good());
  // The reference tags of the other blocks follow from that of the one block.
  EXPECT_TRUE(verify(1, kByteCheckOne, with_tags(1, 7, 0x1111, 60)).is_good());
  EXPECT_TRUE(verify(0, kByteCheckOne, filled(512, 7)).is_good());
  EXPECT_TRUE(differs_at(verify(0, kByteCheckOne, filled(512, 8)),
                         AdditionalSense::miscompare_during_verify_operation, 60));
  EXPECT_TRUE(differs_at(verify(3, kByteCheck, with_tags(8, 8, 0x1111, 60)),
                         AdditionalSense::miscompare_during_verify_operation, 60));
  // A guard that does not match its data is an error of the data-out; or, if unchecked, a
  // difference.
  std::vector<std::byte> wrong = blocks;
  wrong[2 * 520 + 512] ^= std::byte{1};
  EXPECT_TRUE(failed_at(verify(1, kByteCheck, wrong), kGuard, 62));
  EXPECT_TRUE(differs_at(verify(3, kByteCheck, wrong), kGuard, 62));
  EXPECT_TRUE(verify(2, kByteCheck, wrong).is_good());
  wrong = blocks;
  wrong[3 * 520 + 519] ^= std::byte{1};
  EXPECT_TRUE(failed_at(verify(5, kByteCheck, wrong), kReference, 63));
  EXPECT_TRUE(differs_at(verify(4, kByteCheck, wrong), kReference, 63));
  // Application tags are compared if the initiator owns them.
  wrong = with_tags(8, 7, 0x1112, 60);
  EXPECT_TRUE(verify(1, kByteCheck, wrong).is_good());
  bench.set_control(true);
  EXPECT_TRUE(differs_at(verify(1, kByteCheck, wrong), kApplication, 60));
}

TEST(ProtectedWriteAndVerify, DoesBoth) {
  ProtectedBench bench(1);
  Initiator& initiator = bench.initiator();
  const std::vector<std::byte> blocks = with_tags(3, 9, 0, 63);
  for (const std::uint8_t check : {std::uint8_t{0}, kByteCheck}) {
    const auto flags = static_cast<std::uint8_t>(protect(1) | check);
    ASSERT_TRUE(
        initiator.run(block_cdb(Opcode::write_and_verify_10, 63, 3, flags), blocks).is_good());
  }
  EXPECT_EQ(initiator.run(block_cdb(Opcode::read_10, 63, 3, protect(1))).data, as_numbers(blocks));
  EXPECT_TRUE(
      initiator.run(block_cdb(Opcode::write_and_verify_16, 63, 3, kByteCheck), filled(1536, 1))
          .is_good());
  std::vector<std::byte> wrong = blocks;
  wrong[512] ^= std::byte{1};
  EXPECT_TRUE(failed_at(
      initiator.run(block_cdb(Opcode::write_and_verify_10, 63, 3, protect(1)), wrong), kGuard, 63));
}

// ---- COMPARE AND WRITE, ORWRITE

TEST(ProtectedCompareAndWrite, ComparesAndWritesTheInformationToo) {
  ProtectedBench bench(1);
  Initiator& initiator = bench.initiator();
  const auto run = [&](std::uint8_t value, const std::vector<std::byte>& data) {
    return initiator.run({0x89, protect(value), 0, 0, 0, 0, 0, 0, 0, 63, 0, 0, 0, 2, 0, 0}, data);
  };
  const auto old = with_tags(2, 1, 0, 63);
  const auto next = with_tags(2, 2, 0x22, 63);
  ASSERT_TRUE(initiator.run(block_cdb(Opcode::write_10, 63, 2), filled(1024, 1)).is_good());
  EXPECT_TRUE(run(1, twice(old, next)).is_good());
  EXPECT_EQ(initiator.run(block_cdb(Opcode::read_10, 63, 2, protect(1))).data, as_numbers(next));
  const Outcome differs = run(1, twice(with_tags(2, 2, 0x23, 63), old));
  EXPECT_TRUE(differs_at(differs, AdditionalSense::miscompare_during_verify_operation, 515));
  EXPECT_TRUE(run(0, twice(filled(1024, 2), filled(1024, 3))).is_good());
  EXPECT_EQ(bench.stored(64)[7], 64);
  EXPECT_TRUE(
      failed_at(run(1, twice(with_tags(2, 3, 0, 63), with_tags(2, 3, 0, 9))), kReference, 63));
  bench.damage(64);
  EXPECT_TRUE(failed_at(run(0, twice(filled(1024, 3), filled(1024, 4))), kGuard, 64));
  EXPECT_TRUE(run(0, filled(1024, 1))
                  .is_illegal(AdditionalSense::invalid_field_in_command_information_unit));
}

TEST(ProtectedOrwrite, MakesTheGuardOfWhatComesOut) {
  ProtectedBench bench(1);
  Initiator& initiator = bench.initiator();
  ASSERT_TRUE(initiator.run(block_cdb(Opcode::write_10, 0, 2), filled(1024, 0x10)).is_good());
  ASSERT_TRUE(
      initiator.run(block_cdb(Opcode::orwrite_16, 0, 2, protect(1)), with_tags(2, 1, 0x77, 0))
          .is_good());
  EXPECT_EQ(bench.stored(1), (Numbers{0x6e, 0x08, 0, 0x77, 0, 0, 0, 1}));
  EXPECT_EQ(initiator.run(block_cdb(Opcode::read_10, 0, 2)).data, Numbers(1024, 0x11));
  ASSERT_TRUE(initiator.run(block_cdb(Opcode::orwrite_16, 0, 1), filled(512, 0x22)).is_good());
  EXPECT_EQ(initiator.run(block_cdb(Opcode::read_10, 0, 1, protect(1))).data,
            as_numbers(with_tags(1, 0x33, 0, 0)));
  bench.damage(1);
  EXPECT_TRUE(
      failed_at(initiator.run(block_cdb(Opcode::orwrite_16, 0, 2), filled(1024, 1)), kGuard, 1));
}

// ---- WRITE SAME, UNMAP

TEST(ProtectedWriteSame, CountsReferenceTags) {
  for (const std::uint8_t type : {std::uint8_t{1}, std::uint8_t{3}}) {
    ProtectedBench bench(type);
    Initiator& initiator = bench.initiator();
    ASSERT_TRUE(initiator
                    .run(block_cdb(Opcode::write_same_10, 60, 130, protect(1)),
                         with_tags(1, 0xff, 0x1234, 60))
                    .is_good());
    const std::uint8_t last = type == 3 ? 60 : 189;
    EXPECT_EQ(bench.stored(60), (Numbers{0xe6, 0xa1, 0x12, 0x34, 0, 0, 0, 60}));
    EXPECT_EQ(bench.stored(189), (Numbers{0xe6, 0xa1, 0x12, 0x34, 0, 0, 0, last}));
    EXPECT_EQ(bench.stored(190), kNothing);
    EXPECT_EQ(initiator.run(block_cdb(Opcode::read_10, 60, 130)).data, Numbers(130UL * 512, 0xff));
    ASSERT_TRUE(
        initiator.run(block_cdb(Opcode::write_same_16, 61, 2), filled(512, 0x11)).is_good());
    EXPECT_TRUE(initiator.run(block_cdb(Opcode::read_10, 60, 4)).is_good());
    ASSERT_TRUE(initiator.run(block_cdb(Opcode::write_same_16, 61, 2), filled(512, 0)).is_good());
    EXPECT_EQ(bench.stored(62)[0], 0);
    EXPECT_EQ(bench.stored(62)[1], 0);
    EXPECT_TRUE(initiator.run(block_cdb(Opcode::read_10, 60, 4)).is_good());
  }
}

TEST(ProtectedWriteSame, ChecksItsBlock) {
  ProtectedBench bench(1);
  std::vector<std::byte> block = with_tags(1, 1, 0, 6);
  EXPECT_TRUE(
      failed_at(bench.initiator().run(block_cdb(Opcode::write_same_10, 5, 3, protect(1)), block),
                kReference, 5));
  EXPECT_TRUE(bench.initiator()
                  .run(block_cdb(Opcode::write_same_10, 5, 3, protect(1)), filled(512, 0))
                  .is_illegal(AdditionalSense::invalid_field_in_command_information_unit));
  EXPECT_TRUE(bench.initiator()
                  .run(block_cdb(Opcode::write_same_10, 5, 3), block)
                  .is_illegal(AdditionalSense::invalid_field_in_command_information_unit));
}

TEST(ProtectedWriteSame, OfZeroesWithoutDataSaysNothingOfThem) {
  ProtectedBench bench(1);
  Initiator& initiator = bench.initiator();
  constexpr std::uint8_t kUnmap = 0x08;
  constexpr std::uint8_t kNdob = 0x01;
  for (const std::uint8_t flags : {kUnmap, kNdob}) {
    ASSERT_TRUE(
        initiator.run(block_cdb(Opcode::write_10, 0, 200), filled(200UL * 512, 1)).is_good());
    const std::vector<std::byte> data = flags == kNdob ? filled(0, 0) : filled(512, 0);
    ASSERT_TRUE(initiator.run(block_cdb(Opcode::write_same_16, 3, 190, flags), data).is_good());
    EXPECT_EQ(bench.stored(2)[7], 2);
    EXPECT_EQ(bench.stored(3), kNothing);
    EXPECT_EQ(bench.stored(100), kNothing);
    EXPECT_EQ(bench.stored(192), kNothing);
    EXPECT_EQ(bench.stored(193)[7], 193);
    EXPECT_EQ(initiator.run(block_cdb(Opcode::read_10, 3, 190)).data, Numbers(190UL * 512, 0));
    EXPECT_TRUE(initiator.run(block_cdb(Opcode::read_10, 0, 200)).is_good());
  }
}

TEST(ProtectedUnmap, SaysNothingOfWhatItFreed) {
  ProtectedBench bench(1);
  Initiator& initiator = bench.initiator();
  ASSERT_TRUE(initiator.run(block_cdb(Opcode::write_10, 0, 300), filled(300UL * 512, 1)).is_good());
  std::vector<std::byte> list(8 + 32);
  list[1] = std::byte{38};
  list[3] = std::byte{32};
  list[15] = std::byte{1};
  list[19] = std::byte{1};   // block 1
  list[31] = std::byte{64};  // 64 to 255
  list[35] = std::byte{192};
  ASSERT_TRUE(initiator.run({0x42, 0, 0, 0, 0, 0, 0, 0, 40, 0}, list).is_good());
  EXPECT_EQ(bench.stored(0)[7], 0);
  EXPECT_EQ(bench.stored(1), kNothing);
  EXPECT_EQ(bench.stored(2)[7], 2);
  EXPECT_EQ(bench.stored(63)[7], 63);
  EXPECT_EQ(bench.stored(64), kNothing);
  EXPECT_EQ(bench.stored(255), kNothing);
  EXPECT_EQ(bench.stored(256), (Numbers{bench.stored(2)[0], bench.stored(2)[1], 0, 0, 0, 0, 1, 0}));
  EXPECT_TRUE(initiator.run(block_cdb(Opcode::read_10, 0, 300)).is_good());
}

TEST(LongBlockCommands, VerifyAndWriteSame) {
  ProtectedBench bench(2);
  Initiator& initiator = bench.initiator();
  ASSERT_TRUE(
      initiator.run(long_cdb(13, 10, 4, protect(1), 500), with_tags(1, 0xff, 1, 500)).is_good());
  EXPECT_EQ(bench.stored(13), (Numbers{0xe6, 0xa1, 0, 1, 0, 0, 0x01, 0xf7}));
  EXPECT_TRUE(initiator.run(long_cdb(10, 10, 4, protect(1), 500)).is_good());
  EXPECT_TRUE(failed_at(initiator.run(long_cdb(10, 10, 4, protect(1), 501)), kReference, 10));
  EXPECT_TRUE(initiator
                  .run(long_cdb(10, 10, 4, static_cast<std::uint8_t>(protect(1) | kByteCheck), 500),
                       with_tags(4, 0xff, 1, 500))
                  .is_good());
  EXPECT_TRUE(initiator.run(long_cdb(10, 10, 4, 4, 500)).is_invalid_field(10));
  EXPECT_TRUE(initiator
                  .run(long_cdb(12, 20, 2, static_cast<std::uint8_t>(protect(1) | kByteCheck), 7),
                       with_tags(2, 3, 1, 7))
                  .is_good());
  EXPECT_TRUE(initiator.run(long_cdb(13, 10, 4, 0x01, 0)).is_good());  // NDOB
  EXPECT_EQ(bench.stored(13), kNothing);
}

// ---- What the unit reports about itself

TEST(ProtectedUnit, TellsItsType) {
  for (std::uint8_t type = 1; type <= 3; ++type) {
    ProtectedBench bench(type);
    Initiator& initiator = bench.initiator();
    const Outcome capacity = initiator.run({0x9e, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 32, 0, 0});
    EXPECT_EQ(capacity.data[12], ((type - 1) << 1) | 1);
    EXPECT_EQ(capacity.data[13] >> 4, 0);
    EXPECT_EQ(initiator.run({0x12, 0, 0, 0, 96, 0}).data[5] & 1, 1);
    EXPECT_EQ(initiator.run({0x12, 1, 0x86, 0, 64, 0}).data[4], 0x3f);
    // ATO and DPICZ can be changed.
    const Outcome changeable = initiator.run({0x1a, 8, 0x4a, 0, 255, 0});
    EXPECT_EQ(changeable.data[4 + 2] & 0x08, 0x08);
    EXPECT_EQ(changeable.data[4 + 5] & 0x80, 0x80);
  }
  Bench plain;
  plain.initiator().clear_attention();
  EXPECT_EQ(plain.initiator().run({0x12, 0, 0, 0, 96, 0}).data[5] & 1, 0);
  EXPECT_EQ(plain.initiator().run({0x12, 1, 0x86, 0, 64, 0}).data[4], 0);
}

// ---- FORMAT UNIT

class ProtectedFormat : public ::testing::Test {
 protected:
  static Outcome format(Bench& bench, std::uint8_t fmtpinfo, std::uint8_t usage,
                        bool with_list = true) {
    const auto flags = static_cast<std::uint8_t>((fmtpinfo << 6) | (with_list ? 0x10 : 0));
    std::vector<std::byte> list;
    if (with_list) list.resize(4);
    if (with_list) list[0] = std::byte{usage};
    Outcome outcome = bench.initiator().run({0x04, flags, 0, 0, 0, 0}, list);
    bench.initiator().clear_attention();  // CAPACITY DATA HAS CHANGED
    return outcome;
  }
  static std::uint8_t told(Bench& bench) {
    return bench.initiator().run({0x9e, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 32, 0, 0}).data[12];
  }
};

TEST_F(ProtectedFormat, ChangesTheType) {
  ProtectedBench bench(1);
  Initiator& initiator = bench.initiator();
  ASSERT_TRUE(initiator.run(block_cdb(Opcode::write_10, 7, 1), filled(512, 1)).is_good());
  ASSERT_TRUE(format(bench, 3, 1).is_good());
  EXPECT_EQ(told(bench), 0x05);
  EXPECT_EQ(bench.stored(7), kNothing);
  ASSERT_TRUE(format(bench, 3, 0).is_good());
  EXPECT_EQ(told(bench), 0x03);
  EXPECT_TRUE(initiator.run(long_cdb(9, 0, 1, protect(1), 0)).is_good());
  ASSERT_TRUE(format(bench, 0, 0, false).is_good());
  EXPECT_EQ(told(bench), 0x00);
  EXPECT_TRUE(initiator.run(block_cdb(Opcode::read_10, 0, 1, protect(1))).is_invalid_field(1));
  ASSERT_TRUE(initiator.run(block_cdb(Opcode::write_10, 7, 1), filled(512, 2)).is_good());
  EXPECT_EQ(bench.stored(7), kNothing);
  EXPECT_EQ(initiator.run({0x12, 0, 0, 0, 96, 0}).data[5] & 1, 1) << "it could be formatted so";
  ASSERT_TRUE(format(bench, 2, 0).is_good());
  EXPECT_EQ(told(bench), 0x01);
  EXPECT_EQ(initiator.run(block_cdb(Opcode::read_10, 7, 1)).data, Numbers(512, 0));
}

TEST_F(ProtectedFormat, CommandsThatWaitedMeetTheNewType) {
  ProtectedBench bench(1);
  Initiator& initiator = bench.initiator();
  const auto formatting = initiator.start({0x04, 0, 0, 0, 0, 0}, {}, 0, TaskAttribute::ordered);
  const auto write = initiator.start(block_cdb(Opcode::write_10, 0, 1, protect(1)),
                                     with_tags(1, 1, 0, 0), 0, TaskAttribute::ordered);
  EXPECT_TRUE(initiator.finish(*formatting).is_good());
  EXPECT_TRUE(initiator.finish(*write).is_attention(AdditionalSense::capacity_data_has_changed));
  initiator.clear_attention();
  EXPECT_EQ(told(bench), 0);
}

TEST_F(ProtectedFormat, RefusesCombinationsThatAreNone) {
  ProtectedBench bench(1);
  const auto bad_list = [](const Outcome& outcome) {
    return outcome.is_illegal(AdditionalSense::invalid_field_in_parameter_list);
  };
  EXPECT_TRUE(bad_list(format(bench, 0, 1)));
  EXPECT_TRUE(format(bench, 1, 0).is_invalid_field(1));
  EXPECT_TRUE(format(bench, 1, 0, false).is_invalid_field(1));
  EXPECT_TRUE(bad_list(format(bench, 2, 1)));
  EXPECT_TRUE(bad_list(format(bench, 3, 2)));
  EXPECT_EQ(told(bench), 0x01);
  Bench plain;
  plain.initiator().clear_attention();
  EXPECT_TRUE(format(plain, 2, 0).is_invalid_field(1));
  EXPECT_TRUE(bad_list(format(plain, 0, 1)));
}

TEST_F(ProtectedFormat, OutlivesTheProcess) {
  auto device = FakeDevice::with_protection(2048, 1);
  std::vector<std::byte> area;
  {
    ProtectedBench bench(1);
    ASSERT_TRUE(format(bench, 3, 1).is_good());
    area = bench.device().protection_area->medium;
  }
  device->protection_area->medium = area;
  Bench again(std::move(device), {}, 1, Bench::full());
  again.initiator().clear_attention();
  EXPECT_EQ(told(again), 0x05);
}

TEST(MediumOperationRecord, HasTheProtectionType) {
  MediumOperationPlan plan;
  plan.protection = spec::ProtectionType::type_3;
  plan.pattern = {std::byte{0xab}};
  const auto parsed = medium_operation_of(to_record(plan));
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->protection, spec::ProtectionType::type_3);
  EXPECT_EQ(parsed->pattern, plan.pattern);
  plan.protection.reset();
  state::Record record = to_record(plan);
  EXPECT_EQ(medium_operation_of(record)->protection, std::nullopt);
  record.entries[0].set_number("protection", 4);
  EXPECT_FALSE(medium_operation_of(record));
}

// ---- The format stored on the medium

TEST(ProtectionArea, RefusesAMediumOfAnotherType) {
  engine::sim::World world(1, 1);
  auto device = FakeDevice::with_protection(64, 1);
  block::DeviceStatistics statistics(1);
  const auto load = [&](spec::ProtectionType wanted, std::uint32_t block_bytes,
                        bool marked = false) {
    std::optional<Result<ProtectionFormat>> loaded;
    const auto run = [&]() -> engine::Task<void> {
      auto area = *ProtectionArea::open(*device->protection_area, world.shard(0), statistics);
      auto loading = area->load_format(wanted, block_bytes, marked);
      loaded = co_await loading;
      co_await area->front().stop();
    };
    world.run(run);
    return *loaded;
  };
  // A medium whose format was lost is not treated as new.
  const auto zeroed = load(spec::ProtectionType::type_2, 512, true);
  EXPECT_EQ(zeroed.error().code, ErrorCode::malformed);
  EXPECT_NE(zeroed.error().message.find("zeroed: restore it, or remove it"), std::string::npos);
  std::ranges::copy(as_bytes(block::kProtectionAreaMark), device->protection_area->medium.begin());
  EXPECT_EQ(load(spec::ProtectionType::type_2, 512, true)->now, spec::ProtectionType::type_2);
  EXPECT_EQ(load(spec::ProtectionType::type_2, 512, true)->made, spec::ProtectionType::type_2);
  std::ranges::fill(device->protection_area->medium, std::byte{0});
  EXPECT_EQ(load(spec::ProtectionType::type_2, 512)->now, spec::ProtectionType::type_2);
  EXPECT_EQ(load(spec::ProtectionType::type_2, 512)->made, spec::ProtectionType::type_2);
  EXPECT_EQ(load(spec::ProtectionType::type_1, 512).error().code, ErrorCode::invalid_argument);
  EXPECT_EQ(load(spec::ProtectionType::type_2, 4096).error().code, ErrorCode::invalid_argument);
  device->protection_area->medium[0] = std::byte{'x'};
  EXPECT_EQ(load(spec::ProtectionType::type_2, 512).error().code, ErrorCode::malformed);
}

}  // namespace
}  // namespace lunar::scsi
