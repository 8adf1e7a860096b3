// Who is given up, and when: initiators that pause, read slowly, or are dead.
#include <gtest/gtest.h>

#include "iscsi/testing/initiator.h"

namespace lunar::iscsi {
namespace {

using namespace testing;

constexpr std::size_t kSip = 64 * 1024;

void answer(Initiator& initiator, const Pdu& ping) {
  spec::NopOut pong;
  pong.opcode_byte |= spec::kImmediate;
  pong.target_transfer_tag = ping.as<spec::NopIn>().target_transfer_tag;
  pong.cmd_sn = initiator.cmd_sn;
  initiator.send(pong);
}
// As if the process had not run for so long.
void freeze(Bench& bench, std::uint64_t nanoseconds) {
  bench.world().clock().advance_to(bench.world().clock().now_ns() + nanoseconds);
}

TEST(KeepAlive, AnAnswerInTheSocketCountsThoughItIsReadTooLate) {
  // Exactly at the deadline, and long after it.
  for (const std::uint64_t away :
       {kNopTimeoutNs, kNopTimeoutNs + kLateAlarmNs / 2, 10 * kNopTimeoutNs}) {
    Bench bench;
    Initiator initiator(bench, {});
    const auto ping = initiator.receive();
    ASSERT_TRUE(ping);
    ASSERT_EQ(ping->opcode(), spec::Opcode::nop_in);
    answer(initiator, *ping);
    freeze(bench, away);
    bench.world().run_for(engine::kSecond);
    ASSERT_FALSE(initiator.is_at_end()) << away;
    EXPECT_EQ(initiator.read(0, 1).size(), 512U);
  }
}

TEST(KeepAlive, WhoCouldNotBeHeardIsAskedAgain) {
  Bench bench;
  Initiator initiator(bench, {});
  ASSERT_TRUE(initiator.receive());
  freeze(bench, 10 * kNopTimeoutNs);
  bench.world().run_for(engine::kSecond);
  EXPECT_FALSE(initiator.is_at_end()) << "it may be that its answer is on its way";
  EXPECT_TRUE(initiator.wait_for_end()) << "but not for ever";
  EXPECT_TRUE(bench.is_clean());
}

TEST(KeepAlive, ALoginInTheSocketIsInTime) {
  Bench bench;
  Initiator initiator(bench);
  bench.world().run_for(engine::kMillisecond);
  initiator.start_log_in({});
  freeze(bench, kLoginTimeoutNs);
  EXPECT_TRUE(initiator.finish_log_in());
}

TEST(KeepAlive, WhoReadsSlowlyStays) {
  Bench bench;
  Initiator initiator(bench, {});
  constexpr std::size_t kReads = 6;
  std::vector<std::uint32_t> tags;
  for (std::size_t i = 0; i < kReads; ++i) tags.push_back(initiator.start_read(0, 2048));
  // 1 MiB in 160 s: never a request, and the ping is behind the data.
  while (!initiator.exchanges[tags.back()].done) {
    bench.world().run_for(10 * engine::kSecond);
    initiator.sip(kSip);
    ASSERT_FALSE(initiator.is_at_end());
  }
  for (const std::uint32_t tag : tags) EXPECT_TRUE(initiator.exchanges[tag].is_good());
}

TEST(KeepAlive, WhoStopsReadingIsDead) {
  Bench bench;
  Initiator initiator(bench, {});
  for (int i = 0; i < 6; ++i) (void)initiator.start_read(0, 2048);
  for (int i = 0; i < 20; ++i) {
    bench.world().run_for(10 * engine::kSecond);
    initiator.sip(kSip);
  }
  ASSERT_EQ(bench.connections(), 1U);
  bench.world().run_for(2 * kNopIntervalNs + kNopTimeoutNs);
  EXPECT_EQ(bench.connections(), 0U);
  EXPECT_TRUE(bench.is_clean());
}

// Others wait for what its write holds.
TEST(KeepAlive, WhoReadsSlowlyMustSendItsDataAllTheSame) {
  Bench bench;
  Initiator initiator(bench, {.keys = {{"ImmediateData", "No"}, {"InitialR2T", "Yes"}}});
  initiator.answer_r2ts = false;
  (void)initiator.start_write(0, pattern(65536));
  bench.world().run_for(engine::kMillisecond);
  for (int i = 0; i < 20; ++i) (void)initiator.start_read(0, 2048);
  for (int i = 0; i < 20; ++i) {
    bench.world().run_for(10 * engine::kSecond);
    initiator.sip(kSip);
  }
  EXPECT_EQ(bench.connections(), 0U);
  EXPECT_TRUE(bench.is_clean());
}

// What asks for the data is behind much that is read slowly.
TEST(KeepAlive, DataIsOwedOnlyOnceItWasAskedFor) {
  Bench bench;
  Initiator initiator(bench, {.keys = {{"ImmediateData", "No"}, {"InitialR2T", "Yes"}}});
  for (int i = 0; i < 6; ++i) (void)initiator.start_read(0, 2048);
  bench.world().run_for(engine::kMillisecond);
  const std::uint32_t write = initiator.start_write(0, pattern(65536));
  while (!initiator.exchanges[write].done) {
    bench.world().run_for(10 * engine::kSecond);
    initiator.sip(kSip / 2);
    ASSERT_FALSE(initiator.is_at_end());
  }
  EXPECT_TRUE(initiator.exchanges[write].is_good());
}

TEST(KeepAlive, WhoLeavesWhileItsInputWaitsForABufferIsLetGo) {
  Bench bench({.pool_bytes = 8 * kMiB});
  Initiator initiator(bench, {.keys = {{"InitialR2T", "No"}, {"FirstBurstLength", "4096"}}});
  // One that waits for its turn: whether its CDB asks for less is not known yet. There is no buffer
  // for all that it announces.
  spec::ScsiCommand command;
  command.flags = spec::kWrite;  // without F: more data comes unasked
  command.cmd_sn = initiator.cmd_sn + 1;
  command.expected_data_transfer_length = 8 * kMiB;
  initiator.send(command, Data(512));
  bench.world().run_for(engine::kSecond);
  ASSERT_EQ(bench.connections(), 1U);
  initiator.close();
  bench.world().run_for(2 * kNopIntervalNs);
  EXPECT_EQ(bench.connections(), 0U);
  EXPECT_TRUE(bench.is_clean());
}

TEST(KeepAlive, LastResponsesMayBeTakenSlowly) {
  Bench bench;
  Initiator initiator(bench, {});
  for (int i = 0; i < 8; ++i) (void)initiator.start_read(0, 512);
  bench.world().run_for(engine::kMillisecond);
  initiator.start_log_out();
  while (initiator.others.empty()) {
    bench.world().run_for(10 * engine::kSecond);
    ASSERT_FALSE(initiator.is_at_end());
    initiator.sip(kSip);
  }
  EXPECT_EQ(initiator.others[0].opcode(), spec::Opcode::logout_response);
  EXPECT_TRUE(bench.is_clean());
}

TEST(KeepAlive, LastResponsesThatNobodyTakesAreGivenUp) {
  Bench bench;
  Initiator initiator(bench, {});
  for (int i = 0; i < 8; ++i) (void)initiator.start_read(0, 512);
  bench.world().run_for(engine::kMillisecond);
  initiator.start_log_out();
  bench.world().run_for(3 * kLoginTimeoutNs);
  EXPECT_EQ(bench.connections(), 0U);
}

}  // namespace
}  // namespace lunar::iscsi
