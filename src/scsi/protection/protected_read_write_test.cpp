#include <gtest/gtest.h>

#include "scsi/protection/protection.h"
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

bool failed_at(const Outcome& outcome, AdditionalSense check, std::uint64_t lba) {
  return outcome.is(SenseKey::aborted_command, check) && outcome.sense.information == lba &&
         outcome.data.empty();
}

TEST(ProtectedRead, SaysNothingOfBlocksThatWereNeverWritten) {
  ProtectedBench bench(1);
  Outcome read = bench.initiator().run(block_cdb(Opcode::read_10, 100, 2));
  EXPECT_TRUE(read.is_good());
  EXPECT_EQ(read.data, Numbers(1024, 0));
  read = bench.initiator().run(block_cdb(Opcode::read_16, 100, 2, protect(1)));
  EXPECT_TRUE(read.is_good());
  Numbers block(512, 0);
  block.insert(block.end(), kNothing.begin(), kNothing.end());
  Numbers two = block;
  two.insert(two.end(), block.begin(), block.end());
  EXPECT_EQ(read.data, two);
}

TEST(ProtectedWrite, MakesTheInformationThatDidNotCome) {
  ProtectedBench bench(1);
  // Across the end of a block of the area. Neighbouring entries must not change.
  ASSERT_TRUE(
      bench.initiator().run(block_cdb(Opcode::write_10, 62, 4), filled(4 * 512, 0xff)).is_good());
  EXPECT_EQ(bench.stored(61), kNothing);
  EXPECT_EQ(bench.stored(62), (Numbers{0xe6, 0xa1, 0, 0, 0, 0, 0, 62}));
  EXPECT_EQ(bench.stored(65), (Numbers{0xe6, 0xa1, 0, 0, 0, 0, 0, 65}));
  EXPECT_EQ(bench.stored(66), kNothing);
  ASSERT_TRUE(
      bench.initiator().run(block_cdb(Opcode::write_6, 63, 1), filled(512, 0x11)).is_good());
  EXPECT_EQ(bench.stored(63), (Numbers{0x6e, 0x08, 0, 0, 0, 0, 0, 63}));
  EXPECT_EQ(bench.stored(62), (Numbers{0xe6, 0xa1, 0, 0, 0, 0, 0, 62}));
  const Outcome read = bench.initiator().run(block_cdb(Opcode::read_10, 62, 1, protect(1)));
  EXPECT_EQ(read.data, as_numbers(with_tags(1, 0xff, 0, 62)));
}

TEST(ProtectedWrite, KeepsTheInformationThatCame) {
  for (const std::uint8_t type : {std::uint8_t{1}, std::uint8_t{3}}) {
    ProtectedBench bench(type);
    const std::vector<std::byte> blocks = with_tags(130, 0x22, 0x1234, 60);
    ASSERT_TRUE(
        bench.initiator().run(block_cdb(Opcode::write_12, 60, 130, protect(1)), blocks).is_good());
    EXPECT_EQ(bench.stored(60), (Numbers{0xdc, 0x10, 0x12, 0x34, 0, 0, 0, 60}));
    EXPECT_EQ(bench.stored(189), (Numbers{0xdc, 0x10, 0x12, 0x34, 0, 0, 0, 189}));
    const Outcome with = bench.initiator().run(block_cdb(Opcode::read_12, 60, 130, protect(1)));
    EXPECT_EQ(with.data, as_numbers(blocks));
    const Outcome without = bench.initiator().run(block_cdb(Opcode::read_12, 60, 130));
    EXPECT_EQ(without.data, Numbers(130UL * 512, 0x22));
  }
}

TEST(ProtectedWrite, ChecksWhatCameBeforeItWrites) {
  ProtectedBench bench(1);
  for (unsigned value = 0; value < 8; ++value) {
    for (const AdditionalSense fault : {kGuard, kReference}) {
      std::vector<std::byte> blocks = with_tags(3, 0x22, 0, 10);
      const std::size_t field = fault == kGuard ? 512 : 512 + 7;
      blocks[2 * 520 + field] ^= std::byte{1};
      const Outcome outcome =
          bench.initiator().run(block_cdb(Opcode::write_10, 10, 3, protect(value)), blocks);
      const bool checked = value == 1 || value == 5 || (value == 2 && fault == kReference) ||
                           (value == 4 && fault == kGuard);
      if (value > 5) {
        EXPECT_TRUE(outcome.is_invalid_field(1)) << value;
      } else if (checked) {
        EXPECT_TRUE(failed_at(outcome, fault, 12)) << value;
        EXPECT_EQ(bench.stored(10), kNothing) << value;
      } else {
        EXPECT_TRUE(outcome.is_good()) << value;
      }
      (void)bench.initiator().run({0x42, 0, 0, 0, 0, 0, 0, 0, 24, 0}, [] {
        std::vector<std::byte> list(24);
        list[1] = std::byte{22};
        list[3] = std::byte{16};
        list[15] = std::byte{10};
        list[19] = std::byte{3};
        return list;
      }());
    }
  }
}

TEST(ProtectedRead, ChecksWhatIsOnTheMedium) {
  for (unsigned value = 0; value <= spec::kMaxProtectField; ++value) {
    ProtectedBench bench(1);
    ASSERT_TRUE(
        bench.initiator().run(block_cdb(Opcode::write_10, 0, 8), filled(8 * 512, 0x33)).is_good());
    bench.damage(5);
    const Outcome guard = bench.initiator().run(block_cdb(Opcode::read_10, 0, 8, protect(value)));
    const bool guarded = checks_of(static_cast<std::uint8_t>(value)).guard;
    if (guarded) {
      EXPECT_TRUE(failed_at(guard, kGuard, 5)) << value;
    } else {
      EXPECT_TRUE(guard.is_good()) << value;
      EXPECT_EQ(guard.data.size(), 8U * 520) << value;
    }
    // Differs from the LBA.
    const std::vector<std::byte> block = with_tags(1, 0x33, 0, 99);
    ASSERT_TRUE(
        bench.initiator().run(block_cdb(Opcode::write_10, 3, 1, protect(3)), block).is_good());
    const Outcome reference =
        bench.initiator().run(block_cdb(Opcode::read_10, 2, 2, protect(value)));
    if (checks_of(static_cast<std::uint8_t>(value)).reference_tag) {
      EXPECT_TRUE(failed_at(reference, kReference, 3)) << value;
    } else {
      EXPECT_TRUE(reference.is_good()) << value;
    }
  }
}

TEST(ProtectedRead, LooksAgainWhenAWriteWasUnderWay) {
  ProtectedBench bench(1);
  Initiator& initiator = bench.initiator();
  ASSERT_TRUE(initiator.run(block_cdb(Opcode::write_10, 0, 1), filled(512, 0x11)).is_good());
  // The write's data are on the medium, its information is not yet.
  bench.device().protection_area->hold = true;
  const auto write = initiator.start(block_cdb(Opcode::write_10, 0, 1), filled(512, 0x22));
  bench.world().run_until([&] { return bench.device().protection_area->held.size() == 1; });
  bench.device().protection_area->release_one(0);  // what its neighbours have
  bench.world().run_until([&] { return bench.device().protection_area->held.size() == 1; });
  const auto read = initiator.start(block_cdb(Opcode::read_10, 0, 1));
  bench.world().run_until([&] { return bench.device().protection_area->held.size() == 2; });
  bench.device().protection_area->release_one(1);  // new data, old information
  bench.world().run_for(engine::kMillisecond);
  EXPECT_FALSE(read->outcome);
  bench.device().protection_area->release();
  EXPECT_TRUE(initiator.finish(*write).is_good());
  const Outcome outcome = initiator.finish(*read);
  EXPECT_TRUE(outcome.is_good());
  EXPECT_EQ(outcome.data, Numbers(512, 0x22));
}

TEST(ProtectedWrite, HasItsInformationOnTheMediumAlsoWhenAborted) {
  ProtectedBench bench(1);
  Initiator& initiator = bench.initiator();
  bench.device().hold = true;
  const auto write = initiator.start(block_cdb(Opcode::write_10, 7, 1), filled(512, 0xff));
  bench.world().run_until([&] { return bench.device().held.size() == 1; });
  // The medium is about to complete it.
  block::Request* const request = bench.device().held[0];
  bench.device().held.clear();
  initiator.server().abort(*write);
  std::memset(&bench.device().medium[7 * 512], 0xff, 512);
  bench.device().hold = false;
  request->complete(block::Status::ok);
  (void)initiator.finish(*write);
  EXPECT_TRUE(write->aborted);
  EXPECT_EQ(bench.stored(7), (Numbers{0xe6, 0xa1, 0, 0, 0, 0, 0, 7}));
}

TEST(ProtectedUnit, ServesTheLargestTransferFromTheReserveAlone) {
  ProtectedBench bench(1, 20000);
  Initiator& initiator = bench.initiator();
  const std::vector<std::byte> blocks = with_tags(8192, 0x44, 0, 5);
  ASSERT_TRUE(initiator.run(block_cdb(Opcode::write_10, 5, 8192, protect(1)), blocks).is_good());
  const Outcome read = initiator.run(block_cdb(Opcode::read_10, 5, 8192, protect(1)));
  EXPECT_TRUE(read.data == as_numbers(blocks));
  EXPECT_TRUE(initiator.run(block_cdb(Opcode::read_10, 5, 8193)).is_invalid_field(7));
  // The pool has memory left for the data-in of one READ only.
  engine::BufferPool& pool = bench.world().shard(0).buffers();
  std::vector<engine::Buffer> taken;
  while (engine::Buffer buffer = pool.try_allocate(engine::kMaxBufferBytes))
    taken.push_back(std::move(buffer));
  ASSERT_TRUE(
      initiator.run(block_cdb(Opcode::write_10, 6, 8192), filled(8192UL * 512, 0x55)).is_good());
  taken.pop_back();
  const Outcome again = initiator.run(block_cdb(Opcode::read_10, 6, 8192, protect(1)));
  EXPECT_TRUE(again.is_good());
  EXPECT_TRUE(again.data == as_numbers(with_tags(8192, 0x55, 0, 6)));
}

TEST(ProtectedUnit, TakesBlocksOf4096Bytes) {
  ProtectedBench bench(1, 512, {}, 1, Bench::full(), 4096);
  const std::vector<std::byte> blocks = with_tags(3, 0x66, 0x77, 100, 4096);
  ASSERT_TRUE(
      bench.initiator().run(block_cdb(Opcode::write_16, 100, 3, protect(1)), blocks).is_good());
  const Outcome read = bench.initiator().run(block_cdb(Opcode::read_16, 100, 3, protect(5)));
  EXPECT_EQ(read.data, as_numbers(blocks));
}

TEST(ProtectedUnit, RefusesTransfersOfInformationBut32BytesInType2) {
  ProtectedBench bench(2);
  for (const auto opcode : {Opcode::read_10, Opcode::read_12, Opcode::read_16, Opcode::write_10,
                            Opcode::verify_16, Opcode::write_same_16, Opcode::orwrite_16}) {
    const Outcome outcome =
        bench.initiator().run(block_cdb(opcode, 0, 1, protect(1)), filled(520, 0));
    EXPECT_TRUE(outcome.is_illegal(AdditionalSense::invalid_command_operation_code))
        << to_text(opcode);
  }
  EXPECT_TRUE(bench.initiator().run(block_cdb(Opcode::write_10, 0, 1), filled(512, 1)).is_good());
  EXPECT_TRUE(bench.initiator().run(block_cdb(Opcode::read_10, 0, 1)).is_good());
}

TEST(LongBlockCommands, CarryTheTagsThatTheyExpect) {
  ProtectedBench bench(2);
  Initiator& initiator = bench.initiator();
  constexpr std::uint16_t kRead = 9;
  constexpr std::uint16_t kWrite = 11;
  bench.set_control(true);
  const std::vector<std::byte> blocks = with_tags(2, 0x22, 0x5678, 1000);
  EXPECT_TRUE(
      failed_at(initiator.run(long_cdb(kWrite, 20, 2, protect(1), 999), blocks), kReference, 20));
  EXPECT_TRUE(
      failed_at(initiator.run(long_cdb(kWrite, 20, 2, protect(1), 1000, 0x0078, 0xffff), blocks),
                kApplication, 20));
  ASSERT_TRUE(
      initiator.run(long_cdb(kWrite, 20, 2, protect(1), 1000, 0x0078, 0x00ff), blocks).is_good());
  EXPECT_EQ(bench.stored(21), (Numbers{0xdc, 0x10, 0x56, 0x78, 0, 0, 0x03, 0xe9}));
  EXPECT_EQ(initiator.run(long_cdb(kRead, 20, 2, protect(1), 1000, 0x5600, 0xff00)).data,
            as_numbers(blocks));
  EXPECT_TRUE(failed_at(initiator.run(long_cdb(kRead, 21, 1, protect(1), 1000)), kReference, 21));
  // The medium is checked even if no information is transferred.
  EXPECT_TRUE(failed_at(initiator.run(long_cdb(kRead, 21, 1, 0, 1000)), kReference, 21));
  EXPECT_EQ(initiator.run(long_cdb(kRead, 21, 1, 0, 1001)).data, Numbers(512, 0x22));
  EXPECT_TRUE(
      failed_at(initiator.run(long_cdb(kRead, 20, 2, protect(2), 1000, 1, 1)), kApplication, 20));
  // An initiator that does not own the application tags sends none.
  bench.set_control(false);
  EXPECT_TRUE(initiator.run(long_cdb(kRead, 20, 2, protect(2), 1000, 1, 1)).is_good());
  EXPECT_TRUE(initiator.run(long_cdb(kRead, 20, 2, protect(6), 1000)).is_invalid_field(10));
}

TEST(LongBlockCommands, AreThereWithType2Only) {
  for (const std::uint8_t type : {std::uint8_t{1}, std::uint8_t{3}}) {
    ProtectedBench bench(type);
    EXPECT_TRUE(bench.initiator()
                    .run(long_cdb(9, 0, 1, 0, 0))
                    .is_illegal(AdditionalSense::invalid_command_operation_code));
  }
  Bench plain;
  plain.initiator().clear_attention();
  for (std::uint16_t action = 9; action <= 13; ++action) {
    EXPECT_TRUE(plain.initiator()
                    .run(long_cdb(action, 0, 1, 0, 0), filled(512, 0))
                    .is_illegal(AdditionalSense::invalid_command_operation_code));
  }
}

TEST(ControlModePage, TurnsChecksOffWithDpicz) {
  ProtectedBench bench(1);
  ASSERT_TRUE(bench.initiator().run(block_cdb(Opcode::write_10, 0, 1), filled(512, 1)).is_good());
  bench.damage(0);
  EXPECT_TRUE(failed_at(bench.initiator().run(block_cdb(Opcode::read_10, 0, 1)), kGuard, 0));
  bench.set_control(false, true);
  EXPECT_TRUE(bench.initiator().run(block_cdb(Opcode::read_10, 0, 1)).is_good());
  EXPECT_TRUE(
      failed_at(bench.initiator().run(block_cdb(Opcode::read_10, 0, 1, protect(1))), kGuard, 0));
}

TEST(ControlModePage, GivesTheApplicationTagsToInitiatorsWithAto) {
  ProtectedBench bench(1);
  bench.set_control(true);
  ASSERT_TRUE(
      bench.initiator().run(block_cdb(Opcode::write_10, 0, 1), filled(512, 0xff)).is_good());
  EXPECT_EQ(bench.stored(0), (Numbers{0xe6, 0xa1, 0xff, 0xff, 0, 0, 0, 0}));
}

}  // namespace
}  // namespace lunar::scsi
