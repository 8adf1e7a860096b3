// Initiators on two shards read and write the same few blocks with protection information at once,
// with faults of timing. Every block that is read is as somebody has written it, or the initial
// zeroes, and never fails a check.
#include <gtest/gtest.h>

#include <deque>
#include <random>

#include "scsi/testing/protected_disk.h"

namespace lunar::scsi {
namespace {

using namespace testing;
using spec::Opcode;

constexpr std::uint64_t kBlocks = 160;

class Traffic {
 public:
  explicit Traffic(std::uint64_t seed)
      : random_(seed), bench_(1, kBlocks, {}, 2), other_(bench_, 1, "iqn.2026-11.test:two") {
    other_.clear_attention();
  }

  void run(int steps) {
    for (int i = 0; i < steps; ++i) {
      // The medium answers late and in any order. A withheld request is answered on its own shard.
      for (FakeDevice* device : {&bench_.device(), bench_.device().protection_area.get()}) {
        if (pick(3) == 0) device->hold = !device->hold;
        while (!device->held.empty() && pick(2) == 0) {
          const std::size_t which = pick(device->held.size());
          engine::Shard::bind(device->held[which]->shard);
          device->release_one(which);
        }
      }
      if (running_.size() < 12) start();
      for (std::size_t n = pick(8); n != 0; --n) (void)step();
      if (pick(40) == 0 && !running_.empty()) abort_one();
      reap();
    }
    finish();
  }

 private:
  struct Running {
    Initiator* initiator;
    bool reads;
    std::unique_ptr<TestCommand> command;
  };

  std::size_t pick(std::size_t below) {
    return std::uniform_int_distribution<std::size_t>(0, below - 1)(random_);
  }

  // The medium is late, but never so late that the information of an aborted write is given up.
  bool step() {
    engine::Shard& shard = bench_.world().shard(0);
    engine::Shard::bind(&shard);
    if (!tick_.is_armed()) shard.arm(tick_, shard.now_ns() + engine::kMicrosecond);
    return bench_.world().step();
  }

  void start() {
    Initiator& initiator = pick(2) == 0 ? bench_.initiator() : other_;
    const std::uint64_t lba = pick(kBlocks - 1);
    const std::uint64_t count = 1 + pick(std::min<std::uint64_t>(kBlocks - lba, 70));
    const auto value = static_cast<std::uint8_t>(pick(255));
    const bool tags = pick(2) == 0;
    const std::uint8_t flags = tags ? protect(1) : 0;
    const std::vector<std::byte> data =
        tags ? with_tags(count, value, value, static_cast<std::uint32_t>(lba))
             : filled(count * 512, value);
    Running next{&initiator, false, nullptr};
    switch (pick(7)) {
      case 0:
      case 1:
        next.command = initiator.start(block_cdb(Opcode::write_16, lba, count, flags), data);
        break;
      case 2:
        next.command =
            initiator.start(block_cdb(Opcode::write_same_16, lba, count, flags),
                            tags ? with_tags(1, value, value, static_cast<std::uint32_t>(lba))
                                 : filled(512, value));
        break;
      case 3:
        next.command =
            initiator.start(block_cdb(Opcode::write_same_16, lba, count, 8), filled(512, 0));
        break;
      case 4:
        next.command = initiator.start(block_cdb(Opcode::orwrite_16, lba, count, flags), data);
        break;
      default:
        next.reads = true;
        next.command = initiator.start(block_cdb(Opcode::read_16, lba, count, protect(1)));
        break;
    }
    running_.push_back(std::move(next));
  }

  void abort_one() {
    Running& one = running_[pick(running_.size())];
    engine::Shard::bind(&one.initiator->server().shard());
    one.initiator->server().abort(*one.command);
  }

  static void check(const Running& one) {
    const Outcome& outcome = *one.command->outcome;
    if (outcome.aborted) return;
    EXPECT_TRUE(outcome.is_good()) << to_text(outcome.sense);
    if (!one.reads || !outcome.is_good()) return;
    // The checks of an initiator.
    const Bytes data = std::as_bytes(std::span(outcome.data));
    for (std::size_t at = 0; at < data.size(); at += 520) {
      const auto information = *load<spec::ProtectionInformation>(data.subspan(at + 512));
      if (information.application_tag == spec::kNoApplicationTag) continue;
      EXPECT_EQ(information.guard, crc16_t10dif(data.subspan(at, 512)));
    }
  }

  void reap() {
    std::erase_if(running_, [](const Running& one) {
      if (!one.command->outcome) return false;
      check(one);
      return true;
    });
  }

  void finish() {
    constexpr int kSteps = 100'000;
    for (int steps = 0; !running_.empty(); ++steps) {
      ASSERT_LT(steps, kSteps) << "commands that never end";
      for (FakeDevice* device : {&bench_.device(), bench_.device().protection_area.get()}) {
        device->hold = false;
        while (!device->held.empty()) {
          engine::Shard::bind(device->held[0]->shard);
          device->release_one(0);
        }
      }
      (void)step();
      reap();
    }
    const Outcome all = bench_.initiator().run(block_cdb(Opcode::read_16, 0, kBlocks, protect(1)));
    EXPECT_TRUE(all.is_good()) << to_text(all.sense);
  }

  std::mt19937_64 random_;
  engine::Timer tick_{[](engine::Runnable&) noexcept {}};
  ProtectedBench bench_;
  Initiator other_;
  std::deque<Running> running_;
};

TEST(ProtectedTraffic, NeverShowsABlockThatFailsItsChecks) {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    SCOPED_TRACE(seed);
    Traffic(seed).run(400);
    if (::testing::Test::HasFailure()) break;
  }
}

}  // namespace
}  // namespace lunar::scsi
