// Capacity and write protection of a disk, and of its logical unit, while it serves.
#include <gtest/gtest.h>

#include "scsi/testing/protected_disk.h"

namespace lunar::scsi {
namespace {

using namespace testing;
using spec::AdditionalSense;
using spec::Opcode;
using spec::SenseKey;

const std::vector<std::uint8_t> kTestUnitReady(6, 0);
const std::vector<std::uint8_t> kReadCapacity = {0x25, 0, 0, 0, 0, 0, 0, 0, 0, 0};

// Two initiators, one on each of two shards.
class DiskChanges : public ::testing::Test {
 protected:
  DiskChanges() {
    near_.clear_attention();
    far_.clear_attention();
  }
  static engine::Task<void> finish(engine::Task<Result<void>> work, Result<void>& outcome) {
    outcome = co_await work;
  }
  Result<void> protect(bool on) {
    Result<void> outcome;
    bench_.world().run([&] { return finish(bench_.disk().set_write_protected(on), outcome); });
    return outcome;
  }
  Result<void> resize(std::uint64_t blocks) {
    Result<void> outcome;
    bench_.device().resizable = true;
    const ByteCount size(blocks * 512);
    bench_.world().run([&] { return finish(bench_.disk().resize(size), outcome); });
    return outcome;
  }

  Bench bench_{64, {}, 2};
  Initiator& near_ = bench_.initiator();
  Initiator far_{bench_, 1, "iqn.2026-11.test:far"};
};

TEST_F(DiskChanges, WriteProtectionIsToldAndObeyedOnEveryShard) {
  ASSERT_TRUE(protect(true));
  for (Initiator* initiator : {&near_, &far_}) {
    EXPECT_TRUE(
        initiator->run(kTestUnitReady).is_attention(AdditionalSense::mode_parameters_changed));
    EXPECT_TRUE(initiator->run(block_cdb(Opcode::write_10, 0, 1), filled(512, 1))
                    .is(SenseKey::data_protect, AdditionalSense::write_protected));
    EXPECT_TRUE(initiator->run(block_cdb(Opcode::read_10, 0, 1)).is_good());
  }
  ASSERT_TRUE(protect(true));
  EXPECT_TRUE(near_.run(kTestUnitReady).is_good()) << "nothing has changed";
  ASSERT_TRUE(protect(false));
  EXPECT_TRUE(near_.run(kTestUnitReady).is_attention(AdditionalSense::mode_parameters_changed));
  EXPECT_TRUE(near_.run(block_cdb(Opcode::write_10, 0, 1), filled(512, 1)).is_good());
}

TEST_F(DiskChanges, ADeviceThatIsLostIsNotReadyUntilItIsBack) {
  const auto is_not_ready = [](const Outcome& outcome) {
    return outcome.is(SenseKey::not_ready, AdditionalSense::lu_not_ready_cause_not_reportable);
  };
  bench_.device().tell(block::DeviceEvent::lost);
  bench_.world().run_for(1);
  const auto read = near_.start(block_cdb(Opcode::read_10, 0, 1));
  const auto write = far_.start(block_cdb(Opcode::write_10, 0, 1), filled(512, 1));
  bench_.world().run_for(1);
  EXPECT_FALSE(read->outcome || write->outcome) << "it may be back soon";
  EXPECT_TRUE(near_.run(kTestUnitReady).is_good());
  bench_.world().run_for(block::kDevicePatienceNs);
  EXPECT_TRUE(is_not_ready(near_.finish(*read)));
  EXPECT_TRUE(is_not_ready(far_.finish(*write)));
  for (Initiator* initiator : {&near_, &far_}) {
    EXPECT_TRUE(is_not_ready(initiator->run(kTestUnitReady)));
    EXPECT_TRUE(is_not_ready(initiator->run(block_cdb(Opcode::read_10, 0, 1))));
    EXPECT_TRUE(initiator->run({0x12, 0, 0, 0, 96, 0}).is_good());
    EXPECT_TRUE(initiator->run(kReadCapacity).is_good());
  }
  bench_.device().tell(block::DeviceEvent::back);
  bench_.world().run_for(1);
  for (Initiator* initiator : {&near_, &far_}) {
    EXPECT_TRUE(
        initiator->run(kTestUnitReady).is_attention(AdditionalSense::not_ready_to_ready_change));
    EXPECT_TRUE(initiator->run(kTestUnitReady).is_good());
    EXPECT_TRUE(initiator->run(block_cdb(Opcode::read_10, 0, 1)).is_good());
  }
}

TEST_F(DiskChanges, ACommandThatWaitsForALostDeviceCanBeAborted) {
  bench_.device().tell(block::DeviceEvent::lost);
  bench_.world().run_for(1);
  const auto read = near_.start(block_cdb(Opcode::read_10, 0, 1));
  bench_.world().run_for(1);
  bench_.unit().on(0).abort_commands(nullptr, nullptr);
  bench_.world().run_for(1);
  EXPECT_TRUE(read->outcome && read->outcome->aborted);
  bench_.device().tell(block::DeviceEvent::back);
  bench_.world().run_for(1);
}

TEST(ReadOnlyUnit, IsWrittenToWhenThatIsLiftedAndItsDiskIsNotProtected) {
  Bench bench(64, {.read_only = true}, 2);
  bench.initiator().clear_attention();
  const auto write = [&] {
    return bench.initiator().run(block_cdb(Opcode::write_10, 0, 1), filled(512, 1));
  };
  const auto lift = [&] { return bench.unit().lift_read_only(); };
  const auto protect = [&bench](bool on) {
    bench.world().run([&]() -> engine::Task<void> {
      EXPECT_TRUE(co_await bench.disk().set_write_protected(on));
    });
  };
  EXPECT_TRUE(write().is(SenseKey::data_protect, AdditionalSense::write_protected));
  protect(true);
  bench.world().run(lift);
  EXPECT_TRUE(write().is(SenseKey::data_protect, AdditionalSense::write_protected));
  protect(false);
  EXPECT_TRUE(
      bench.initiator().run(kTestUnitReady).is_attention(AdditionalSense::mode_parameters_changed));
  EXPECT_TRUE(write().is_good());
  bench.world().run(lift);
  EXPECT_TRUE(write().is_good()) << "nothing has changed";
}

TEST_F(DiskChanges, NoWriteReachesTheMediumAfterProtection) {
  const auto prepared = near_.prepare(block_cdb(Opcode::write_10, 0, 1), filled(512, 1));
  const auto reading = far_.prepare(block_cdb(Opcode::verify_10, 0, 1, 0x02), filled(512, 0));
  bench_.device().hold = true;
  const auto writing = far_.start(block_cdb(Opcode::write_10, 1, 1), filled(512, 1));
  bool done = false;
  const auto protect_now = [&]() -> engine::Task<void> {
    EXPECT_TRUE(co_await bench_.disk().set_write_protected(true));
    done = true;
  };
  engine::Shard::bind(&bench_.world().shard(0));
  auto protecting = protect_now();
  protecting.detach();
  bench_.world().run_for(engine::kMillisecond);
  EXPECT_FALSE(done) << "one write is on the medium";
  ASSERT_TRUE(prepared->outcome);
  EXPECT_TRUE(prepared->outcome->is(SenseKey::data_protect, AdditionalSense::write_protected));
  engine::Shard::bind(&bench_.world().shard(1));
  bench_.device().release();
  EXPECT_TRUE(far_.finish(*writing).is_good());
  bench_.world().run_until([&] { return done; });
  far_.execute(*reading);
  EXPECT_TRUE(far_.finish(*reading).is_good()) << "it writes nothing";
}

TEST(ProtectedDiskChange, AWriteUnderWayHasItsProtectionInformationWritten) {
  ProtectedBench bench(1);
  FakeDevice& area = *bench.device().protection_area;
  area.hold = true;
  const auto write =
      bench.initiator().start(block_cdb(Opcode::write_10, 64, 64), filled(64UL * 512, 0xff));
  bench.world().run_until([&] { return area.held.size() == 1; });
  bool done = false;
  const auto protect_it = [](block::Disk& disk, bool& set) -> engine::Task<void> {
    EXPECT_TRUE(co_await disk.set_write_protected(true));
    set = true;
  };
  engine::Shard::bind(&bench.world().shard(0));
  protect_it(bench.disk(), done).detach();
  bench.world().run_for(engine::kMillisecond);
  EXPECT_FALSE(done) << "the data are there, what belongs to them is not";
  area.release();
  EXPECT_TRUE(bench.initiator().finish(*write).is_good());
  bench.world().run_until([&] { return done; });
  EXPECT_EQ(bench.stored(127), (std::vector<std::uint8_t>{0xe6, 0xa1, 0, 0, 0, 0, 0, 127}));
}

TEST_F(DiskChanges, ANewCapacityIsTold) {
  ASSERT_TRUE(resize(32));
  for (Initiator* initiator : {&near_, &far_}) {
    EXPECT_TRUE(
        initiator->run(kTestUnitReady).is_attention(AdditionalSense::capacity_data_has_changed));
    EXPECT_EQ(initiator->run(kReadCapacity).data[3], 31);
    EXPECT_TRUE(initiator->run(block_cdb(Opcode::read_10, 31, 1)).is_good());
    EXPECT_TRUE(initiator->run(block_cdb(Opcode::read_10, 32, 1))
                    .is_illegal(AdditionalSense::lba_out_of_range));
  }
  ASSERT_TRUE(resize(64));
  EXPECT_TRUE(near_.run(kTestUnitReady).is_attention(AdditionalSense::capacity_data_has_changed));
  EXPECT_TRUE(near_.run(block_cdb(Opcode::read_10, 63, 1)).is_good());
}

TEST_F(DiskChanges, NothingBeyondASmallerCapacityReachesTheMedium) {
  const auto beyond = near_.prepare(block_cdb(Opcode::write_10, 40, 1), filled(512, 1));
  const auto across = far_.prepare(block_cdb(Opcode::write_10, 31, 2), filled(1024, 1));
  const auto within = near_.prepare(block_cdb(Opcode::write_10, 31, 1), filled(512, 1));
  const auto verify = far_.prepare(block_cdb(Opcode::verify_10, 40, 1, 0x02), filled(512, 0));
  ASSERT_TRUE(resize(32));
  for (TestCommand* command : {beyond.get(), across.get()}) {
    ASSERT_TRUE(command->outcome);
    EXPECT_TRUE(command->outcome->is_illegal(AdditionalSense::lba_out_of_range));
  }
  near_.execute(*within);
  EXPECT_TRUE(near_.finish(*within).is_good());
  far_.execute(*verify);
  EXPECT_TRUE(far_.finish(*verify).is_illegal(AdditionalSense::lba_out_of_range));
  EXPECT_EQ(bench_.device().calls.size(), 1U);
}

TEST_F(DiskChanges, CommandsInFlightAreCountedOnEachShard) {
  const block::DeviceStatistics& statistics = bench_.disk().statistics();
  EXPECT_EQ(statistics.commands_in_flight(), 0U);
  const auto here = near_.prepare(block_cdb(Opcode::write_10, 0, 1), filled(512, 1));
  const auto there = far_.prepare(block_cdb(Opcode::write_10, 0, 1), filled(512, 1));
  EXPECT_EQ(statistics.commands_in_flight(), 2U);
  near_.execute(*here);
  far_.execute(*there);
  (void)near_.finish(*here);
  (void)far_.finish(*there);
  EXPECT_EQ(statistics.commands_in_flight(), 0U);
}

}  // namespace
}  // namespace lunar::scsi
