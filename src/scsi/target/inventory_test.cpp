// LUN maps change while commands run.
#include <gtest/gtest.h>

#include "scsi/testing/bench.h"

namespace lunar::scsi {
namespace {

using namespace testing;
using spec::AdditionalSense;
using spec::Opcode;

constexpr std::uint64_t kReportLunsUnit = 0xc101'0000'0000'0000;
const std::vector<std::uint8_t> kTestUnitReady(6, 0);
const std::vector<std::uint8_t> kReportLuns = {0xa0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0};

constexpr auto kPowerOn = AdditionalSense::power_on_reset_or_bus_device_reset_occurred;
constexpr auto kLunsChanged = AdditionalSense::reported_luns_data_has_changed;

// Two shards. LUN 0 is the bench's unit, LUN 1 another.
class Inventory : public ::testing::Test {
 protected:
  Inventory() {
    run_everywhere([this](engine::Shard& shard) { return open(shard); });
    maps_ = *bench_.target().maps();
    EXPECT_TRUE(maps_.others.add(Lun(1), second_));
    bench_.publish(maps_);
    for (Initiator* initiator : {&near_, &far_}) {
      initiator->clear_attention(0);
      initiator->clear_attention(1);
      initiator->clear_attention(kReportLunsUnit);
    }
  }
  ~Inventory() override {
    bench_.publish(LunMaps());
    run_everywhere([this](engine::Shard& shard) { return second_.stop(shard); });
  }

  engine::Task<void> open(engine::Shard& shard) {
    const Result<void> opened = co_await second_.open(shard);
    EXPECT_TRUE(opened);
  }
  template <class Make>
  void run_everywhere(Make make) {
    for (std::size_t i = 0; i < 2; ++i)
      bench_.world().run([&, i] { return make(bench_.world().shard(i)); }, i);
  }
  void remove(std::uint16_t lun) {
    EXPECT_TRUE(maps_.others.remove(Lun(lun)));
    bench_.publish(maps_);
  }

  Bench bench_{64, {}, 2};
  FakeDevice second_device_{64, 512, "second"};
  block::Disk second_disk_{second_device_, bench_.unit().shards()};
  LogicalUnit second_{second_disk_};
  LunMaps maps_;
  Initiator& near_ = bench_.initiator();
  Initiator far_{bench_, 1, "iqn.2026-11.test:far"};
};

TEST_F(Inventory, ANumberThatIsRemovedHasNoLogicalUnit) {
  remove(1);
  EXPECT_TRUE(near_.run(block_cdb(Opcode::read_10, 0, 1), {}, 1)
                  .is_illegal(AdditionalSense::lu_not_supported));
  EXPECT_EQ(near_.run({0x12, 0, 0, 0, 36, 0}, {}, 1).data[0], 0x7f);
}

// LUICLR in VPD page 86h: reported once, by any logical unit.
TEST_F(Inventory, OneOfTheOtherNumbersTellsOfTheChangeOnEveryShard) {
  remove(1);
  for (Initiator* initiator : {&near_, &far_}) {
    EXPECT_TRUE(initiator->run(kTestUnitReady).is_attention(kLunsChanged));
    EXPECT_TRUE(initiator->run(kTestUnitReady).is_good());
    EXPECT_TRUE(initiator->run(kTestUnitReady, {}, kReportLunsUnit).is_good());
  }
}

TEST_F(Inventory, TheWellKnownUnitTellsOfTheChangeToo) {
  remove(1);
  EXPECT_TRUE(near_.run(kTestUnitReady, {}, kReportLunsUnit).is_attention(kLunsChanged));
  EXPECT_TRUE(near_.run(kTestUnitReady).is_good());
}

TEST_F(Inventory, ReportLunsMakesTheAttentionMoot) {
  remove(1);
  EXPECT_EQ(near_.run(kReportLuns, {}, kReportLunsUnit).data.size(), 16U);
  EXPECT_TRUE(near_.run(kTestUnitReady).is_good());
  EXPECT_TRUE(near_.run(kTestUnitReady, {}, kReportLunsUnit).is_good());
  EXPECT_TRUE(far_.run(kTestUnitReady).is_attention(kLunsChanged)) << "each nexus for itself";
}

TEST_F(Inventory, CommandsThatHaveNotBegunEndAtOnce) {
  const auto prepared = near_.prepare(block_cdb(Opcode::write_10, 0, 1), filled(512, 1), 1);
  const auto ordered =
      far_.prepare(block_cdb(Opcode::write_10, 0, 1), filled(512, 1), 1, TaskAttribute::ordered);
  const auto waiting = far_.start(block_cdb(Opcode::read_10, 0, 1), {}, 1);
  const auto elsewhere = near_.prepare(block_cdb(Opcode::write_10, 0, 1), filled(512, 1), 0);
  remove(1);
  for (TestCommand* command : {prepared.get(), ordered.get(), waiting.get()}) {
    ASSERT_TRUE(command->outcome) << "before the publication completes";
    EXPECT_TRUE(command->outcome->is_illegal(AdditionalSense::lu_not_supported));
  }
  near_.server().execute(*prepared);  // the data arrived late
  EXPECT_TRUE(second_device_.calls.empty());
  near_.execute(*elsewhere);
  EXPECT_TRUE(near_.finish(*elsewhere).is_good());
}

TEST_F(Inventory, CommandsOnTheMediumAreAbortedThere) {
  second_device_.hold = true;
  const auto held = near_.start(block_cdb(Opcode::read_10, 0, 1), {}, 1);
  remove(1);
  ASSERT_TRUE(held->outcome);
  EXPECT_TRUE(held->outcome->is_illegal(AdditionalSense::lu_not_supported));
  EXPECT_FALSE(held->outcome->aborted) << "the initiator is told";
}

TEST_F(Inventory, CommandsThatTheMediumHasDoneEndWell) {
  const auto done = near_.start(block_cdb(Opcode::write_10, 0, 1), filled(512, 9), 1);
  ASSERT_FALSE(done->outcome) << "done, but not told yet";
  remove(1);
  ASSERT_TRUE(done->outcome);
  EXPECT_TRUE(done->outcome->is_good());
}

TEST_F(Inventory, CommandsInTheBufferQueueEndAtOnce) {
  std::vector<engine::Buffer> all;
  engine::Shard::bind(&bench_.world().shard(0));
  while (auto buffer = bench_.world().shard(0).buffers().try_allocate(engine::kMinBufferBytes))
    all.push_back(std::move(buffer));
  const auto queued = near_.start(block_cdb(Opcode::read_10, 0, 1), {}, 1);
  remove(1);
  ASSERT_TRUE(queued->outcome);
  EXPECT_TRUE(queued->outcome->is_illegal(AdditionalSense::lu_not_supported));
  EXPECT_FALSE(bench_.world().shard(0).buffers().has_waiters());
}

TEST_F(Inventory, ASwappedNumberLeadsToTheOtherUnit) {
  second_device_.hold = true;
  const auto held = near_.start(block_cdb(Opcode::read_10, 0, 1), {}, 1);
  ASSERT_TRUE(near_.run(block_cdb(Opcode::write_10, 5, 1), filled(512, 7), 0).is_good());
  ASSERT_TRUE(maps_.others.replace(Lun(1), bench_.unit()));
  bench_.publish(maps_);
  EXPECT_TRUE(held->outcome->is_illegal(AdditionalSense::lu_not_supported));
  EXPECT_TRUE(near_.run(kTestUnitReady, {}, 1).is_attention(kPowerOn));
  EXPECT_TRUE(near_.run(kTestUnitReady, {}, 1).is_attention(kLunsChanged));
  EXPECT_TRUE(
      near_.run(kTestUnitReady, {}, 1).is_attention(AdditionalSense::inquiry_data_has_changed));
  EXPECT_EQ(near_.run(block_cdb(Opcode::read_10, 5, 1), {}, 1).data[0], 7);
}

TEST_F(Inventory, ANewNumberIsThereAtOnce) {
  ASSERT_TRUE(maps_.others.add(Lun(400), second_));
  bench_.publish(maps_);
  EXPECT_TRUE(near_.run(kTestUnitReady, {}, 400).is_attention(kPowerOn));
  EXPECT_TRUE(near_.run(kTestUnitReady, {}, 400).is_good());
  EXPECT_TRUE(near_.run(kTestUnitReady, {}, 1).is_attention(kLunsChanged));
}

TEST_F(Inventory, HostsSeeTheirOwnNumbersAndNothingElse) {
  auto host = std::make_shared<HostMap>();
  host->name = "far";
  host->initiators = *HostSelector::create({"iqn.2026-11.test:f*"}, {});
  ASSERT_TRUE(host->luns.add(Lun(9), second_));
  maps_.hosts = {host};
  bench_.publish(maps_);
  EXPECT_TRUE(near_.run(kTestUnitReady, {}, 1).is_good()) << "nothing changed for it";
  EXPECT_TRUE(near_.run(kTestUnitReady, {}, 9).is_illegal(AdditionalSense::lu_not_supported));
  EXPECT_TRUE(far_.run(kTestUnitReady, {}, 0).is_illegal(AdditionalSense::lu_not_supported));
  EXPECT_TRUE(far_.run(kTestUnitReady, {}, 1).is_illegal(AdditionalSense::lu_not_supported));
  const Outcome list = far_.run(kReportLuns);
  ASSERT_EQ(list.data.size(), 16U);
  EXPECT_EQ(list.data[9], 9);
  far_.clear_attention(9);
  ASSERT_TRUE(far_.run(block_cdb(Opcode::write_10, 3, 1), filled(512, 5), 9).is_good());
  EXPECT_EQ(near_.run(block_cdb(Opcode::read_10, 3, 1), {}, 1).data[0], 5) << "one logical unit";
}

TEST_F(Inventory, ASessionMayEndMeanwhile) {
  {
    Initiator leaving(bench_, 0, "iqn.2026-11.test:leaving");
    leaving.clear_attention(1);
    second_device_.hold = true;
    const auto command = leaving.start(block_cdb(Opcode::read_10, 0, 1), {}, 1);
    ASSERT_TRUE(maps_.others.remove(Lun(1)));
    bool adopted = false;
    const auto adopt = [&]() -> engine::Task<void> {
      co_await bench_.server(0).adopt(std::make_shared<const LunMaps>(maps_));
      adopted = true;
    };
    auto adopting = adopt();
    adopting.detach();
    EXPECT_FALSE(adopted);
    (void)leaving.finish(*command);
    // The nexus goes away in the same loop.
  }
  bench_.publish(maps_);
}

// Outcome of a task management function.
TaskManagementOutcome outcome_of(Bench& bench, engine::Task<TaskManagementOutcome> function) {
  std::optional<TaskManagementOutcome> outcome;
  const auto wait = [](engine::Task<TaskManagementOutcome> task,
                       std::optional<TaskManagementOutcome>& to) -> engine::Task<void> {
    to = co_await task;
  };
  wait(std::move(function), outcome).detach();
  EXPECT_TRUE(bench.world().run_until([&] { return outcome.has_value(); }));
  return *outcome;
}

TEST_F(Inventory, TaskManagementKnowsTheNumbersOfItsInitiator) {
  remove(1);
  engine::Shard::bind(&bench_.world().shard(0));
  DeviceServer& server = near_.server();
  Nexus& nexus = near_.nexus();
  EXPECT_EQ(outcome_of(bench_, server.abort_task_set(nexus, lun_field(1))),
            TaskManagementOutcome::incorrect_lun);
  EXPECT_EQ(outcome_of(bench_, server.logical_unit_reset(nexus, lun_field(1))),
            TaskManagementOutcome::incorrect_lun);
  EXPECT_EQ(outcome_of(bench_, server.logical_unit_reset(nexus, lun_field(kReportLunsUnit))),
            TaskManagementOutcome::function_complete);
  EXPECT_EQ(outcome_of(bench_, server.abort_task_set(nexus, lun_field(kReportLunsUnit))),
            TaskManagementOutcome::function_complete);
  EXPECT_EQ(outcome_of(bench_, server.target_reset(nexus)),
            TaskManagementOutcome::function_complete);
}

TEST_F(Inventory, AResetDoesNotMissAUnitThatIsGoing) {
  // The reset has begun on shard 0 when the unit stops there.
  second_device_.hold = true;
  const auto held = far_.start(block_cdb(Opcode::read_10, 0, 1), {}, 1);
  engine::Shard::bind(&bench_.world().shard(0));
  std::optional<TaskManagementOutcome> outcome;
  const auto wait = [&]() -> engine::Task<void> {
    outcome = co_await near_.server().logical_unit_reset(near_.nexus(), lun_field(1));
  };
  wait().detach();
  remove(1);
  run_everywhere([this](engine::Shard& shard) { return second_.stop(shard); });
  EXPECT_EQ(outcome, TaskManagementOutcome::function_complete);
  ASSERT_TRUE(held->outcome);
}

// SAM-5 §7.8: before the answer, the lost LUN's commands on the medium have ended.
TEST_F(Inventory, AResetWaitsForCommandsOfANumberThatHasGone) {
  auto host = std::make_shared<HostMap>();
  host->name = "far";
  host->initiators = *HostSelector::create({"iqn.2026-11.test:far"}, {});
  ASSERT_TRUE(host->luns.add(Lun(1), second_));
  maps_.hosts = {host};
  bench_.publish(maps_);
  near_.clear_attention(1);
  far_.clear_attention(1);
  second_device_.hold = second_device_.deaf = true;
  const auto held = far_.start(block_cdb(Opcode::write_10, 0, 1), filled(512, 1), 1);
  maps_.hosts.clear();
  ASSERT_TRUE(maps_.others.remove(Lun(0)));  // LUN 1 of the others leads to the same unit
  auto gone = std::make_shared<HostMap>(HostMap{"far", host->initiators, {}});
  maps_.hosts = {gone};
  bool adopted = false;
  const auto adopt = [&]() -> engine::Task<void> {
    co_await bench_.server(1).adopt(std::make_shared<const LunMaps>(maps_));
    adopted = true;
  };
  engine::Shard::bind(&bench_.world().shard(1));
  adopt().detach();
  bench_.world().run_for(engine::kMillisecond);
  EXPECT_FALSE(adopted) << "the medium is busy with its write";

  engine::Shard::bind(&bench_.world().shard(0));
  std::optional<TaskManagementOutcome> outcome;
  const auto reset = [&]() -> engine::Task<void> {
    outcome = co_await near_.server().logical_unit_reset(near_.nexus(), lun_field(1));
  };
  reset().detach();
  bench_.world().run_for(engine::kMillisecond);
  EXPECT_FALSE(outcome) << "so is the reset";
  engine::Shard::bind(&bench_.world().shard(1));
  second_device_.release();
  EXPECT_TRUE(bench_.world().run_until([&] { return outcome && adopted; }));
  EXPECT_TRUE(held->outcome);
  engine::Shard::bind(&bench_.world().shard(0));
  bench_.publish(maps_);
}

// SPC-2 §7.21.
TEST_F(Inventory, TheReservationOfAnInitiatorThatLosesItsNumberEnds) {
  const std::vector<std::uint8_t> reserve = {0x16, 0, 0, 0, 0, 0};
  ASSERT_TRUE(far_.run(reserve, {}, 1).is_good());
  EXPECT_EQ(near_.run(kTestUnitReady, {}, 1).status, spec::Status::reservation_conflict);
  auto host = std::make_shared<HostMap>();
  host->name = "far";
  host->initiators = *HostSelector::create({"iqn.2026-11.test:far"}, {});
  maps_.hosts = {host};
  bench_.publish(maps_);
  EXPECT_TRUE(near_.run(kTestUnitReady, {}, 1).is_good());
}

// A command that it waited for may forbid it: SAM-5 §8.6.
TEST_F(Inventory, ACommandThatWaitedMeetsWhatHasChanged) {
  bench_.device().hold = true;
  const auto reading = near_.start(block_cdb(Opcode::read_10, 0, 1), {}, 0);
  const auto stop = near_.start({0x1b, 0, 0, 0, 0, 0}, {}, 0, TaskAttribute::ordered);
  const auto after = near_.start(block_cdb(Opcode::write_10, 0, 1), filled(512, 1), 0);
  const auto told = near_.start({0x12, 0, 0, 0, 36, 0}, {}, 0);
  EXPECT_TRUE(near_.finish(*told).is_good()) << "INQUIRY waits for nobody";
  EXPECT_FALSE(after->outcome);
  bench_.device().release();
  EXPECT_TRUE(near_.finish(*reading).is_good());
  EXPECT_TRUE(near_.finish(*stop).is_good());
  EXPECT_TRUE(near_.finish(*after).is(spec::SenseKey::not_ready,
                                      AdditionalSense::initializing_command_required));
}

}  // namespace
}  // namespace lunar::scsi
