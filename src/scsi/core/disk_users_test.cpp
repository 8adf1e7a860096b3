// A disk with two users that know nothing of each other, on two shards: a logical unit, and one
// that submits as another protocol would.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "block/testing/disk_user.h"
#include "engine/prng.h"
#include "scsi/testing/bench.h"

namespace lunar::scsi {
namespace {

using namespace testing;
using block::Exclusion;
using block::Op;
using block::Status;
using block::testing::TestUser;
using spec::AdditionalSense;
using spec::Opcode;
using spec::SenseKey;

constexpr std::uint64_t kBlocks = 256;

std::vector<std::uint8_t> compare_and_write_cdb(std::uint8_t lba) {
  return {0x89, 0, 0, 0, 0, 0, 0, 0, 0, lba, 0, 0, 0, 1, 0, 0};
}
std::vector<std::byte> two_halves(std::uint8_t expected, std::uint8_t value) {
  std::vector<std::byte> data = filled(512, expected);
  const std::vector<std::byte> second = filled(512, value);
  data.insert(data.end(), second.begin(), second.end());
  return data;
}
std::vector<std::uint8_t> write_atomic_cdb(std::uint8_t lba, std::uint8_t blocks) {
  return {0x9c, 0, 0, 0, 0, 0, 0, 0, 0, lba, 0, 0, 0, blocks, 0, 0};
}

std::unique_ptr<FakeDevice> memory_device() {
  auto device = std::make_unique<FakeDevice>(kBlocks);
  device->the_limits.max_atomic = BlockCount(128);
  device->resizable = true;
  return device;
}

block::Capabilities memory_capabilities() {
  block::Capabilities capabilities = Bench::full();
  capabilities.lend = capabilities.write_window = true;
  return capabilities;
}

// Data-in that is not sent before the test looks at it.
class SlowSender final : public block::Borrower {
 public:
  explicit SlowSender(Initiator& initiator) { initiator.nexus().set_borrower(*this); }

  void read(Bench& bench, Initiator& initiator, std::uint64_t lba, std::uint64_t blocks) {
    command_ = initiator.start(block_cdb(Opcode::read_10, lba, blocks));
    command_->keeps_loan = true;
    copy_.clear();
    bench.world().run_until([this] { return command_->outcome.has_value(); });
    data_ = command_->data_in;
  }
  void keep_lent_data(Bytes memory) override {
    const bool overlaps =
        data_.data() < memory.data() + memory.size() && memory.data() < data_.data() + data_.size();
    if (!overlaps || !copy_.empty()) return;
    copy_.assign(data_.begin(), data_.end());
    data_ = copy_;
  }
  [[nodiscard]] bool is_all(std::uint8_t value) const {
    return std::ranges::all_of(data_, [&](std::byte b) { return b == std::byte{value}; });
  }
  [[nodiscard]] bool is_kept() const { return !copy_.empty(); }
  void send() { command_.reset(); }

 private:
  std::unique_ptr<TestCommand> command_;
  Bytes data_;
  std::vector<std::byte> copy_;
};

class DiskUsers : public ::testing::Test {
 protected:
  DiskUsers() {
    initiator.clear_attention();
    other->open();
  }
  ~DiskUsers() override {
    if (other != nullptr) other->close();
  }
  void settle() {
    bench.world().run_until([] { return false; });
  }
  [[nodiscard]] std::uint8_t at(std::uint64_t lba) {
    return static_cast<std::uint8_t>(bench.device().medium[lba * 512]);
  }
  struct Running {
    bool done = false;
    Result<void> outcome;
  };
  static engine::Task<void> follow(engine::Task<Result<void>> work, Running& running) {
    running.outcome = co_await work;
    running.done = true;
  }
  void resize(Running& running, std::uint64_t blocks) {
    engine::Shard::bind(&bench.world().shard(1));
    follow(bench.disk().resize(ByteCount(blocks * 512)), running).detach();
    bench.world().run_for(engine::kMillisecond);
  }
  void protect(Running& running, bool on) {
    engine::Shard::bind(&bench.world().shard(1));
    follow(bench.disk().set_write_protected(on), running).detach();
    bench.world().run_for(engine::kMillisecond);
  }
  Outcome write(std::uint64_t lba, std::uint8_t value) {
    return initiator.run(block_cdb(Opcode::write_10, lba, 1), filled(512, value));
  }

  Bench bench{memory_device(), {}, 2, memory_capabilities()};
  Initiator& initiator = bench.initiator();  // on the first shard
  SlowSender sender{initiator};
  std::unique_ptr<TestUser> other = std::make_unique<TestUser>(bench.world(), bench.disk(), 1);
};

TEST_F(DiskUsers, CompareAndWriteIsOneStepForTheOther) {
  bench.device().held_ops = {Op::read};  // what the comparison is made of
  const auto command = initiator.start(compare_and_write_cdb(4), two_halves(0, 0x11));
  settle();
  const auto write = other->start(Op::write, 4, 1, 0x22);
  settle();
  EXPECT_FALSE(write->finished);
  bench.device().release();
  EXPECT_TRUE(initiator.finish(*command).is_good());
  settle();
  EXPECT_TRUE(write->finished);
  EXPECT_EQ(at(4), 0x22) << "it came after the whole of it";
}

TEST_F(DiskUsers, AStepOfTheOtherIsOneForCommands) {
  other->hold({Lba(4), BlockCount(1)}, Exclusion::all);
  settle();
  ASSERT_TRUE(other->has_range());
  const auto command = initiator.start(compare_and_write_cdb(4), two_halves(0x22, 0x33));
  const auto read = initiator.start(block_cdb(Opcode::read_10, 4, 1));
  settle();
  EXPECT_FALSE(command->outcome || read->outcome);
  EXPECT_EQ(other->run_as_holder(Op::write, 4, 1, 0x22), Status::ok);
  other->give_back();
  EXPECT_TRUE(initiator.finish(*command).is_good());
  EXPECT_TRUE(initiator.finish(*read).is_good());
  EXPECT_EQ(at(4), 0x33);
}

// Both count on the same block; no count is lost.
TEST_F(DiskUsers, EachIncrementOfEitherCounts) {
  constexpr int kRounds = 60;
  std::uint8_t value = 0;
  for (int i = 0; i < kRounds; ++i) {
    const auto command = initiator.start(compare_and_write_cdb(9),
                                         two_halves(value, static_cast<std::uint8_t>(value + 1)));
    const Status status = other->compare_and_write(9, value, static_cast<std::uint8_t>(value + 1));
    const bool first = initiator.finish(*command).is_good();
    EXPECT_NE(first, status == Status::ok) << "one of them, and only one";
    EXPECT_EQ(at(9), ++value);
    settle();
  }
}

TEST_F(DiskUsers, LeasesOfTheOtherAreWaitedForByCommandsAndTheOtherWayRound) {
  ASSERT_FALSE(other->lease(0, 32).empty());
  const auto command = initiator.start(write_atomic_cdb(4, 1), filled(512, 0x11));
  settle();
  EXPECT_FALSE(command->outcome);
  EXPECT_EQ(other->submit_lease(0x22), Status::ok);
  EXPECT_TRUE(initiator.finish(*command).is_good());
  EXPECT_EQ(at(3), 0x22);
  EXPECT_EQ(at(4), 0x11);

  const auto window_write =
      initiator.prepare(block_cdb(Opcode::write_10, 0, 32), filled(32 * 512, 0x33));
  const MutableBytes window = initiator.server().data_out_window(*window_write);
  ASSERT_FALSE(window.empty());
  other->hold({Lba(4), BlockCount(1)}, Exclusion::writes);
  settle();
  EXPECT_FALSE(other->has_range());
  std::ranges::fill(window, std::byte{0x33});
  engine::Shard::bind(&bench.world().shard(0));
  window_write->data_out = window;
  initiator.server().execute(*window_write);
  EXPECT_TRUE(initiator.finish(*window_write).is_good());
  settle();
  EXPECT_TRUE(other->has_range());
  other->give_back();
  settle();
}

TEST_F(DiskUsers, AtomicWritesOfEitherLeaveWhatBothHaveBorrowed) {
  sender.read(bench, initiator, 0, 16);
  other->borrow(10, 8);
  EXPECT_EQ(other->write_atomic(8, 4, 0x11), Status::ok);
  EXPECT_TRUE(sender.is_kept());
  EXPECT_TRUE(sender.is_all(0));
  EXPECT_EQ(other->kept(), 1U) << "also its own";
  EXPECT_TRUE(other->loans_are_as_lent());
  EXPECT_EQ(at(8), 0x11);

  sender.read(bench, initiator, 100, 4);
  other->borrow(100, 4);
  EXPECT_TRUE(initiator.run(write_atomic_cdb(100, 4), filled(4 * 512, 0x22)).is_good());
  EXPECT_TRUE(sender.is_kept());
  EXPECT_TRUE(sender.is_all(0));
  EXPECT_TRUE(other->loans_are_as_lent());
  EXPECT_EQ(at(100), 0x22);
  sender.send();
}

TEST_F(DiskUsers, ANewCapacityHoldsForBoth) {
  Running running;
  resize(running, 128);
  ASSERT_TRUE(running.outcome);
  EXPECT_TRUE(
      initiator.run({0, 0, 0, 0, 0, 0}).is_attention(AdditionalSense::capacity_data_has_changed));
  EXPECT_TRUE(write(128, 1).is_illegal(AdditionalSense::lba_out_of_range));
  EXPECT_EQ(other->run(Op::write, 128, 1, 1), Status::out_of_range);
  EXPECT_EQ(other->told.back().capacity, BlockCount(128));
  resize(running, 512);
  EXPECT_EQ(other->run(Op::write, 511, 1, 0x44), Status::ok);
  (void)initiator.run({0, 0, 0, 0, 0, 0});
  EXPECT_EQ(initiator.run(block_cdb(Opcode::read_10, 511, 1)).data[0], 0x44);
}

TEST_F(DiskUsers, WriteProtectionHoldsForBothAndWaitsForBoth) {
  bench.device().held_ops = {Op::write};
  const auto command = initiator.start(block_cdb(Opcode::write_10, 3, 1), filled(512, 0x11));
  const auto request = other->start(Op::write, 4, 1, 0x22);
  Running running;
  protect(running, true);
  EXPECT_FALSE(running.done);
  bench.device().release_one(0);
  settle();
  EXPECT_FALSE(running.done) << "a write of the other user is on the medium";
  bench.device().release();
  settle();
  EXPECT_TRUE(running.done && running.outcome);
  EXPECT_TRUE(initiator.finish(*command).is_good());
  EXPECT_TRUE(request->finished);
  (void)initiator.run({0, 0, 0, 0, 0, 0});
  EXPECT_TRUE(write(3, 1).is(SenseKey::data_protect, AdditionalSense::write_protected));
  EXPECT_EQ(other->run(Op::write, 3, 1, 1), Status::write_protected);
  protect(running, false);
  (void)initiator.run({0, 0, 0, 0, 0, 0});
  EXPECT_TRUE(write(3, 1).is_good());
  EXPECT_EQ(other->run(Op::write, 3, 1, 2), Status::ok);
}

TEST_F(DiskUsers, WhatOneRefusesHoldsForNone) {
  other->refuses = true;
  Running running;
  resize(running, 128);
  ASSERT_FALSE(running.outcome);
  EXPECT_EQ(running.outcome.error().code, ErrorCode::busy);
  (void)initiator.run({0, 0, 0, 0, 0, 0});
  (void)initiator.run({0, 0, 0, 0, 0, 0});
  EXPECT_TRUE(write(kBlocks - 1, 1).is_good());
  EXPECT_EQ(other->run(Op::write, kBlocks - 1, 1, 1), Status::ok);
}

TEST_F(DiskUsers, AnOperationOnTheWholeMediumKeepsItsSizeAndItsWrites) {
  bench.device().hold = true;
  constexpr std::uint8_t kBlockErase = 0x02;
  constexpr std::uint8_t kImmed = 0x80;
  ASSERT_TRUE(initiator.run({0x48, kImmed | kBlockErase, 0, 0, 0, 0, 0, 0, 0, 0}).is_good());
  Running running;
  resize(running, 128);
  ASSERT_FALSE(running.outcome);
  EXPECT_EQ(running.outcome.error().code, ErrorCode::busy);
  protect(running, true);
  ASSERT_FALSE(running.outcome);
  EXPECT_EQ(running.outcome.error().code, ErrorCode::busy);
  EXPECT_FALSE(bench.disk().state().write_protected);
  bench.device().release();
  EXPECT_TRUE(bench.world().run_until(
      [&] { return initiator.run(block_cdb(Opcode::read_10, 0, 1)).is_good(); }));
  protect(running, true);
  EXPECT_TRUE(running.outcome);
}

TEST_F(DiskUsers, TheLogicalUnitGoesWhileTheOtherWorks) {
  // A second logical unit of another life: its parts come and go beside the other user.
  for (int i = 0; i < 20; ++i) {
    LogicalUnit unit(bench.disk());
    const auto open = [](LogicalUnit& opened, engine::Shard& shard) -> engine::Task<void> {
      EXPECT_TRUE(co_await opened.open(shard));
    };
    std::vector<std::unique_ptr<TestUser::Work>> works;
    for (std::size_t shard = 0; shard < 2; ++shard) {
      works.push_back(other->start(Op::write, shard, 1, 1));
      bench.world().run([&] { return open(unit, bench.world().shard(shard)); }, shard);
    }
    other->hold({Lba(0), BlockCount(8)}, Exclusion::writes);
    settle();
    for (std::size_t shard = 0; shard < 2; ++shard)
      bench.world().run([&] { return unit.stop(bench.world().shard(shard)); }, shard);
    other->give_back();
    settle();
    for (const auto& work : works) EXPECT_TRUE(work->finished);
  }
  EXPECT_EQ(bench.device().open_channels, 2U);
}

TEST_F(DiskUsers, TheOtherGoesWhileCommandsRun) {
  std::vector<std::unique_ptr<TestCommand>> commands;
  for (int i = 0; i < 40; ++i) {
    commands.push_back(initiator.start(block_cdb(Opcode::write_10, 0, 1), filled(512, 1)));
    commands.push_back(initiator.start(write_atomic_cdb(0, 8), filled(8 * 512, 2)));
    (void)bench.world().step();
    other->borrow(0, 8);
    other->close();
    other = std::make_unique<TestUser>(bench.world(), bench.disk(), i % 2);
    other->open();
  }
  for (const auto& command : commands) EXPECT_TRUE(initiator.finish(*command).is_good());
}

}  // namespace
}  // namespace lunar::scsi
