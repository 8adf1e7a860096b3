#include <gtest/gtest.h>

#include "scsi/testing/bench.h"

namespace lunar::scsi {
namespace {

using namespace testing;
using spec::AdditionalSense;
using spec::Opcode;
using spec::SenseKey;

std::vector<std::uint8_t> compare_and_write_cdb(std::uint8_t lba, std::uint8_t blocks,
                                                std::uint8_t flags = 0) {
  return {0x89, flags, 0, 0, 0, 0, 0, 0, 0, lba, 0, 0, 0, blocks, 0, 0};
}

std::vector<std::uint8_t> write_atomic_cdb(std::uint8_t lba, std::uint8_t blocks) {
  return {0x9c, 0, 0, 0, 0, 0, 0, 0, 0, lba, 0, 0, 0, blocks, 0, 0};
}

// `blocks` of `old_value` followed by as many of `new_value`.
std::vector<std::byte> two_halves(std::size_t blocks, std::uint8_t old_value,
                                  std::uint8_t new_value) {
  std::vector<std::byte> data = filled(2 * blocks * 512, old_value);
  std::fill(data.begin() + static_cast<std::ptrdiff_t>(blocks * 512), data.end(),
            std::byte{new_value});
  return data;
}

class ExclusiveWrites : public ::testing::Test {
 protected:
  static constexpr std::size_t kShards = 2;

  ExclusiveWrites() {
    bench.initiator().clear_attention();
    far.clear_attention();
  }
  [[nodiscard]] int at(std::size_t block) {
    return std::to_integer<int>(bench.device().medium[block * 512]);
  }
  static engine::Task<void> reset(Initiator& by, bool& ended) {
    co_await by.server().logical_unit_reset(by.nexus(), lun_field(0));
    ended = true;
  }
  void settle() {
    bench.world().run_until([] { return false; });
  }

  Bench bench{1024, {}, kShards};
  Initiator far{bench, 1, "iqn.2026-11.test:two"};
};

TEST_F(ExclusiveWrites, CompareAndWriteWritesWhatComparesEqual) {
  EXPECT_TRUE(bench.initiator().run(compare_and_write_cdb(4, 3), two_halves(3, 0, 0x11)).is_good());
  EXPECT_EQ(at(3), 0);
  EXPECT_EQ(at(4), 0x11);
  EXPECT_EQ(at(6), 0x11);
  EXPECT_EQ(at(7), 0);
  EXPECT_TRUE(far.run(compare_and_write_cdb(4, 3), two_halves(3, 0x11, 0x12)).is_good());
  EXPECT_EQ(at(6), 0x12);
}

TEST_F(ExclusiveWrites, CompareAndWriteTellsTheOffsetOfTheFirstDifference) {
  bench.device().medium[5 * 512 + 100] = std::byte{1};
  const Outcome outcome =
      bench.initiator().run(compare_and_write_cdb(4, 3), two_halves(3, 0, 0x11));
  EXPECT_TRUE(
      outcome.is(SenseKey::miscompare, AdditionalSense::miscompare_during_verify_operation));
  EXPECT_EQ(outcome.sense.information, 612U);
  EXPECT_EQ(at(4), 0) << "nothing is written";
}

TEST_F(ExclusiveWrites, CompareAndWriteObeysFua) {
  block::Capabilities cached = Bench::full();
  cached.volatile_cache = true;
  cached.fua = true;
  Bench with_cache(1024, {}, 1, 512, cached);
  with_cache.initiator().clear_attention();
  with_cache.device().calls.clear();
  EXPECT_TRUE(
      with_cache.initiator().run(compare_and_write_cdb(0, 1, 0x08), two_halves(1, 0, 1)).is_good());
  ASSERT_FALSE(with_cache.device().calls.empty());
  EXPECT_EQ(with_cache.device().calls.back().op, block::Op::write);
  EXPECT_EQ(with_cache.device().calls.back().flags, block::kFua);
}

TEST_F(ExclusiveWrites, CompareAndWriteKeepsItsLimits) {
  Initiator& one = bench.initiator();
  EXPECT_TRUE(one.run(compare_and_write_cdb(0, 0)).is_good());
  EXPECT_TRUE(one.run(compare_and_write_cdb(0, kMaxCompareAndWriteBlocks), two_halves(128, 0, 1))
                  .is_good());
  EXPECT_TRUE(
      one.run(compare_and_write_cdb(0, kMaxCompareAndWriteBlocks + 1), two_halves(129, 1, 2))
          .is_invalid_field(13));
  std::vector<std::uint8_t> beyond = compare_and_write_cdb(0xff, 2);
  beyond[8] = 3;
  EXPECT_TRUE(one.run(beyond, two_halves(2, 0, 1)).is_illegal(AdditionalSense::lba_out_of_range));
  const auto wrong = AdditionalSense::invalid_field_in_command_information_unit;
  EXPECT_TRUE(one.run(compare_and_write_cdb(0, 2), two_halves(1, 0, 1)).is_illegal(wrong));
  EXPECT_TRUE(one.run(compare_and_write_cdb(0, 2), two_halves(3, 0, 1)).is_illegal(wrong));
  EXPECT_TRUE(one.run(compare_and_write_cdb(0, 0), two_halves(1, 0, 1)).is_invalid_field(13));
  EXPECT_TRUE(one.run(compare_and_write_cdb(0, 1, 0x20), two_halves(1, 0, 1)).is_invalid_field(1));
}

TEST_F(ExclusiveWrites, NoWriteOfAnotherShardComesBetween) {
  bench.device().hold = true;
  const auto command = bench.initiator().start(compare_and_write_cdb(4, 1), two_halves(1, 0, 0x11));
  settle();
  ASSERT_EQ(bench.device().held.size(), 1U) << "it reads";
  const auto write = far.start(block_cdb(Opcode::write_10, 4, 1), filled(512, 0x22));
  const auto apart = far.start(block_cdb(Opcode::write_10, 5, 1), filled(512, 0x33));
  const auto read = far.start(block_cdb(Opcode::read_10, 4, 1));
  settle();
  EXPECT_EQ(bench.device().held.size(), 3U) << "the overlapping write waits";
  bench.device().release();
  EXPECT_TRUE(bench.initiator().finish(*command).is_good()) << "the write came later";
  EXPECT_TRUE(far.finish(*write).is_good());
  EXPECT_TRUE(far.finish(*apart).is_good());
  EXPECT_TRUE(far.finish(*read).is_good());
  EXPECT_EQ(at(4), 0x22);
}

TEST_F(ExclusiveWrites, WaitsForWritesThatWereThereBefore) {
  bench.device().hold = true;
  const auto write = far.start(block_cdb(Opcode::write_10, 4, 1), filled(512, 0x22));
  const auto command =
      bench.initiator().start(compare_and_write_cdb(4, 1), two_halves(1, 0x22, 0x11));
  settle();
  EXPECT_EQ(bench.device().held.size(), 1U);
  bench.device().release();
  EXPECT_TRUE(bench.initiator().finish(*command).is_good());
  EXPECT_EQ(at(4), 0x11);
  EXPECT_TRUE(far.finish(*write).is_good());
}

TEST_F(ExclusiveWrites, AnAbortedOneLeavesNothingLocked) {
  bench.device().hold = true;
  const auto running = bench.initiator().start(compare_and_write_cdb(4, 1), two_halves(1, 0, 0x11));
  const auto waiting = far.start(compare_and_write_cdb(4, 1), two_halves(1, 0, 0x22));
  const auto parked = far.start(block_cdb(Opcode::write_10, 4, 1), filled(512, 0x33));
  settle();
  for (TestCommand* command : {waiting.get(), parked.get()}) {
    engine::Shard::bind(&bench.world().shard(1));
    far.server().abort(*command);
  }
  EXPECT_TRUE(far.finish(*parked).aborted);
  engine::Shard::bind(&bench.world().shard(0));
  bench.initiator().server().abort(*running);
  EXPECT_TRUE(bench.initiator().finish(*running).aborted);
  EXPECT_TRUE(far.finish(*waiting).aborted);
  bench.device().hold = false;
  EXPECT_TRUE(far.run(block_cdb(Opcode::write_10, 4, 1), filled(512, 0x44)).is_good());
  EXPECT_EQ(at(4), 0x44);
  EXPECT_TRUE(far.run(compare_and_write_cdb(4, 1), two_halves(1, 0x44, 0x55)).is_good());
}

TEST_F(ExclusiveWrites, AResetEndsThemOnEveryShard) {
  bench.device().hold = true;
  const auto running = bench.initiator().start(compare_and_write_cdb(4, 1), two_halves(1, 0, 0x11));
  const auto waiting = far.start(compare_and_write_cdb(4, 1), two_halves(1, 0, 0x22));
  settle();
  bool done = false;
  engine::Shard::bind(&bench.world().shard(1));
  reset(far, done).detach();
  bench.world().run_until([&] { return done; });
  EXPECT_TRUE(done);
  EXPECT_TRUE(running->outcome && running->outcome->aborted);
  EXPECT_TRUE(waiting->outcome && waiting->outcome->aborted);
  EXPECT_EQ(at(4), 0);
}

// Writes whose data arrive in the medium's own memory.
class WindowedWrites : public ExclusiveWrites {
 protected:
  WindowedWrites() { bench.device().the_capabilities.write_window = true; }

  // The first half of its data has arrived.
  std::unique_ptr<TestCommand> half_write(std::uint8_t value) {
    auto write = far.prepare(block_cdb(Opcode::write_10, 0, 32), filled(32 * 512, value));
    window = far.server().data_out_window(*write);
    std::ranges::fill(window.first(window.size() / 2), std::byte{value});
    return write;
  }
  void finish_data(TestCommand& write, std::uint8_t value) {
    std::ranges::fill(window, std::byte{value});
    engine::Shard::bind(&bench.world().shard(1));
    write.data_out = window;
    far.server().execute(write);
  }
  MutableBytes window;
};

TEST_F(WindowedWrites, AreWaitedFor) {
  const auto write = half_write(0x22);
  ASSERT_FALSE(window.empty());
  const auto command =
      bench.initiator().start(compare_and_write_cdb(4, 1), two_halves(1, 0x22, 0x11));
  settle();
  EXPECT_TRUE(bench.device().calls.empty());
  const auto next = far.prepare(block_cdb(Opcode::write_10, 0, 32), filled(32 * 512, 0x33));
  engine::Shard::bind(&bench.world().shard(1));
  EXPECT_TRUE(far.server().data_out_window(*next).empty()) << "no new window meanwhile";
  EXPECT_FALSE(far.server().takes_data_out_at_once(*next));
  finish_data(*write, 0x22);
  EXPECT_TRUE(far.finish(*write).is_good());
  EXPECT_TRUE(bench.initiator().finish(*command).is_good());
  EXPECT_EQ(at(4), 0x11);
  far.execute(*next);
  EXPECT_TRUE(far.finish(*next).is_good());
  EXPECT_EQ(at(4), 0x33);
}

TEST_F(WindowedWrites, AreNotWaitedForWhenTheyAreAborted) {
  const auto write = half_write(0x22);
  const auto command =
      bench.initiator().start(compare_and_write_cdb(4, 1), two_halves(1, 0x22, 0x11));
  settle();
  engine::Shard::bind(&bench.world().shard(1));
  far.server().abort(*write);
  EXPECT_TRUE(far.finish(*write).aborted);
  EXPECT_TRUE(bench.initiator().finish(*command).is_good());
}

TEST_F(WindowedWrites, AreWholeBeforeWriteAtomic) {
  const auto write = half_write(0x22);
  const auto command = bench.initiator().start(write_atomic_cdb(4, 1), filled(512, 0x11));
  settle();
  EXPECT_FALSE(command->outcome);
  finish_data(*write, 0x22);
  EXPECT_TRUE(far.finish(*write).is_good());
  EXPECT_TRUE(bench.initiator().finish(*command).is_good());
  EXPECT_EQ(at(3), 0x22);
  EXPECT_EQ(at(4), 0x11);
}

TEST_F(WindowedWrites, AResetEndsThemAndTheWriteAtomicThatWaits) {
  const auto write = half_write(0x22);
  const auto command = bench.initiator().start(write_atomic_cdb(20, 1), filled(512, 0x11));
  settle();
  bool done = false;
  engine::Shard::bind(&bench.world().shard(0));
  reset(bench.initiator(), done).detach();
  bench.world().run_until([&] { return done; });
  EXPECT_TRUE(done);
  EXPECT_TRUE(write->outcome && write->outcome->aborted);
  EXPECT_TRUE(command->outcome && command->outcome->aborted);
  EXPECT_EQ(at(20), 0);
}

// Otherwise both would wait for ever: the write for the HEAD OF QUEUE command, and that for the
// write.
TEST_F(WindowedWrites, AreNotWaitedForWhenAllTheirDataHaveCome) {
  const auto write = half_write(0x22);
  const auto command = far.start(compare_and_write_cdb(4, 1), two_halves(1, 0x22, 0x11), 0,
                                 TaskAttribute::head_of_queue);
  settle();
  EXPECT_FALSE(command->outcome);
  finish_data(*write, 0x22);
  EXPECT_TRUE(far.finish(*command).is_good());
  EXPECT_TRUE(far.finish(*write).is_good());
  EXPECT_EQ(at(4), 0x11);
}

TEST_F(ExclusiveWrites, OrWriteSetsBits) {
  std::fill_n(bench.device().medium.begin() + 4 * 512, 2 * 512, std::byte{0x0f});
  EXPECT_TRUE(
      bench.initiator().run(block_cdb(Opcode::orwrite_16, 4, 3), filled(3 * 512, 0x11)).is_good());
  EXPECT_EQ(at(3), 0);
  EXPECT_EQ(at(4), 0x1f);
  EXPECT_EQ(at(5), 0x1f);
  EXPECT_EQ(at(6), 0x11);
  EXPECT_EQ(at(7), 0);
  EXPECT_TRUE(bench.initiator().run(block_cdb(Opcode::orwrite_16, 1024, 0)).is_good());
  EXPECT_TRUE(bench.initiator()
                  .run(block_cdb(Opcode::orwrite_16, 1024, 1), filled(512, 0))
                  .is_illegal(AdditionalSense::lba_out_of_range));
  EXPECT_TRUE(bench.initiator().run(block_cdb(Opcode::orwrite_16, 0, 2), filled(512, 2)).is_good());
  EXPECT_EQ(at(0), 2);
  EXPECT_EQ(at(1), 0) << "only the blocks whose data are there";
}

TEST_F(ExclusiveWrites, WriteAtomicKeepsReadsOutMeanwhile) {
  bench.device().hold = true;
  const auto command = bench.initiator().start(write_atomic_cdb(4, 1), filled(512, 0x11));
  settle();
  const auto read = far.start(block_cdb(Opcode::read_10, 3, 2));
  const auto apart = far.start(block_cdb(Opcode::read_10, 5, 1));
  settle();
  EXPECT_EQ(bench.device().held.size(), 2U);
  bench.device().release();
  EXPECT_TRUE(bench.initiator().finish(*command).is_good());
  const Outcome seen = far.finish(*read);
  EXPECT_TRUE(seen.is_good());
  EXPECT_EQ(seen.data[512], 0x11);
  EXPECT_TRUE(far.finish(*apart).is_good());
}

TEST_F(ExclusiveWrites, WriteAtomicKeepsToThePhysicalBlock) {
  auto fake = std::make_unique<FakeDevice>(1024);
  fake->the_limits.physical_block_size = 4096;
  Bench wide(std::move(fake), {}, 1, Bench::full());
  Initiator& one = wide.initiator();
  one.clear_attention();
  EXPECT_TRUE(one.run(write_atomic_cdb(8, 8), filled(4096, 1)).is_good());
  EXPECT_EQ(wide.device().medium[8 * 512], std::byte{1});
  EXPECT_TRUE(one.run(write_atomic_cdb(8, 0)).is_good());
  EXPECT_TRUE(one.run(write_atomic_cdb(8, 16), filled(8192, 1)).is_invalid_field(12));
  EXPECT_TRUE(one.run(write_atomic_cdb(8, 4), filled(2048, 1)).is_invalid_field(12));
  EXPECT_TRUE(one.run(write_atomic_cdb(4, 8), filled(4096, 1)).is_invalid_field(2));
  EXPECT_TRUE(one.run(write_atomic_cdb(8, 8), filled(2048, 1))
                  .is_illegal(AdditionalSense::invalid_field_in_command_information_unit));
  auto bounded = write_atomic_cdb(8, 8);
  bounded[11] = 8;
  EXPECT_TRUE(one.run(bounded, filled(4096, 1)).is_invalid_field(11)) << "ATOMIC BOUNDARY";
}

TEST_F(ExclusiveWrites, WriteAtomicGoesAsFarAsTheMediumDoes) {
  auto fake = std::make_unique<FakeDevice>(1024);
  fake->the_limits.physical_block_size = 4096;
  fake->the_limits.max_atomic = BlockCount(100);
  Bench large(std::move(fake), {}, 1, Bench::full());
  Initiator& one = large.initiator();
  one.clear_attention();
  EXPECT_TRUE(one.run(write_atomic_cdb(3, 100), filled(100 * 512, 1)).is_good());
  EXPECT_EQ(large.device().medium[102 * 512], std::byte{1});
  EXPECT_EQ(large.device().medium[103 * 512], std::byte{0});
  EXPECT_TRUE(one.run(write_atomic_cdb(5, 1), filled(512, 1)).is_good());
  EXPECT_TRUE(one.run(write_atomic_cdb(0, 101), filled(101 * 512, 1)).is_invalid_field(12));
  const Outcome limits = one.run({0x12, 1, 0xb0, 0, 64, 0});
  EXPECT_EQ(limits.data[47], 100) << "MAXIMUM ATOMIC TRANSFER LENGTH";
  EXPECT_EQ(limits.data[51], 1) << "ATOMIC ALIGNMENT";
  EXPECT_EQ(limits.data[55], 1) << "ATOMIC TRANSFER LENGTH GRANULARITY";
}

TEST_F(ExclusiveWrites, WriteAtomicIsNoLargerThanOneWriteOfTheMedium) {
  auto fake = std::make_unique<FakeDevice>(1024);
  fake->the_limits.max_atomic = BlockCount(100);
  fake->the_limits.max_transfer = BlockCount(10);
  Bench split(std::move(fake), {}, 1, Bench::full());
  EXPECT_EQ(split.unit().atomic_limits().max_blocks, 10U);
}

TEST_F(ExclusiveWrites, WriteAtomicIsNotThereWhereTheMediumMayTearBlocks) {
  auto fake = std::make_unique<FakeDevice>(1024);
  fake->the_limits.max_atomic = BlockCount(0);
  Bench tearing(std::move(fake), {}, 1, Bench::full());
  tearing.initiator().clear_attention();
  EXPECT_TRUE(tearing.initiator()
                  .run(write_atomic_cdb(4, 1), filled(512, 1))
                  .is_illegal(AdditionalSense::invalid_command_operation_code));
}

TEST_F(ExclusiveWrites, OrWriteWorksWithSmallStepsAndAnEmptyPool) {
  auto fake = std::make_unique<FakeDevice>(4096);
  fake->the_limits.max_transfer = BlockCount(8);
  Bench limited(std::move(fake), {}, 1, Bench::full());
  limited.initiator().clear_attention();
  std::fill(limited.device().medium.begin(), limited.device().medium.end(), std::byte{0x40});
  engine::Shard::bind(&limited.world().shard());
  engine::BufferPool& pool = limited.world().shard().buffers();
  std::vector<engine::Buffer> taken;
  for (std::size_t bytes = engine::kMaxBufferBytes; bytes >= engine::kMinBufferBytes; bytes /= 2) {
    while (engine::Buffer buffer = pool.try_allocate(bytes)) taken.push_back(std::move(buffer));
  }
  EXPECT_TRUE(limited.initiator()
                  .run(block_cdb(Opcode::orwrite_16, 0, 4096), filled(4096 * 512, 0x02))
                  .is_good());
  EXPECT_EQ(limited.device().medium.front(), std::byte{0x42});
  EXPECT_EQ(limited.device().medium.back(), std::byte{0x42});
}

}  // namespace
}  // namespace lunar::scsi
