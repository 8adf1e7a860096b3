// Data-In of initiators that do not read, or read slowly: it is made as the socket takes it.
#include <gtest/gtest.h>

#include <algorithm>

#include "iscsi/testing/initiator.h"

namespace lunar::iscsi {
namespace {

using namespace testing;

const Keys kShortPdus = {{"MaxRecvDataSegmentLength", "512"}, {"MaxBurstLength", "4096"}};
constexpr std::size_t kMostBlocks = block::kMaxTransferBytes / 512;

void fill(Bench& bench, unsigned seed = 1) {
  const Data data = pattern(bench.device().medium.size(), seed);
  std::ranges::copy(data, bench.device().medium.begin());
}
Data medium(Bench& bench, std::size_t from, std::size_t bytes) {
  const auto start = bench.device().medium.begin() + static_cast<std::ptrdiff_t>(from);
  return {start, start + static_cast<std::ptrdiff_t>(bytes)};
}
std::size_t pdus_made(Bench& bench) { return bench.service().on(0).pools().pdus.size(); }

TEST(DataIn, WhoDoesNotReadCostsLittle) {
  Bench bench;
  Initiator initiator(bench, {.keys = kShortPdus});
  for (std::uint32_t i = 0; i < 128; ++i) (void)initiator.start_read(0, kMostBlocks);
  bench.world().run_for(engine::kSecond);
  EXPECT_EQ(bench.tasks_in_use(), 128U);
  EXPECT_LE(pdus_made(bench), 2 * kMaxMadePdus) << "two million PDUs were asked for";
  initiator.close();
  EXPECT_TRUE(bench.is_clean());
}

TEST(DataIn, IsWholeAndInOrderHoweverLongItIs) {
  constexpr std::size_t kBlocks = 2500;
  for (const bool digests : {false, true}) {
    for (const bool direct : {false, true}) {
      Bench bench({.direct = direct});
      fill(bench);
      Keys keys = kShortPdus;
      keys["MaxRecvDataSegmentLength"] = "1536";  // does not divide MaxBurstLength
      if (digests) keys["HeaderDigest"] = keys["DataDigest"] = "CRC32C";
      Initiator initiator(bench, {.keys = keys});
      const std::uint32_t one = initiator.start_read(0, kBlocks);
      const std::uint32_t two = initiator.start_read(7, kBlocks);
      for (const std::uint32_t tag : {one, two}) {
        ASSERT_TRUE(initiator.finish(tag));
        const Exchange& exchange = initiator.exchanges[tag];
        EXPECT_TRUE(exchange.is_good());
        EXPECT_EQ(exchange.in, medium(bench, tag == one ? 0 : 7 * 512, kBlocks * 512));
        std::size_t offset = 0;
        for (std::size_t i = 0; i < exchange.data_ins.size(); ++i) {
          const spec::DataIn& pdu = exchange.data_ins[i];
          ASSERT_EQ(pdu.data_sn.value(), i);
          ASSERT_EQ(pdu.buffer_offset.value(), offset);
          offset += exchange.data_in_lengths[i];
          const bool last = offset == kBlocks * 512;
          EXPECT_EQ((pdu.flags & spec::kFinal) != 0, last || offset % 4096 == 0) << offset;
          EXPECT_EQ((pdu.flags & spec::kStatus) != 0, last);
        }
      }
      EXPECT_EQ(initiator.exchanges[two].data_ins.back().stat_sn,
                initiator.exchanges[one].data_ins.back().stat_sn + 1);
      EXPECT_TRUE(initiator.digests_ok);
      initiator.close();
      EXPECT_TRUE(bench.is_clean());
    }
  }
}

TEST(DataIn, ResidualsAreToldWithTheStatus) {
  Bench bench;
  Initiator initiator(bench, {.keys = kShortPdus});
  const auto cdb = Initiator::cdb10(0x28, 0, 6000);
  const Exchange& less = initiator.run(cdb, spec::kRead, 5000 * 512);
  EXPECT_TRUE(less.is_good());
  EXPECT_EQ(less.in.size(), 5000U * 512);
  EXPECT_EQ(less.residual, 1000U * 512);
  EXPECT_NE(less.response_flags & spec::kResidualOverflow, 0);
  const Exchange& more = initiator.run(cdb, spec::kRead, 7000 * 512);
  EXPECT_EQ(more.in.size(), 6000U * 512);
  EXPECT_EQ(more.residual, 1000U * 512);
  EXPECT_NE(more.response_flags & spec::kResidualUnderflow, 0);
}

TEST(DataIn, OtherAnswersDoNotWaitBehindAllOfIt) {
  Bench bench;
  Initiator initiator(bench, {.keys = kShortPdus});
  std::vector<std::uint32_t> large;
  for (int i = 0; i < 16; ++i) large.push_back(initiator.start_read(0, kMostBlocks));
  bench.world().run_for(engine::kMillisecond);
  EXPECT_TRUE(initiator.write(100, pattern(512)));
  spec::NopOut ping;
  ping.initiator_task_tag = initiator.next_tag();
  ping.cmd_sn = initiator.cmd_sn++;
  initiator.send(ping);
  while (initiator.others.empty()) {
    auto pdu = initiator.receive();
    ASSERT_TRUE(pdu);
    initiator.handle(std::move(*pdu));
  }
  for (const std::uint32_t tag : large) EXPECT_FALSE(initiator.exchanges[tag].done);
}

TEST(DataIn, ALongReadMayBeAborted) {
  Bench bench;
  fill(bench);
  Initiator initiator(bench, {.keys = kShortPdus});
  const std::uint32_t other = initiator.start_read(0, 4000);
  const std::uint32_t begun = initiator.start_read(0, kMostBlocks);
  const std::uint32_t waiting = initiator.start_read(0, kMostBlocks);
  const auto abort = [&](std::uint32_t tag) {
    return initiator.manage(spec::TmfFunction::abort_task, tag);
  };
  // The second one is begun, the third is not.
  while (initiator.exchanges[begun].data_ins.empty()) {
    auto pdu = initiator.receive();
    ASSERT_TRUE(pdu);
    initiator.handle(std::move(*pdu));
  }
  EXPECT_EQ(abort(waiting), spec::TmfResponse::function_complete);
  EXPECT_EQ(abort(begun), spec::TmfResponse::function_complete);
  EXPECT_TRUE(initiator.exchanges[other].is_good());
  const std::size_t before = initiator.exchanges[begun].data_ins.size();
  EXPECT_LT(before, kMostBlocks);
  EXPECT_TRUE(initiator.exchanges[waiting].data_ins.empty());
  initiator.handle_for(engine::kSecond);
  EXPECT_EQ(initiator.exchanges[begun].data_ins.size(), before) << "none after the response";
  EXPECT_EQ(abort(begun), spec::TmfResponse::task_does_not_exist);
  EXPECT_EQ(bench.tasks_in_use(), 0U);
  EXPECT_EQ(initiator.read(5, 3000), medium(bench, 5 * 512, 3000 * 512));
  initiator.close();
  EXPECT_TRUE(bench.is_clean());
}

TEST(DataIn, FunctionsForATaskSetEndItToo) {
  for (const auto function :
       {spec::TmfFunction::abort_task_set, spec::TmfFunction::clear_task_set,
        spec::TmfFunction::logical_unit_reset, spec::TmfFunction::target_warm_reset}) {
    Bench bench({.luns = 2});
    fill(bench);
    Initiator initiator(bench, {.keys = kShortPdus});
    Initiator neighbour(bench, {.name = "iqn.2026-11.test:two", .isid = 2, .keys = kShortPdus});
    (void)initiator.run({0, 0, 0, 0, 0, 0}, 0, 0, {}, {.lun = 1});
    const std::uint32_t begun = initiator.start_read(0, 3000);
    const std::uint32_t waiting = initiator.start_read(0, 3000);
    const std::uint32_t elsewhere = initiator.start_read(0, 3000, {.lun = 1});
    const std::uint32_t theirs = neighbour.start_read(0, 3000);
    bench.world().run_for(engine::kMillisecond);
    const std::uint32_t tag = initiator.start_function(function, spec::kReservedTag);
    const bool whole_target = function == spec::TmfFunction::target_warm_reset;
    std::uint32_t later = whole_target ? 0 : initiator.start_read(9, 3000, {.lun = 1});
    EXPECT_EQ(initiator.finish_function(tag), spec::TmfResponse::function_complete);
    const std::size_t before = initiator.exchanges[begun].data_ins.size();
    EXPECT_LT(before, 3000U);
    if (whole_target) later = initiator.start_read(9, 3000, {.lun = 1});
    ASSERT_TRUE(initiator.finish(later));
    EXPECT_EQ(initiator.exchanges[begun].data_ins.size(), before);
    EXPECT_FALSE(initiator.exchanges[begun].done);
    EXPECT_TRUE(initiator.exchanges[waiting].data_ins.empty());
    if (!whole_target) {
      EXPECT_TRUE(initiator.exchanges[elsewhere].is_good());
      EXPECT_TRUE(initiator.exchanges[later].is_good());
    }
    ASSERT_TRUE(neighbour.finish(theirs)) << "its command was complete before";
    EXPECT_TRUE(neighbour.exchanges[theirs].is_good());
    EXPECT_EQ(bench.tasks_in_use(), 0U);
  }
}

TEST(DataIn, TheCommandWindowOpensAsItIsMade) {
  Bench bench({.policy = {.command_window = 4}});
  Initiator initiator(bench, {.keys = kShortPdus});
  std::vector<std::uint32_t> tags;
  for (int i = 0; i < 4; ++i) tags.push_back(initiator.start_read(0, 3000));
  bench.world().run_for(engine::kMillisecond);
  (void)initiator.start_read(0, 1);  // outside the window: ignored
  --initiator.cmd_sn;
  for (const std::uint32_t tag : tags) ASSERT_TRUE(initiator.finish(tag));
  EXPECT_EQ(initiator.exchanges[tags[0]].data_ins.back().max_cmd_sn, initiator.cmd_sn);
  EXPECT_EQ(initiator.exchanges[tags[3]].data_ins.back().max_cmd_sn, initiator.cmd_sn + 3);
  EXPECT_EQ(initiator.read(0, 1).size(), 512U);
}

TEST(DataIn, ALogoutEndsIt) {
  Bench bench;
  Initiator initiator(bench, {.keys = kShortPdus});
  for (int i = 0; i < 8; ++i) (void)initiator.start_read(0, kMostBlocks);
  bench.world().run_for(engine::kMillisecond);
  initiator.start_log_out();
  bool answered = false;
  while (auto pdu = initiator.receive()) answered = pdu->opcode() == spec::Opcode::logout_response;
  EXPECT_TRUE(answered);
  EXPECT_TRUE(bench.is_clean());
}

// ---- The queue's own bound.

TEST(QueuedPdus, PastTheLimitNothingIsRead) {
  Bench bench;
  Initiator initiator(bench, {});
  constexpr std::size_t kPings = 3 * kMaxQueuedPdus;
  Data all;
  for (std::size_t i = 0; i < kPings; ++i) {
    spec::NopOut ping;
    ping.opcode_byte |= spec::kImmediate;
    ping.initiator_task_tag = static_cast<std::uint32_t>(0x10000 + i);
    ping.cmd_sn = initiator.cmd_sn;
    const Data bytes = initiator.encode(ping);
    all.insert(all.end(), bytes.begin(), bytes.end());
  }
  initiator.send_raw(all);
  bench.world().run_for(engine::kSecond);
  EXPECT_LE(pdus_made(bench), kMaxQueuedPdus + OutboundPduPool::kBlock);
  for (std::size_t i = 0; i < kPings; ++i) {
    const auto pong = initiator.receive();
    ASSERT_TRUE(pong) << i;
    ASSERT_EQ(pong->bhs.initiator_task_tag.value(), 0x10000 + i);
  }
  EXPECT_EQ(initiator.read(0, 1).size(), 512U);
  initiator.close();
  EXPECT_TRUE(bench.is_clean());
  EXPECT_LT(pdus_made(bench), kMaxQueuedPdus / 4) << "the pool shrinks again";
}

}  // namespace
}  // namespace lunar::iscsi
