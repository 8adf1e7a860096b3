// A command waits for a request other than its own, and the medium does not answer. Ending the
// command, its unit or the daemon must end the wait.
#include <gtest/gtest.h>

#include "scsi/core/own_request.h"
#include "scsi/diagnostics/self_tests.h"
#include "scsi/testing/bench.h"
#include "scsi/testing/protected_disk.h"

namespace lunar::scsi {
namespace {

using namespace testing;
using block::Op;
using spec::Opcode;
using Cdb = std::vector<std::uint8_t>;

constexpr std::uint64_t kBlocks = 64;
constexpr std::size_t kShard = 1;  // the initiator's; the unit's home is the other one

block::Capabilities cached() {
  block::Capabilities capabilities = Bench::full();
  capabilities.volatile_cache = capabilities.fua = true;
  return capabilities;
}

struct CommandRow {
  const char* name;
  Cdb cdb;
  bool takes_caching_page = false;
};
const std::vector<CommandRow> kCommands = {
    {"SYNCHRONIZE CACHE with IMMED", block_cdb(Opcode::synchronize_cache_10, 0, 0, 0x02)},
    {"FORMAT UNIT", {0x04, 0, 0, 0, 0, 0}},
    {"SANITIZE", {0x48, 0x02, 0, 0, 0, 0, 0, 0, 0, 0}},
    {"a self-test in the foreground", {0x1d, 5 << 5, 0, 0, 0, 0}},
    {"a self-test in the background", {0x1d, 1 << 5, 0, 0, 0, 0}},
    {"START STOP UNIT", {0x1b, 0, 0, 0, 0, 0}},
    {"MODE SELECT of WCE 0", {0x15, 0x10, 0, 0, 24, 0}, true},
};

struct MediumRow {
  const char* name;
  std::set<Op> ops;
};
const std::vector<MediumRow> kMedia = {
    {"flush", {Op::flush}},
    {"read", {Op::read}},
    {"write", {Op::write, Op::write_zeroes, Op::unmap}},
    {"everything", {Op::read, Op::write, Op::flush, Op::unmap, Op::write_zeroes}},
};

enum class End { abort_task, logical_unit_reset, new_login, stop };
constexpr std::array kEnds = {End::abort_task, End::logical_unit_reset, End::new_login, End::stop};
constexpr std::array kEndNames = {"ABORT TASK", "LOGICAL UNIT RESET", "a new login", "a stop"};

// One disk on two shards, with a session of an initiator.
struct Scene {
  Bench bench{kBlocks, {}, 2, 512, cached()};
  std::optional<Initiator> initiator{std::in_place, bench, kShard, "iqn.2026-11.test:other"};
  std::unique_ptr<TestCommand> command;

  Scene() { initiator->clear_attention(); }
  ~Scene() {
    if (command != nullptr && !command->outcome) initiator->server().abort(*command);
    bench.device().release();
    bench.world().run_for(engine::kSecond);
  }

  void begin(const CommandRow& row, const MediumRow& medium, bool deaf) {
    std::vector<std::byte> out;
    if (row.takes_caching_page) {
      const Outcome page = initiator->run({0x1a, 8, 0x08, 0, 255, 0});
      const Bytes values = std::as_bytes(std::span(page.data));
      out.assign(values.begin(), values.end());
      std::fill_n(out.begin(), 4, std::byte{0});
      out[4] &= std::byte{0x7f};   // PS
      out[6] &= ~std::byte{0x04};  // WCE
    }
    bench.device().held_ops = medium.ops;
    bench.device().deaf = deaf;
    command = initiator->start(row.cdb, out);
    bench.world().run_for(10 * engine::kMillisecond);
  }

  // Runs the end to completion and returns its duration; a long time if it never completed.
  std::uint64_t end(End how) {
    const std::uint64_t started = bench.world().clock().now_ns();
    const auto taken = [&] { return bench.world().clock().now_ns() - started; };
    engine::Shard::bind(&bench.world().shard(kShard));
    end_command(how).detach();
    bench.world().run_until([&] { return command_ended_ || taken() > kLong; });
    if (!command_ended_) return kLong;
    if (how != End::stop) return taken();
    initiator.reset();
    for (const std::size_t shard : {0U, 1U}) {
      engine::Shard::bind(&bench.world().shard(shard));
      stop_unit(shard).detach();
    }
    bench.world().run_until([&] { return parts_stopped_ == 2 || taken() > kLong; });
    return parts_stopped_ == 2 ? taken() : kLong;
  }

  static constexpr std::uint64_t kLong = 60 * engine::kSecond;

 private:
  engine::Task<void> end_command(End how) {
    DeviceServer& server = initiator->server();
    switch (how) {
      case End::abort_task: server.abort(*command); break;
      case End::logical_unit_reset: {
        auto resetting = server.logical_unit_reset(initiator->nexus(), lun_field(0));
        (void)co_await resetting;
        break;
      }
      case End::new_login:
      case End::stop: {  // end of the old session
        auto losing = server.i_t_nexus_reset(initiator->nexus());
        (void)co_await losing;
        break;
      }
    }
    while (!command->outcome)
      co_await engine::sleep_for(bench.world().shard(kShard), engine::kMillisecond);
    command_ended_ = true;
  }
  engine::Task<void> stop_unit(std::size_t shard) {
    co_await bench.unit().stop(bench.world().shard(shard));
    ++parts_stopped_;
  }

  bool command_ended_ = false;
  std::size_t parts_stopped_ = 0;
};

TEST(HungMedium, WhateverEndsACommandEndsWhatItWaitsFor) {
  std::size_t cells = 0;
  for (const CommandRow& row : kCommands) {
    for (const MediumRow& medium : kMedia) {
      for (const End how : kEnds) {
        SCOPED_TRACE(std::string(row.name) + ", a medium that hangs at " + medium.name + ", " +
                     kEndNames[static_cast<std::size_t>(how)]);
        Scene scene;
        scene.begin(row, medium, false);
        EXPECT_LT(scene.end(how), engine::kSecond);
        if (how == End::stop) {
          EXPECT_TRUE(scene.bench.device().held.empty());
        }
        ++cells;
      }
    }
  }
  EXPECT_EQ(cells, 112U);
}

// A file system that does not answer. The request can no longer change anything, so the wait is
// short.
TEST(HungMedium, NobodyWaitsForOneThatDoesNotHear) {
  for (const CommandRow& row : kCommands) {
    for (const MediumRow& medium : kMedia) {
      for (const End how : {End::abort_task, End::logical_unit_reset, End::new_login}) {
        SCOPED_TRACE(std::string(row.name) + ", a medium that hangs at " + medium.name + ", " +
                     kEndNames[static_cast<std::size_t>(how)]);
        Scene scene;
        scene.begin(row, medium, true);
        EXPECT_LT(scene.end(how), kAbortPatienceNs + engine::kSecond);
      }
    }
  }
}

TEST(HungMedium, WhoWaitsForBlocksOfAnotherIsEndedAlone) {
  for (const Cdb& cdb : {Cdb{0x89, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0},
                         block_cdb(Opcode::orwrite_16, 0, 1), block_cdb(Opcode::write_16, 0, 1)}) {
    Scene scene;
    Bench& bench = scene.bench;
    bench.initiator().clear_attention();
    bench.device().held_ops = {Op::write};
    const auto other = bench.initiator().start(block_cdb(Opcode::write_10, 0, 1), filled(512, 1));
    const std::size_t blocks = cdb[0] == 0x89 ? 2 : 1;
    scene.command = scene.initiator->start(cdb, filled(blocks * 512, 0));
    bench.world().run_for(10 * engine::kMillisecond);
    EXPECT_FALSE(scene.command->outcome);
    EXPECT_LT(scene.end(End::abort_task), engine::kSecond);
    EXPECT_FALSE(other->outcome) << "it goes on";
    engine::Shard::bind(&bench.world().shard(0));
    bench.device().release();
    EXPECT_TRUE(bench.initiator().finish(*other).is_good());
    // The turn that came too late has been given back.
    std::vector<std::byte> list = filled(512, 1);
    list.resize(1024, std::byte{2});
    EXPECT_TRUE(
        scene.initiator->run({0x89, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0}, list).is_good());
    EXPECT_EQ(scene.initiator->run(block_cdb(Opcode::read_10, 0, 1)).data[0], 2);
  }
}

// ---- Limits where no initiator waits

struct Limit : ::testing::Test {
  Bench bench{kBlocks, {}, 2, 512, cached()};
  Initiator& initiator = bench.initiator();

  Limit() { initiator.clear_attention(); }
  void begin(const Cdb& cdb, Op hung) {
    bench.device().held_ops = {hung};
    ASSERT_TRUE(initiator.run(cdb).is_good());
    bench.world().run_for(kOwnRequestLimitNs - engine::kSecond);
    EXPECT_EQ(bench.device().held.size(), 1U);
    bench.world().run_for(2 * engine::kSecond);
    EXPECT_TRUE(bench.device().held.empty());
    bench.device().held_ops.clear();
  }
};

TEST_F(Limit, AFlushThatPassesItIsTold) {
  const Cdb synchronize = block_cdb(Opcode::synchronize_cache_10, 0, 0, 0x02);
  begin(synchronize, Op::flush);
  EXPECT_TRUE(initiator.run(synchronize).sense.deferred);
  EXPECT_TRUE(initiator.run(synchronize).is_good());
}

TEST_F(Limit, ASanitizeThatPassesItHasFailed) {
  begin({0x48, 0x82, 0, 0, 0, 0, 0, 0, 0, 0}, Op::write_zeroes);
  bench.world().run_for(engine::kSecond);
  EXPECT_TRUE(
      initiator.run(block_cdb(Opcode::read_10, 0, 1))
          .is(spec::SenseKey::medium_error, spec::AdditionalSense::sanitize_command_failed));
}

TEST_F(Limit, ASelfTestThatPassesItHasFailed) {
  begin({0x1d, 1 << 5, 0, 0, 0, 0}, Op::read);
  bench.world().run_for(engine::kSecond);
  const Outcome page = initiator.run({0x4d, 0, 0x50, 0, 0, 0, 1, 2, 0, 0});
  EXPECT_EQ(page.data[8] & 0x0f, 5) << "failed in the first segment";
}

// ---- Protection information: the second request of a command on blocks

TEST(HungMedium, ProtectionInformationIsAbortedWithItsCommand) {
  for (const Op hung : {Op::read, Op::write}) {
    for (const Opcode opcode : {Opcode::read_10, Opcode::write_10}) {
      ProtectedBench bench(1);
      Initiator& initiator = bench.initiator();
      bench.device().protection_area->held_ops = {hung};
      const bool writes = opcode == Opcode::write_10;
      const auto command = initiator.start(block_cdb(opcode, 3, 1),
                                           writes ? filled(512, 7) : std::vector<std::byte>());
      bench.world().run_for(10 * engine::kMillisecond);
      initiator.server().abort(*command);
      const std::uint64_t started = bench.world().clock().now_ns();
      (void)initiator.finish(*command);
      EXPECT_LT(bench.world().clock().now_ns() - started, engine::kSecond);
      bench.device().protection_area->release();
    }
  }
}

TEST(HungMedium, AnAbortedWriteStillHasTheInformationOfItsData) {
  ProtectedBench bench(1);
  Initiator& initiator = bench.initiator();
  bench.device().protection_area->held_ops = {Op::write};
  const auto command = initiator.start(block_cdb(Opcode::write_10, 3, 1), filled(512, 7));
  bench.world().run_for(10 * engine::kMillisecond);
  initiator.server().abort(*command);
  bench.world().run_for(100 * engine::kMillisecond);
  EXPECT_FALSE(command->outcome);
  bench.device().protection_area->release();
  EXPECT_TRUE(initiator.finish(*command).aborted);
  const Outcome read = initiator.run(block_cdb(Opcode::read_10, 3, 1));
  ASSERT_TRUE(read.is_good()) << "the guard fits";
  EXPECT_EQ(read.data[0], 7);
}

}  // namespace
}  // namespace lunar::scsi
