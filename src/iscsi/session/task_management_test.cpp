// Task management, reinstatement, and the end of sessions, over several shards.
#include <gtest/gtest.h>

#include "iscsi/testing/initiator.h"

namespace lunar::iscsi {
namespace {

using namespace testing;
using enum spec::TmfFunction;
using enum spec::TmfResponse;

const Keys kLevel2 = {{"iSCSIProtocolLevel", "2"}};
const Keys kOnlyR2t = {{"ImmediateData", "No"}, {"InitialR2T", "Yes"}};

TEST(AbortTask, OfAWriteThatWaitsForData) {
  Bench bench;
  Initiator initiator(bench, {.keys = kOnlyR2t});
  initiator.answer_r2ts = false;
  const auto tag = initiator.start_write(0, pattern(65536));
  initiator.handle_for(engine::kMillisecond);
  ASSERT_EQ(initiator.exchanges[tag].r2ts.size(), 1U);
  EXPECT_EQ(initiator.manage(abort_task, tag), function_complete);
  // Its data comes all the same.
  initiator.answer(tag, spec::R2T(initiator.exchanges[tag].r2ts[0]));
  initiator.answer_r2ts = true;
  EXPECT_TRUE(initiator.write(200, pattern(512))) << "the session goes on";
  EXPECT_FALSE(initiator.exchanges[tag].done);
  EXPECT_EQ(bench.tasks_in_use(), 0U);
}

TEST(AbortTask, OfACommandInTheDevice) {
  Bench bench;
  Initiator initiator(bench, {});
  bench.device().hold = true;
  const auto tag = initiator.start_read(0, 1);
  initiator.handle_for(engine::kMillisecond);
  EXPECT_EQ(initiator.manage(abort_task, tag), function_complete);
  EXPECT_TRUE(bench.device().held.empty());
  EXPECT_EQ(initiator.manage(abort_task, tag), task_does_not_exist);
}

TEST(AbortTask, OfACommandThatTheDeviceDoesNotLetGo) {
  Bench bench;
  Initiator initiator(bench, {});
  bench.device().hold = bench.device().deaf = true;
  const auto tag = initiator.start_read(0, 1);
  initiator.handle_for(engine::kMillisecond);
  const auto function = initiator.start_function(abort_task, tag);
  const auto second = initiator.start_function(abort_task, tag);
  EXPECT_EQ(initiator.finish_function(second), task_does_not_exist);
  initiator.handle_for(engine::kMillisecond);
  EXPECT_TRUE(initiator.exchanges[tag].r2ts.empty());
  bench.device().release();
  EXPECT_EQ(initiator.finish_function(function), function_complete);
  EXPECT_FALSE(initiator.exchanges[tag].done);
}

TEST(AbortTask, OfACommandThatHasNotComeYet) {
  Bench bench;
  Initiator initiator(bench, {});
  const std::uint32_t sn = initiator.cmd_sn;
  initiator.cmd_sn = sn + 1;  // the command of CmdSN sn is on its way
  const auto later = initiator.start_read(0, 1);
  EXPECT_EQ(initiator.manage(abort_task, 0x9999, 0, sn), function_complete);
  ASSERT_TRUE(initiator.finish(later)) << "the hole is filled";
  const auto late = initiator.start_read(0, 1, {.cmd_sn = sn});
  EXPECT_EQ(initiator.read(0, 1).size(), 512U);
  EXPECT_FALSE(initiator.exchanges[late].done) << "it counts as received and aborted";
}

TEST(AbortTask, OfAHeldCommandKeepsItsPlaceInTheOrder) {
  Bench bench;
  Initiator initiator(bench, {});
  const std::uint32_t sn = initiator.cmd_sn;
  const auto held = initiator.start_read(0, 1, {.cmd_sn = sn + 1});
  const auto last = initiator.start_read(0, 1, {.cmd_sn = sn + 2});
  initiator.cmd_sn = sn + 3;
  EXPECT_EQ(initiator.manage(abort_task, held), function_complete);
  // Again, by its CmdSN: nothing is left of it, and it must not be counted twice.
  (void)initiator.manage(abort_task, held, 0, sn + 1);
  const auto first = initiator.start_read(0, 1, {.cmd_sn = sn});
  ASSERT_TRUE(initiator.finish(first));
  ASSERT_TRUE(initiator.finish(last));
  EXPECT_FALSE(initiator.exchanges[held].done);
  EXPECT_EQ(initiator.read(0, 1).size(), 512U);
}

TEST(AbortTask, KnowsTheLogicalUnitAndTheTag) {
  Bench bench({.luns = 2});
  Initiator initiator(bench, {});
  bench.device().hold = true;
  const auto tag = initiator.start_read(0, 1);
  initiator.handle_for(engine::kMillisecond);
  EXPECT_EQ(initiator.manage(abort_task, tag, 1), task_does_not_exist);
  EXPECT_EQ(initiator.manage(abort_task, tag + 77), task_does_not_exist);
  bench.device().release();
  EXPECT_TRUE(initiator.finish(tag));
}

TEST(TaskManagement, AbortTaskSetTakesOnlyOwnCommandsOfOneUnit) {
  Bench bench({.luns = 2});
  Initiator one(bench, {});
  Initiator two(bench, {.name = "iqn.2026-11.test:two"});
  (void)one.run({0, 0, 0, 0, 0, 0}, 0, 0, {}, {.lun = 1});
  bench.device(0).hold = bench.device(1).hold = true;
  one.start_read(0, 1);
  const auto other_unit = one.start_read(0, 1, {.lun = 1});
  const auto other_session = two.start_read(0, 1);
  bench.world().run_for(engine::kMillisecond);
  EXPECT_EQ(one.manage(abort_task_set), function_complete);
  EXPECT_EQ(bench.device(0).held.size(), 1U);
  bench.device(0).release();
  bench.device(1).release();
  EXPECT_TRUE(one.finish(other_unit));
  EXPECT_TRUE(two.finish(other_session));
  EXPECT_EQ(one.manage(abort_task_set, spec::kReservedTag, 9), lun_does_not_exist);
}

// RFC 7143 §4.2.3.3: also what was sent before the function, and waits for an earlier command.
TEST(TaskManagement, ReachesCommandsThatAreHeld) {
  for (const auto function :
       {abort_task_set, clear_task_set, logical_unit_reset, target_warm_reset, i_t_nexus_reset}) {
    Bench bench({.luns = 2});
    Initiator initiator(bench, {.keys = kLevel2});
    (void)initiator.run({0, 0, 0, 0, 0, 0}, 0, 0, {}, {.lun = 1});
    const std::uint32_t sn = initiator.cmd_sn;
    const auto held = initiator.start_write(0, pattern(512), {.cmd_sn = sn + 1});
    const auto other_unit = initiator.start_read(0, 1, {.lun = 1, .cmd_sn = sn + 2});
    const auto later = initiator.start_read(0, 1, {.cmd_sn = sn + 3});
    initiator.cmd_sn = sn + 3;  // the function is immediate, and before `later`
    EXPECT_EQ(initiator.manage(function), function_complete);
    initiator.cmd_sn = sn + 4;
    (void)initiator.finish(initiator.start({0, 0, 0, 0, 0, 0}, 0, 0, {},
                                           {.cmd_sn = sn}));  // perhaps with a unit attention
    EXPECT_TRUE(initiator.finish(later)) << "sent after the function";
    EXPECT_FALSE(initiator.exchanges[held].done);
    EXPECT_EQ(bench.device().medium[0], std::byte{0});
    const bool whole_target = function == target_warm_reset || function == i_t_nexus_reset;
    initiator.handle_for(engine::kMillisecond);
    EXPECT_EQ(initiator.exchanges[other_unit].done, !whole_target);
    EXPECT_EQ(bench.tasks_in_use(), 0U);
  }
}

TEST(TaskManagement, LogicalUnitResetReachesOtherShards) {
  Bench bench({.shards = 2});
  Initiator one(bench, {});
  Initiator two(bench, {.name = "iqn.2026-11.test:two", .keys = kOnlyR2t});
  ASSERT_EQ(bench.service().on(0).connection_count(), 1U);
  ASSERT_EQ(bench.service().on(1).connection_count(), 1U);
  two.answer_r2ts = false;
  bench.device().hold = true;
  const auto mine = one.start_read(0, 1);
  const auto theirs = two.start_read(0, 1);
  const auto waiting = two.start_write(0, pattern(4096));
  bench.world().run_for(engine::kMillisecond);
  EXPECT_EQ(bench.device().held.size(), 2U);
  EXPECT_EQ(one.manage(logical_unit_reset), function_complete);
  EXPECT_TRUE(bench.device().held.empty());
  bench.device().release();
  EXPECT_EQ(bench.tasks_in_use(0), 0U);
  EXPECT_EQ(bench.tasks_in_use(1), 0U);
  EXPECT_FALSE(one.exchanges[mine].done);
  EXPECT_FALSE(two.exchanges[theirs].done);
  EXPECT_FALSE(two.exchanges[waiting].done);
  EXPECT_EQ(two.run({0, 0, 0, 0, 0, 0}, 0, 0).additional_sense(), 0x2903U);
  EXPECT_EQ(one.run({0, 0, 0, 0, 0, 0}, 0, 0).additional_sense(), 0x2903U);
}

// The medium must not change after the reset has been answered, though data for the aborted write
// is still on its way into it.
TEST(TaskManagement, AResetStopsDataThatIsArrivingInTheMedium) {
  for (const bool immediate : {true, false}) {
    Bench bench({.shards = 2});
    Initiator one(bench, {});
    Initiator two(bench,
                  {.name = "iqn.2026-11.test:two",
                   .keys = {{"ImmediateData", immediate ? "Yes" : "No"}, {"InitialR2T", "Yes"}}});
    two.answer_r2ts = false;
    const Data data(65536, std::byte{0xee});
    Data wire;
    if (immediate) {
      spec::ScsiCommand command;
      command.flags = spec::kFinal | spec::kWrite | 1;
      command.initiator_task_tag = 7;
      command.expected_data_transfer_length = 65536;
      command.cmd_sn = two.cmd_sn++;
      const auto cdb = Initiator::cdb10(0x2a, 0, 128);
      std::copy(cdb.begin(), cdb.end(), command.cdb.begin());
      wire = two.encode(command, data);
    } else {
      const auto tag = two.start_write(0, data);
      two.handle_for(engine::kMillisecond);
      spec::DataOut pdu;
      pdu.flags = spec::kFinal;
      pdu.initiator_task_tag = tag;
      pdu.target_transfer_tag = two.exchanges[tag].r2ts.at(0).target_transfer_tag;
      wire = two.encode(pdu, data);
    }
    two.send_raw(Bytes(wire).first(20000));
    bench.world().run_for(engine::kMillisecond);
    EXPECT_EQ(bench.device().medium[4096], std::byte{0xee}) << "received in place";
    EXPECT_EQ(one.manage(logical_unit_reset), function_complete);
    two.send_raw(Bytes(wire).subspan(20000));
    bench.world().run_for(engine::kMillisecond);
    EXPECT_EQ(bench.device().medium[65535], std::byte{0});
    EXPECT_EQ(bench.tasks_in_use(1), 0U);
    EXPECT_EQ(two.run({0, 0, 0, 0, 0, 0}, 0, 0).additional_sense(), 0x2903U);
    EXPECT_TRUE(two.run({0, 0, 0, 0, 0, 0}, 0, 0).is_good());
  }
}

TEST(TaskManagement, WarmResetReachesAllUnits) {
  Bench bench({.shards = 2, .luns = 2});
  Initiator one(bench, {});
  (void)one.run({0, 0, 0, 0, 0, 0}, 0, 0, {}, {.lun = 1});
  bench.device(0).hold = bench.device(1).hold = true;
  one.start_read(0, 1);
  one.start_read(0, 1, {.lun = 1});
  one.handle_for(engine::kMillisecond);
  EXPECT_EQ(one.manage(target_warm_reset), function_complete);
  EXPECT_TRUE(bench.device(0).held.empty());
  EXPECT_TRUE(bench.device(1).held.empty());
}

TEST(TaskManagement, ColdResetEndsEverySessionOfTheTarget) {
  Bench bench({.shards = 2});
  Initiator one(bench, {});
  Initiator two(bench, {.name = "iqn.2026-11.test:two"});
  Initiator three(bench, {.name = "iqn.2026-11.test:three"});
  bench.device().hold = true;
  two.start_read(0, 1);
  bench.world().run_for(engine::kMillisecond);
  EXPECT_EQ(one.manage(target_cold_reset), function_complete);
  EXPECT_TRUE(one.wait_for_end());
  EXPECT_TRUE(two.wait_for_end());
  EXPECT_TRUE(three.wait_for_end());
  EXPECT_TRUE(bench.is_clean());
  bench.device().release();
  Initiator again(bench, {});
  EXPECT_TRUE(again.is_logged_in());
}

TEST(TaskManagement, WhatIsNotOfferedSaysSo) {
  Bench bench;
  Initiator initiator(bench, {});
  EXPECT_EQ(initiator.manage(task_reassign), task_allegiance_reassignment_not_supported);
  EXPECT_EQ(initiator.manage(clear_aca), function_not_supported);
  EXPECT_EQ(initiator.manage(static_cast<spec::TmfFunction>(0x55)), function_not_supported);
}

// ---- RFC 7144 §4.1

TEST(Query, NeedsTheProtocolLevel) {
  Bench bench;
  Initiator old(bench, {});
  Initiator level_1(bench, {.isid = 2, .keys = {{"iSCSIProtocolLevel", "1"}}});
  for (const auto function :
       {query_task, query_task_set, i_t_nexus_reset, query_asynchronous_event}) {
    EXPECT_EQ(old.manage(function), function_not_supported);
    EXPECT_EQ(level_1.manage(function), function_not_supported);
  }
}

TEST(Query, FindsTasks) {
  Bench bench({.luns = 2});
  Initiator initiator(bench, {.keys = kLevel2});
  Initiator other(bench, {.name = "iqn.2026-11.test:two", .keys = kLevel2});
  bench.device().hold = true;
  const auto tag = initiator.start_read(0, 1);
  initiator.handle_for(engine::kMillisecond);
  EXPECT_EQ(initiator.manage(query_task, tag), function_succeeded);
  EXPECT_EQ(initiator.manage(query_task, tag, 1), function_complete) << "another logical unit";
  EXPECT_EQ(initiator.manage(query_task, tag + 77), function_complete);
  EXPECT_EQ(initiator.manage(query_task_set), function_succeeded);
  EXPECT_EQ(initiator.manage(query_task_set, spec::kReservedTag, 1), function_complete);
  EXPECT_EQ(initiator.manage(query_task_set, spec::kReservedTag, 9), lun_does_not_exist);
  EXPECT_EQ(other.manage(query_task_set), function_complete) << "its own task set is empty";
  bench.device().release();
  ASSERT_TRUE(initiator.finish(tag));
  EXPECT_TRUE(initiator.exchanges[tag].is_good());
  EXPECT_EQ(initiator.manage(query_task, tag), function_complete);
  EXPECT_EQ(initiator.manage(query_task_set), function_complete);
}

// The three bytes of additional response information.
std::uint32_t ask_for_event(Initiator& initiator, spec::TmfResponse wanted) {
  const auto tag = initiator.start_function(query_asynchronous_event, spec::kReservedTag);
  const auto pdu = initiator.receive();
  if (!pdu || pdu->opcode() != spec::Opcode::task_management_response) return UINT32_MAX;
  const auto response = pdu->as<spec::TaskManagementResponse>();
  EXPECT_EQ(response.initiator_task_tag, tag);
  EXPECT_EQ(static_cast<spec::TmfResponse>(response.response), wanted);
  return response.additional_response_information;
}

TEST(Query, TellsOfUnitAttentions) {
  Bench bench;
  Initiator initiator(bench, {.keys = kLevel2});
  Initiator other(bench, {.name = "iqn.2026-11.test:two"});
  EXPECT_EQ(ask_for_event(initiator, function_complete), 0U);
  EXPECT_EQ(other.manage(logical_unit_reset), function_complete);
  EXPECT_EQ(ask_for_event(initiator, function_succeeded), 0x162903U);
  EXPECT_EQ(ask_for_event(initiator, function_succeeded), 0x162903U) << "it stays pending";
  EXPECT_EQ(initiator.run({0, 0, 0, 0, 0, 0}, 0, 0).additional_sense(), 0x2903U);
  EXPECT_EQ(ask_for_event(initiator, function_complete), 0U);
}

TEST(TaskManagement, ANexusResetEndsItsOwnCommandsOfAllUnits) {
  Bench bench({.luns = 2});
  Initiator one(bench, {.keys = kLevel2});
  Initiator two(bench, {.name = "iqn.2026-11.test:two"});
  (void)one.run({0, 0, 0, 0, 0, 0}, 0, 0, {}, {.lun = 1});
  bench.device(0).hold = bench.device(1).hold = true;
  const auto first = one.start_read(0, 1);
  const auto second = one.start_read(0, 1, {.lun = 1});
  const auto theirs = two.start_read(0, 1);
  bench.world().run_for(engine::kMillisecond);
  EXPECT_EQ(one.manage(i_t_nexus_reset), function_complete);
  EXPECT_EQ(bench.device(0).held.size(), 1U);
  EXPECT_TRUE(bench.device(1).held.empty());
  bench.device(0).release();
  bench.device(1).release();
  EXPECT_TRUE(two.finish(theirs));
  EXPECT_TRUE(two.exchanges[theirs].is_good());
  EXPECT_FALSE(one.exchanges[first].done);
  EXPECT_FALSE(one.exchanges[second].done);
  for (const std::uint64_t lun : {std::uint64_t{0}, std::uint64_t{1}}) {
    const auto sense = one.run({0, 0, 0, 0, 0, 0}, 0, 0, {}, {.lun = lun}).additional_sense();
    EXPECT_EQ(sense, 0x2907U);
    EXPECT_TRUE(one.run({0, 0, 0, 0, 0, 0}, 0, 0, {}, {.lun = lun}).is_good());
  }
  EXPECT_TRUE(two.run({0, 0, 0, 0, 0, 0}, 0, 0).is_good());
}

// ---- TAS of the control mode page (SAM-5 §5.3.1, TASK ABORTED)

// MODE SELECT (6) of the control mode page.
bool set_tas(Initiator& initiator, bool tas) {
  const Exchange& present = initiator.run({0x1a, 0x08, 0x0a, 0, 16, 0}, spec::kRead, 16);
  Data list = present.in;
  list[0] = std::byte{0};
  list[4] &= std::byte{0x3f};  // PS
  list[9] = tas ? std::byte{0x40} : std::byte{0};
  return initiator.run({0x15, 0x10, 0, 0, 16, 0}, spec::kWrite, 16, list).is_good();
}

TEST(TaskAbortedStatus, TellsOtherNexusesWhenTasIsOne) {
  Bench bench({.shards = 2});
  Initiator one(bench, {});
  Initiator two(bench, {.name = "iqn.2026-11.test:two", .keys = kOnlyR2t});
  ASSERT_TRUE(set_tas(one, true));
  (void)two.run({0, 0, 0, 0, 0, 0}, 0, 0);  // mode parameters changed
  two.answer_r2ts = false;
  bench.device().hold = true;
  const auto mine = one.start_read(0, 1);
  const auto reading = two.start_read(0, 1);
  const auto writing = two.start_write(0, pattern(4096));
  bench.world().run_for(engine::kMillisecond);
  EXPECT_EQ(one.manage(logical_unit_reset), function_complete);
  EXPECT_FALSE(one.exchanges[mine].done) << "its own doing";
  ASSERT_TRUE(two.finish(reading));
  EXPECT_EQ(two.exchanges[reading].status, 0x40);
  EXPECT_FALSE(two.exchanges[writing].done) << "its data have been asked for";
  two.answer(writing, spec::R2T(two.exchanges[writing].r2ts.at(0)));
  ASSERT_TRUE(two.finish(writing));
  EXPECT_EQ(two.exchanges[writing].status, 0x40);
  EXPECT_EQ(bench.device().medium[0], std::byte{0});
  EXPECT_EQ(two.run({0, 0, 0, 0, 0, 0}, 0, 0).additional_sense(), 0x2903U);
  // The reset has brought back what was not saved: TAS is zero.
  const auto silent = two.start_read(0, 1);
  bench.world().run_for(engine::kMillisecond);
  EXPECT_EQ(one.manage(logical_unit_reset), function_complete);
  two.handle_for(engine::kMillisecond);
  EXPECT_FALSE(two.exchanges[silent].done);
}

TEST(TaskManagement, RequestsInProgressAreLimited) {
  Bench bench;
  Initiator initiator(bench, {});
  bench.device().hold = bench.device().deaf = true;
  initiator.start_read(0, 1);
  for (std::size_t i = 0; i < kMaxManagementRequests + 5; ++i)
    initiator.start_function(abort_task_set, spec::kReservedTag);
  initiator.handle_for(engine::kMillisecond);
  EXPECT_EQ(initiator.others.size(), 5U);
  for (const Pdu& pdu : initiator.others) EXPECT_EQ(pdu.opcode(), spec::Opcode::reject);
  bench.device().release();
  initiator.handle_for(engine::kMillisecond);
  EXPECT_EQ(initiator.others.size(), 5U + kMaxManagementRequests);
}

// ---- Session reinstatement (RFC 7143 §6.3.5)

TEST(Reinstatement, ANewLoginEndsTheOldSessionOnAnyShard) {
  Bench bench({.shards = 2});
  Initiator first(bench, {});
  bench.device().hold = true;
  first.start_read(0, 1);
  bench.world().run_for(engine::kMillisecond);
  Initiator second(bench, {});  // on the other shard
  ASSERT_TRUE(second.is_logged_in());
  EXPECT_TRUE(first.wait_for_end());
  EXPECT_EQ(bench.connections(), 1U);
  EXPECT_TRUE(bench.device().held.empty());
  bench.device().release();
  EXPECT_EQ(second.read(0, 1).size(), 512U);
  Initiator other(bench, {.isid = 2});
  EXPECT_TRUE(other.is_logged_in());
  EXPECT_EQ(bench.connections(), 2U) << "another ISID is another session";
}

TEST(Reinstatement, WaitsForCommandsThatTheDeviceHolds) {
  Bench bench({.shards = 2});
  Initiator first(bench, {});
  bench.device().hold = bench.device().deaf = true;
  first.start_write(0, pattern(512));
  bench.world().run_for(engine::kMillisecond);
  Initiator second(bench);
  second.start_log_in({});
  EXPECT_TRUE(second.receive_for(engine::kSecond).empty())
      << "a write of the old session could still reach the medium";
  bench.device().release();
  EXPECT_TRUE(second.finish_log_in());
  EXPECT_TRUE(first.wait_for_end());
}

TEST(Reinstatement, OneNameAtOnceFromManyConnections) {
  Bench bench({.shards = 3});
  std::vector<std::unique_ptr<Initiator>> all;
  for (int round = 0; round < 12; ++round) {
    all.push_back(std::make_unique<Initiator>(bench));
    EXPECT_TRUE(all.back()->log_in({}));
  }
  bench.world().run_for(engine::kMillisecond);
  EXPECT_EQ(bench.connections(), 1U);
}

}  // namespace
}  // namespace lunar::iscsi
