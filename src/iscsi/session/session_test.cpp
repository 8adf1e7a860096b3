// The order of commands, and requests that are no SCSI commands: NOP, text, logout, rejects.
#include "iscsi/session/session.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>

#include "iscsi/testing/initiator.h"

namespace lunar::iscsi {
namespace {

using namespace testing;

// ---- CmdSN (RFC 7143 §4.2.2.1)

TEST(CommandOrder, ACommandBelowTheWindowIsIgnored) {
  Bench bench;
  Initiator initiator(bench, {});
  ASSERT_TRUE(initiator.write(0, pattern(512)));
  const std::uint32_t sn = initiator.cmd_sn;
  const auto again = initiator.start_read(0, 1, {.cmd_sn = sn - 1});
  const auto old = initiator.start_read(0, 1, {.cmd_sn = sn - 2});
  EXPECT_EQ(initiator.read(0, 1), pattern(512)) << "the session goes on";
  EXPECT_FALSE(initiator.exchanges[again].done);
  EXPECT_FALSE(initiator.exchanges[old].done);
  EXPECT_TRUE(initiator.others.empty());
}

TEST(CommandOrder, ACommandAboveTheWindowIsIgnored) {
  Bench bench({.policy = {.command_window = 4}});
  Initiator initiator(bench, {});
  const auto beyond = initiator.start_read(0, 1, {.cmd_sn = initiator.cmd_sn + 4});
  for (int i = 0; i < 5; ++i) EXPECT_EQ(initiator.read(0, 1).size(), 512U);
  EXPECT_FALSE(initiator.exchanges[beyond].done);
}

TEST(CommandOrder, AHoleHoldsCommandsUntilItIsFilled) {
  for (const bool direct : {true, false}) {
    Bench bench({.direct = direct});
    Initiator initiator(bench, {});
    const std::uint32_t sn = initiator.cmd_sn;
    // Writes of one block, sent last to first: the last CmdSN wins.
    std::vector<std::uint32_t> tags;
    for (std::uint32_t i = 3; i > 0; --i)
      tags.push_back(initiator.start_write(0, pattern(4096, i), {.cmd_sn = sn + i}));
    const auto twice = initiator.start_write(0, pattern(4096, 9), {.cmd_sn = sn + 2});
    initiator.handle_for(engine::kMillisecond);
    for (const auto tag : tags) EXPECT_FALSE(initiator.exchanges[tag].done);
    const auto first = initiator.start_write(0, pattern(4096, 0), {.cmd_sn = sn});
    ASSERT_TRUE(initiator.finish(first));
    for (const auto tag : tags) {
      ASSERT_TRUE(initiator.finish(tag));
      EXPECT_TRUE(initiator.exchanges[tag].is_good());
    }
    EXPECT_FALSE(initiator.exchanges[twice].done) << "a duplicate of a held command";
    initiator.cmd_sn = sn + 4;
    EXPECT_TRUE(initiator.read(0, 8) == pattern(4096, 3));
    initiator.close();
    EXPECT_TRUE(bench.is_clean());
  }
}

TEST(CommandOrder, TheWholeWindowMayBeHeld) {
  Bench bench({.policy = {.command_window = 32}});
  Initiator initiator(bench, {});
  const std::uint32_t sn = initiator.cmd_sn;
  std::vector<std::uint32_t> tags;
  for (std::uint32_t i = 1; i < 32; ++i)
    tags.push_back(initiator.start_read(i, 1, {.cmd_sn = sn + i}));
  initiator.handle_for(engine::kMillisecond);
  tags.push_back(initiator.start_read(0, 1, {.cmd_sn = sn}));
  for (const auto tag : tags) {
    ASSERT_TRUE(initiator.finish(tag));
    EXPECT_TRUE(initiator.exchanges[tag].is_good());
  }
}

TEST(CommandOrder, HeldRequestsOfAllKindsKeepTheirOrder) {
  Bench bench;
  Initiator initiator(bench, {});
  const std::uint32_t sn = initiator.cmd_sn;
  spec::NopOut ping;
  ping.initiator_task_tag = initiator.next_tag();
  ping.cmd_sn = sn + 2;
  initiator.send(ping, pattern(300));
  const auto read = initiator.start_read(0, 1, {.cmd_sn = sn + 1});
  const auto write = initiator.start_write(0, pattern(512), {.cmd_sn = sn});
  ASSERT_TRUE(initiator.finish(write));
  ASSERT_TRUE(initiator.finish(read));
  EXPECT_EQ(initiator.exchanges[read].in, pattern(512));
  initiator.handle_for(engine::kMillisecond);
  ASSERT_EQ(initiator.others.size(), 1U);
  EXPECT_EQ(initiator.others[0].opcode(), spec::Opcode::nop_in);
  EXPECT_EQ(initiator.others[0].data, pattern(300));
}

TEST(CommandOrder, TheWindowClosesAndOpensAgain) {
  Bench bench({.policy = {.command_window = 4}});
  Initiator initiator(bench, {});
  bench.device().hold = true;
  std::vector<std::uint32_t> tags;
  for (std::uint32_t i = 0; i < 4; ++i) tags.push_back(initiator.start_read(i, 1));
  initiator.handle_for(engine::kMillisecond);
  EXPECT_EQ(bench.device().held.size(), 4U);
  // A fifth breaks the rules; an immediate one does not count.
  const auto fifth = initiator.start_read(0, 1, {.cmd_sn = initiator.cmd_sn});
  const auto immediate = initiator.start_read(0, 1, {.immediate = true});
  spec::NopOut ping;
  ping.opcode_byte |= spec::kImmediate;
  ping.initiator_task_tag = initiator.next_tag();
  ping.cmd_sn = initiator.cmd_sn;
  initiator.send(ping);
  initiator.handle_for(engine::kMillisecond);
  EXPECT_EQ(bench.device().held.size(), 5U);
  ASSERT_EQ(initiator.others.size(), 1U);
  const auto pong = initiator.others[0].as<spec::NopIn>();
  EXPECT_EQ(pong.max_cmd_sn, initiator.cmd_sn - 1) << "closed: MaxCmdSN = ExpCmdSN - 1";
  EXPECT_EQ(pong.exp_cmd_sn, initiator.cmd_sn);
  bench.device().release();
  for (const auto tag : tags) ASSERT_TRUE(initiator.finish(tag));
  ASSERT_TRUE(initiator.finish(immediate));
  EXPECT_FALSE(initiator.exchanges[fifth].done);
  EXPECT_EQ(initiator.read(0, 1).size(), 512U);
}

TEST(CommandOrder, ARejectedCommandLeavesTheOrderWhole) {
  Bench bench;
  Initiator initiator(bench, {});
  const std::uint32_t sn = initiator.cmd_sn;
  // Reserved task attributes are rejected, held or not; their CmdSN counts as received.
  initiator.start_read(0, 1, {.attribute = 7, .cmd_sn = sn + 1});
  initiator.start_read(0, 1, {.attribute = 7, .cmd_sn = sn + 2});
  const auto third = initiator.start_read(0, 1, {.cmd_sn = sn + 3});
  initiator.handle_for(engine::kMillisecond);
  EXPECT_EQ(initiator.others.size(), 2U);
  EXPECT_FALSE(initiator.exchanges[third].done) << "the first is still missing";
  const auto first = initiator.start_read(0, 1, {.cmd_sn = sn});
  ASSERT_TRUE(initiator.finish(first));
  ASSERT_TRUE(initiator.finish(third));
  initiator.cmd_sn = sn + 4;
  EXPECT_EQ(initiator.read(0, 1).size(), 512U);
}

TEST(CommandOrder, MaxCmdSnNeverGoesBack) {
  Bench bench({.policy = {.command_window = 8}});
  Initiator initiator(bench, {});
  std::uint32_t highest = 0;
  const auto look = [&] {
    spec::NopOut ping;
    ping.opcode_byte |= spec::kImmediate;
    ping.initiator_task_tag = initiator.next_tag();
    ping.cmd_sn = initiator.cmd_sn;
    initiator.send(ping);
    initiator.handle_for(engine::kMillisecond);
    const std::uint32_t now = initiator.others.back().as<spec::NopIn>().max_cmd_sn;
    EXPECT_GE(now, highest);
    highest = std::max(highest, now);
  };
  look();
  bench.device().hold = true;
  const std::uint32_t sn = initiator.cmd_sn;
  for (const std::uint32_t i : {3U, 1U, 2U, 0U, 4U}) {
    initiator.start_read(0, 1, {.cmd_sn = sn + i});
    look();
  }
  bench.device().release();
  initiator.cmd_sn = sn + 5;
  look();
  EXPECT_EQ(highest, sn + 5 + 7);
}

TEST(CommandOrder, ATagInUseIsRejected) {
  Bench bench;
  Initiator initiator(bench, {});
  bench.device().hold = true;
  const auto tag = initiator.start_read(0, 1);
  spec::ScsiCommand same;
  same.flags = spec::kFinal | spec::kRead | 1;
  same.initiator_task_tag = tag;
  same.cmd_sn = initiator.cmd_sn++;
  initiator.send(same);
  initiator.handle_for(engine::kMillisecond);
  ASSERT_EQ(initiator.others.size(), 1U);
  const auto reject = initiator.others[0].as<spec::Reject>();
  EXPECT_EQ(reject.reason, static_cast<std::uint8_t>(spec::RejectReason::task_in_progress));
  EXPECT_EQ(load<spec::Bhs>(initiator.others[0].data)->initiator_task_tag, tag);
  bench.device().release();
  EXPECT_TRUE(initiator.finish(tag));
}

TEST(CommandOrder, ImmediateCommandsAreLimited) {
  Bench bench;
  Initiator initiator(bench, {});
  bench.device().hold = true;
  for (std::uint32_t i = 0; i < kMaxImmediateTasks + 3; ++i)
    initiator.start_read(0, 1, {.immediate = true});
  initiator.handle_for(engine::kMillisecond);
  EXPECT_EQ(bench.device().held.size(), kMaxImmediateTasks);
  ASSERT_EQ(initiator.others.size(), 3U);
  EXPECT_EQ(initiator.others[0].as<spec::Reject>().reason,
            static_cast<std::uint8_t>(spec::RejectReason::immediate_command_reject));
}

// ---- NOP

TEST(Nop, TheEchoHasItsDataAndTag) {
  Bench bench;
  Initiator initiator(bench, {});
  for (const std::size_t bytes : {0U, 1U, 5U, 96U, 97U, 5000U, 200000U}) {
    spec::NopOut ping;
    ping.initiator_task_tag = initiator.next_tag();
    ping.cmd_sn = initiator.cmd_sn++;
    const Data data = pattern(bytes);
    initiator.send(ping, data);
    const auto pong = initiator.receive();
    ASSERT_TRUE(pong);
    EXPECT_EQ(pong->opcode(), spec::Opcode::nop_in);
    EXPECT_EQ(pong->bhs.initiator_task_tag, ping.initiator_task_tag);
    EXPECT_EQ(pong->as<spec::NopIn>().target_transfer_tag, spec::kReservedTag);
    EXPECT_TRUE(pong->data == data);
  }
  initiator.close();
  EXPECT_TRUE(bench.is_clean());
}

TEST(Nop, TheEchoIsCutToWhatTheInitiatorTakes) {
  Bench bench;
  Initiator initiator(bench, {.keys = {{"MaxRecvDataSegmentLength", "512"}}});
  spec::NopOut ping;
  ping.initiator_task_tag = initiator.next_tag();
  ping.cmd_sn = initiator.cmd_sn++;
  initiator.send(ping, pattern(2000));
  const auto pong = initiator.receive();
  ASSERT_TRUE(pong);
  EXPECT_EQ(pong->data.size(), 512U);
}

TEST(Nop, ASilentInitiatorIsAskedAndStaysWhenItAnswers) {
  Bench bench;
  Initiator initiator(bench, {});
  for (int i = 0; i < 5; ++i) {
    const auto ping = initiator.receive();
    ASSERT_TRUE(ping);
    ASSERT_EQ(ping->opcode(), spec::Opcode::nop_in);
    const auto header = ping->as<spec::NopIn>();
    EXPECT_EQ(header.initiator_task_tag, spec::kReservedTag);
    EXPECT_NE(header.target_transfer_tag, spec::kReservedTag);
    spec::NopOut pong;
    pong.opcode_byte |= spec::kImmediate;
    pong.target_transfer_tag = header.target_transfer_tag;
    pong.cmd_sn = initiator.cmd_sn;
    initiator.send(pong);
  }
  EXPECT_EQ(initiator.read(0, 1).size(), 512U);
}

TEST(Nop, ADeadInitiatorLosesItsConnection) {
  Bench bench;
  Initiator initiator(bench, {});
  const std::uint64_t start = bench.world().clock().now_ns();
  bench.device().hold = true;
  initiator.start_read(0, 1);  // in flight when it dies
  ASSERT_TRUE(initiator.wait_for_end());
  const std::uint64_t waited = bench.world().clock().now_ns() - start;
  EXPECT_GE(waited, kNopTimeoutNs);
  EXPECT_LE(waited, kNopIntervalNs * 2 + kNopTimeoutNs);
  EXPECT_TRUE(bench.is_clean());
}

// It answers what it is asked, but owes the data of a write.
TEST(Nop, AnInitiatorThatNeverSendsItsDataLosesItsConnection) {
  Bench bench;
  Initiator initiator(bench, {.keys = {{"ImmediateData", "No"}, {"InitialR2T", "Yes"}}});
  initiator.answer_r2ts = false;
  const std::uint64_t start = bench.world().clock().now_ns();
  initiator.start_write(0, pattern(65536));
  bool ended = false;
  while (!ended) {
    const auto pdu = initiator.receive();
    ended = !pdu;
    if (ended || pdu->opcode() != spec::Opcode::nop_in) continue;
    spec::NopOut pong;
    pong.opcode_byte |= spec::kImmediate;
    pong.target_transfer_tag = pdu->as<spec::NopIn>().target_transfer_tag;
    pong.cmd_sn = initiator.cmd_sn;
    initiator.send(pong);
  }
  const std::uint64_t waited = bench.world().clock().now_ns() - start;
  EXPECT_GE(waited, kNopIntervalNs);
  EXPECT_LE(waited, kNopIntervalNs * kPatientAlarms);
  EXPECT_TRUE(bench.is_clean());
}

// The data of the second command have to wait for those of the first, which come slowly.
TEST(Nop, AnInitiatorThatSendsItsDataSlowlyStays) {
  Bench bench;
  Initiator initiator(
      bench,
      {.keys = {{"ImmediateData", "No"}, {"InitialR2T", "Yes"}, {"MaxBurstLength", "4096"}}});
  initiator.answer_r2ts = false;
  constexpr std::size_t kBursts = 5;
  const Data data = pattern(kBursts * 4096);
  const auto first = initiator.start_write(0, data);
  const auto second = initiator.start_write(100, data);
  for (std::size_t i = 0; i < kBursts; ++i) {
    initiator.handle_for(kNopIntervalNs - engine::kSecond);
    ASSERT_EQ(initiator.exchanges[first].r2ts.size(), i + 1);
    initiator.answer(first, spec::R2T(initiator.exchanges[first].r2ts[i]));
  }
  ASSERT_EQ(initiator.exchanges[second].r2ts.size(), 1U);
  initiator.answer(second, spec::R2T(initiator.exchanges[second].r2ts[0]));
  initiator.answer_r2ts = true;
  for (const std::uint32_t tag : {first, second}) {
    ASSERT_TRUE(initiator.finish(tag));
    EXPECT_TRUE(initiator.exchanges[tag].is_good());
  }
  EXPECT_EQ(initiator.read(100, data.size() / 512), data);
}

TEST(Nop, AConnectionThatNeverLogsInIsClosed) {
  Bench bench;
  Initiator initiator(bench);
  EXPECT_TRUE(initiator.wait_for_end());
  EXPECT_TRUE(bench.is_clean());
}

// ---- Text

std::string all_targets(Initiator& initiator, std::string_view request_text) {
  spec::TextRequest request;
  request.initiator_task_tag = initiator.next_tag();
  request.cmd_sn = initiator.cmd_sn++;
  initiator.send(request, as_bytes(request_text));
  const auto reply = initiator.receive();
  if (!reply || reply->opcode() != spec::Opcode::text_response) return "none";
  return std::string(as_text(reply->data));
}

TEST(TextRequests, SendTargetsIsAnsweredInBothKindsOfSession) {
  using namespace std::string_view_literals;
  Bench bench;
  const std::string expected =
      "TargetName=" + kTargetName + '\0' + "TargetAddress=10.0.0.1:3260,1" + '\0';
  Initiator discovery(bench, {.discovery = true});
  ASSERT_TRUE(discovery.is_logged_in());
  EXPECT_EQ(all_targets(discovery, "SendTargets=All\0"sv), expected);
  Initiator normal(bench, {});
  EXPECT_EQ(all_targets(normal, "SendTargets=\0"sv), expected);
  EXPECT_EQ(all_targets(normal, "SendTargets=iqn.2026-11.test:nothing\0"sv), "");
}

TEST(TextRequests, ADiscoverySessionTakesNoCommands) {
  Bench bench;
  Initiator initiator(bench, {.discovery = true});
  initiator.start_read(0, 1);
  initiator.start_function(spec::TmfFunction::logical_unit_reset, spec::kReservedTag);
  initiator.handle_for(engine::kMillisecond);
  ASSERT_EQ(initiator.others.size(), 2U);
  EXPECT_EQ(initiator.others[0].opcode(), spec::Opcode::reject);
  EXPECT_EQ(initiator.others[1].opcode(), spec::Opcode::reject);
}

// ---- Logout

std::optional<spec::LogoutResponseCode> log_out(Initiator& initiator, spec::LogoutReason reason,
                                                std::uint16_t cid = 0) {
  initiator.start_log_out(reason, cid, true);
  for (;;) {
    auto reply = initiator.receive();
    if (!reply) return std::nullopt;
    if (reply->opcode() == spec::Opcode::logout_response)
      return static_cast<spec::LogoutResponseCode>(reply->as<spec::LogoutResponse>().response);
    initiator.handle(std::move(*reply));
  }
}

TEST(Logout, ClosesTheSessionOrItsConnection) {
  for (const auto reason :
       {spec::LogoutReason::close_session, spec::LogoutReason::close_connection}) {
    Bench bench;
    Initiator initiator(bench, {});
    EXPECT_EQ(log_out(initiator, reason), spec::LogoutResponseCode::closed);
    EXPECT_TRUE(initiator.wait_for_end());
    EXPECT_TRUE(bench.is_clean());
  }
}

TEST(Logout, WhatCannotBeClosedIsSaidAndTheSessionGoesOn) {
  Bench bench;
  Initiator initiator(bench, {});
  EXPECT_EQ(log_out(initiator, spec::LogoutReason::remove_connection_for_recovery),
            spec::LogoutResponseCode::recovery_not_supported);
  EXPECT_EQ(log_out(initiator, spec::LogoutReason::close_connection, 7),
            spec::LogoutResponseCode::cid_not_found);
  EXPECT_EQ(initiator.read(0, 1).size(), 512U);
}

TEST(Logout, EndsCommandsInFlightFirst) {
  Bench bench;
  Initiator initiator(bench, {.keys = {{"ImmediateData", "No"}, {"InitialR2T", "Yes"}}});
  initiator.answer_r2ts = false;
  bench.device().hold = true;
  initiator.start_read(0, 1);                                    // in the device
  initiator.start_write(0, pattern(4096));                       // waits for data
  initiator.start_read(0, 1, {.cmd_sn = initiator.cmd_sn + 3});  // waits for an earlier CmdSN
  initiator.handle_for(engine::kMillisecond);
  EXPECT_EQ(log_out(initiator, spec::LogoutReason::close_session),
            spec::LogoutResponseCode::closed);
  EXPECT_TRUE(initiator.wait_for_end());
  EXPECT_TRUE(bench.is_clean());
  EXPECT_TRUE(bench.device().held.empty());
}

// ---- What makes no sense

TEST(Reject, AnUnknownOpcodeIsRejectedWithItsHeader) {
  Bench bench;
  Initiator initiator(bench, {});
  for (const std::uint8_t opcode : std::to_array<std::uint8_t>({0x1f, 0x21, 0x3f, 0x10, 0x03})) {
    spec::Bhs pdu;
    pdu.opcode_byte = opcode;
    pdu.initiator_task_tag = 0x4711;
    initiator.send(pdu, pattern(20));
    const auto reply = initiator.receive();
    ASSERT_TRUE(reply);
    ASSERT_EQ(reply->opcode(), spec::Opcode::reject);
    EXPECT_EQ(reply->bhs.initiator_task_tag, spec::kReservedTag);
    EXPECT_EQ(load<spec::Bhs>(reply->data)->opcode_byte, opcode);
  }
  EXPECT_EQ(initiator.read(0, 1).size(), 512U);
}

TEST(Reject, ADataSegmentThatIsTooLongEndsTheConnection) {
  Bench bench;
  Initiator initiator(bench, {});
  spec::NopOut ping;
  ping.initiator_task_tag = 1;
  ping.cmd_sn = initiator.cmd_sn;
  ping.data_segment_length = 262145;
  initiator.send_raw(as_bytes(ping));
  EXPECT_TRUE(initiator.wait_for_end());
  EXPECT_TRUE(bench.is_clean());
}

}  // namespace
}  // namespace lunar::iscsi
