// WRITE ATOMIC against data-in that is lent memory of the medium and not sent yet.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <memory>
#include <utility>
#include <vector>

#include "engine/prng.h"
#include "scsi/testing/bench.h"

namespace lunar::scsi {
namespace {

using namespace testing;
using spec::Opcode;

constexpr std::size_t kShards = 2;

std::vector<std::uint8_t> write_atomic_cdb(std::uint8_t lba, std::uint8_t blocks) {
  return {0x9c, 0, 0, 0, 0, 0, 0, 0, 0, lba, 0, 0, 0, blocks, 0, 0};
}

// A transport whose peer does not read: data-in stays lent until send().
class SlowSender final : public block::Borrower {
 public:
  explicit SlowSender(Initiator& initiator) { initiator.nexus().set_borrower(*this); }

  void keep_lent_data(Bytes memory) override {
    for (Waiting& waiting : queue_) {
      const bool overlaps = waiting.data.data() < memory.data() + memory.size() &&
                            memory.data() < waiting.data.data() + waiting.data.size();
      if (!overlaps || !waiting.copy.empty()) continue;
      waiting.copy.assign(waiting.data.begin(), waiting.data.end());
      waiting.data = waiting.copy;
      ++copies;
    }
  }
  void queue(std::unique_ptr<TestCommand> read) {
    read->keeps_loan = true;
    read->when_finished = [this](const TestCommand& command) {
      Waiting& waiting = queue_.emplace_back();
      waiting.data = command.data_in;
      waiting.read.assign(waiting.data.begin(), waiting.data.end());
      EXPECT_EQ(command.status_code, spec::Status::good);
    };
    commands_.push_back(std::move(read));
  }
  [[nodiscard]] bool has_read() const { return commands_.back()->outcome.has_value(); }
  // Whether the oldest is sent as it was when it was read.
  [[nodiscard]] bool send() {
    const Waiting waiting = std::move(queue_.front());
    queue_.erase(queue_.begin());
    return std::ranges::equal(waiting.data, waiting.read);
  }
  // Whether all bytes of the oldest have one value.
  [[nodiscard]] bool is_whole() const {
    const Bytes data = queue_.front().data;
    return std::ranges::count(data, data.front()) == std::ssize(data);
  }
  [[nodiscard]] bool empty() const { return queue_.empty(); }

  std::size_t copies = 0;

 private:
  struct Waiting {
    Bytes data;                   // to be sent
    std::vector<std::byte> read;  // a copy at the time of reading
    std::vector<std::byte> copy;
  };
  std::vector<std::unique_ptr<TestCommand>> commands_;  // own their loans
  std::vector<Waiting> queue_;
};

block::Capabilities lending() {
  block::Capabilities capabilities = Bench::full();
  capabilities.lend = true;
  return capabilities;
}

std::unique_ptr<FakeDevice> lending_device() {
  auto device = std::make_unique<FakeDevice>(256);
  device->the_limits.max_atomic = BlockCount(128);
  return device;
}

class LentData : public ::testing::Test {
 protected:
  LentData() {
    bench.initiator().clear_attention();
    far.clear_attention();
  }
  // A READ whose data wait to be sent.
  void read(Initiator& initiator, SlowSender& sender, std::uint8_t lba, std::uint8_t blocks) {
    sender.queue(initiator.start(block_cdb(Opcode::read_10, lba, blocks)));
    bench.world().run_until([&] { return sender.has_read(); });
  }
  static Outcome write(Initiator& initiator, std::uint8_t lba, std::uint8_t blocks,
                       std::uint8_t value) {
    return initiator.run(write_atomic_cdb(lba, blocks), filled(blocks * 512U, value));
  }

  Bench bench{lending_device(), {}, kShards, lending()};
  Initiator far{bench, 1, "iqn.2026-11.test:two"};
  SlowSender near_sender{bench.initiator()};
  SlowSender far_sender{far};
};

TEST_F(LentData, IsSentAsItWasReadOnWhateverShard) {
  read(bench.initiator(), near_sender, 0, 16);
  read(far, far_sender, 10, 1);
  read(far, far_sender, 100, 8);
  EXPECT_TRUE(write(far, 8, 8, 0x11).is_good()) << "nobody waits for who does not read";
  EXPECT_EQ(bench.device().medium[8 * 512], std::byte{0x11});
  EXPECT_EQ(near_sender.copies, 1U);
  EXPECT_EQ(far_sender.copies, 1U) << "the other one lies elsewhere";
  EXPECT_TRUE(near_sender.send());
  EXPECT_TRUE(far_sender.send());
  EXPECT_TRUE(far_sender.send());
}

TEST_F(LentData, ShowsPlainWrites) {
  read(bench.initiator(), near_sender, 0, 16);
  EXPECT_TRUE(far.run(block_cdb(Opcode::write_10, 8, 1), filled(512, 1)).is_good());
  EXPECT_FALSE(near_sender.send()) << "what else would be copied for nothing";
}

TEST_F(LentData, IsKeptForWhoHasLostTheLogicalUnit) {
  read(far, far_sender, 0, 16);
  const LunMaps maps = *bench.target().maps();
  LunMaps none = maps;
  none.others = {};
  bench.publish(none);
  bench.publish(maps);
  bench.initiator().clear_attention();
  bench.initiator().clear_attention();
  EXPECT_TRUE(write(bench.initiator(), 8, 8, 0x11).is_good());
  EXPECT_EQ(far_sender.copies, 1U);
  EXPECT_TRUE(far_sender.send());
}

TEST_F(LentData, AnAtomicWriteThatIsAbortedWhileItWaitsChangesNothing) {
  bench.device().hold = true;
  const auto before = far.start(block_cdb(Opcode::read_10, 8, 1));
  const auto command = bench.initiator().start(write_atomic_cdb(8, 8), filled(8 * 512, 0x11));
  bench.world().run_until([] { return false; });
  engine::Shard::bind(&bench.world().shard(0));
  bench.initiator().server().abort(*command);
  bench.device().release();
  EXPECT_TRUE(bench.initiator().finish(*command).aborted);
  EXPECT_TRUE(far.finish(*before).is_good());
  EXPECT_EQ(bench.device().medium[8 * 512], std::byte{0});
  EXPECT_TRUE(write(far, 8, 8, 0x12).is_good()) << "the range is free again";
}

TEST_F(LentData, AnErrorOfTheMediumEndsTheCommand) {
  bench.device().answers[block::Op::read] = block::Status::read_error;
  EXPECT_EQ(write(far, 8, 8, 0x11).status, spec::Status::check_condition);
  EXPECT_EQ(bench.device().medium[8 * 512], std::byte{0});
}

// Only WRITE ATOMIC changes these blocks, all at once. Every READ of them must show a single write,
// however late it is sent.
TEST_F(LentData, NoReadIsTorn) {
  constexpr std::size_t kSteps = 5000;
  constexpr std::uint64_t kBlocks = 64;
  engine::Prng prng(7);
  struct Side {
    Initiator& initiator;
    SlowSender& sender;
  };
  const std::array<Side, kShards> sides = {Side{bench.initiator(), near_sender},
                                           Side{far, far_sender}};
  std::vector<std::unique_ptr<TestCommand>> writes;
  std::size_t sent = 0;
  const auto send = [&](SlowSender& sender) {
    const bool whole = sender.is_whole();
    EXPECT_TRUE(whole) << "torn";
    EXPECT_TRUE(sender.send() && whole) << "not as it was read";
    ++sent;
  };
  for (std::size_t i = 0; i < kSteps; ++i) {
    const Side& side = sides[prng.below(kShards)];
    switch (prng.below(8)) {
      case 0: {
        const std::uint64_t lba = prng.below(kBlocks);
        const std::uint64_t count = 1 + prng.below(kBlocks - lba);
        side.sender.queue(side.initiator.start(block_cdb(Opcode::read_10, lba, count)));
        break;
      }
      case 1:
        writes.push_back(side.initiator.start(
            write_atomic_cdb(0, kBlocks),
            filled(kBlocks * 512, static_cast<std::uint8_t>(prng.below(256)))));
        break;
      case 2:
        if (!side.sender.empty()) send(side.sender);
        break;
      default: (void)bench.world().step(); break;
    }
  }
  for (const auto& write : writes) EXPECT_TRUE(far.finish(*write).is_good());
  bench.world().run_until([] { return false; });
  for (const Side& side : sides) {
    while (!side.sender.empty()) send(side.sender);
  }
  EXPECT_GT(sent, kSteps / 20);
  EXPECT_GT(near_sender.copies, 0U);
  EXPECT_GT(far_sender.copies, 0U);
}

}  // namespace
}  // namespace lunar::scsi
