#include <gtest/gtest.h>

#include "scsi/testing/bench.h"

namespace lunar::scsi {
namespace {

using namespace testing;
using spec::AdditionalSense;
using spec::Opcode;
using spec::SenseKey;

constexpr Opcode kReads[] = {Opcode::read_6, Opcode::read_10, Opcode::read_12, Opcode::read_16};
constexpr Opcode kWrites[] = {Opcode::write_6, Opcode::write_10, Opcode::write_12,
                              Opcode::write_16};
constexpr Opcode kLongReads[] = {Opcode::read_10, Opcode::read_12, Opcode::read_16};

TEST(ReadWrite, ReadsWhatWasWritten) {
  for (std::size_t i = 0; i < std::size(kReads); ++i) {
    Bench bench;
    bench.initiator().clear_attention();
    EXPECT_TRUE(
        bench.initiator().run(block_cdb(kWrites[i], 5, 3), filled(3 * 512, 0xa7)).is_good());
    const Outcome outcome = bench.initiator().run(block_cdb(kReads[i], 4, 5));
    ASSERT_TRUE(outcome.is_good());
    ASSERT_EQ(outcome.data.size(), 5U * 512);
    EXPECT_EQ(outcome.data[511], 0);
    EXPECT_EQ(outcome.data[512], 0xa7);
    EXPECT_EQ(outcome.data[4 * 512 - 1], 0xa7);
    EXPECT_EQ(outcome.data[4 * 512], 0);
  }
}

TEST(ReadWrite, ZeroOfTheSixByteFormIs256Blocks) {
  Bench bench;
  bench.initiator().clear_attention();
  EXPECT_EQ(bench.initiator().run({0x08, 0, 0, 0, 0, 0}).data.size(), 256U * 512);
}

TEST(ReadWrite, ZeroBlocksTransferNothing) {
  Bench bench(64);
  bench.initiator().clear_attention();
  for (const Opcode opcode : kLongReads) {
    const Outcome outcome = bench.initiator().run(block_cdb(opcode, 64, 0));
    EXPECT_TRUE(outcome.is_good());
    EXPECT_TRUE(outcome.data.empty());
    EXPECT_TRUE(bench.initiator()
                    .run(block_cdb(opcode, 65, 0))
                    .is_illegal(AdditionalSense::lba_out_of_range));
  }
}

TEST(ReadWrite, RefusesARangeBeyondTheEnd) {
  Bench bench(64);
  bench.initiator().clear_attention();
  for (const Opcode opcode : kReads) {
    EXPECT_TRUE(bench.initiator()
                    .run(block_cdb(opcode, 63, 2))
                    .is_illegal(AdditionalSense::lba_out_of_range));
  }
  EXPECT_TRUE(bench.initiator()
                  .run(block_cdb(Opcode::read_16, UINT64_MAX, 2))
                  .is_illegal(AdditionalSense::lba_out_of_range));
  EXPECT_TRUE(bench.initiator()
                  .run(block_cdb(Opcode::write_10, 64, 1), filled(512, 1))
                  .is_illegal(AdditionalSense::lba_out_of_range));
  EXPECT_TRUE(bench.device().calls.empty());
}

TEST(ReadWrite, RefusesMoreThanTheMaximumTransferLength) {
  Bench bench(32768);
  bench.initiator().clear_attention();
  EXPECT_TRUE(bench.initiator().run(block_cdb(Opcode::read_10, 0, 16384)).is_good());
  EXPECT_TRUE(bench.initiator().run(block_cdb(Opcode::read_10, 0, 16385)).is_invalid_field(7));
}

TEST(ReadWrite, RefusesProtectionFields) {
  Bench bench;
  bench.initiator().clear_attention();
  for (std::uint8_t protect = 1; protect < 8; ++protect) {
    const auto flags = static_cast<std::uint8_t>(protect << 5);
    EXPECT_TRUE(bench.initiator().run(block_cdb(Opcode::read_16, 0, 1, flags)).is_invalid_field(1));
    EXPECT_TRUE(bench.initiator()
                    .run(block_cdb(Opcode::write_16, 0, 1, flags), filled(512, 1))
                    .is_invalid_field(1));
  }
}

TEST(ReadWrite, FuaReachesTheMedium) {
  block::Capabilities capabilities = Bench::full();
  capabilities.volatile_cache = capabilities.fua = true;
  Bench bench(64, {}, 1, 512, capabilities);
  bench.initiator().clear_attention();
  EXPECT_TRUE(
      bench.initiator().run(block_cdb(Opcode::write_10, 1, 1, 0x18), filled(512, 1)).is_good());
  ASSERT_EQ(bench.device().calls.size(), 1U);
  EXPECT_EQ(bench.device().calls[0].flags, block::kFua);
  bench.device().calls.clear();
  EXPECT_TRUE(bench.initiator().run(block_cdb(Opcode::read_10, 1, 1, 0x08)).is_good());
  ASSERT_EQ(bench.device().calls.size(), 2U);
  EXPECT_EQ(bench.device().calls[0].op, block::Op::flush);
  EXPECT_EQ(bench.device().calls[1].op, block::Op::read);
}

TEST(ReadWrite, FewerBlocksThanTheCdbTellsAreWritten) {
  Bench bench(64);
  bench.initiator().clear_attention();
  EXPECT_TRUE(
      bench.initiator().run(block_cdb(Opcode::write_10, 0, 4), filled(2 * 512, 9)).is_good());
  EXPECT_EQ(bench.device().medium[2 * 512 - 1], std::byte{9});
  EXPECT_EQ(bench.device().medium[2 * 512], std::byte{0});
}

TEST(ReadWrite, WriteProtectedRefusesEveryWrite) {
  LogicalUnitOptions options;
  options.read_only = true;
  Bench bench(64, options);
  bench.initiator().clear_attention();
  for (const Opcode opcode : {Opcode::write_6, Opcode::write_10, Opcode::write_12, Opcode::write_16,
                              Opcode::write_same_10, Opcode::write_same_16}) {
    const Outcome outcome = bench.initiator().run(block_cdb(opcode, 0, 1), filled(512, 1));
    EXPECT_TRUE(outcome.is(SenseKey::data_protect, AdditionalSense::write_protected));
  }
  EXPECT_TRUE(bench.device().calls.empty());
}

TEST(ReadWrite, MediumErrorsBecomeSense) {
  Bench bench(64);
  bench.initiator().clear_attention();
  const auto read = [&](block::Status status) {
    bench.device().answers[block::Op::read] = status;
    return bench.initiator().run(block_cdb(Opcode::read_10, 7, 1));
  };
  const Outcome unread = read(block::Status::read_error);
  EXPECT_TRUE(unread.is(SenseKey::medium_error, AdditionalSense::unrecovered_read_error));
  EXPECT_EQ(unread.sense.information, 7U);
  EXPECT_TRUE(unread.data.empty());
  EXPECT_TRUE(read(block::Status::hardware_error)
                  .is(SenseKey::hardware_error, AdditionalSense::internal_target_failure));
  EXPECT_EQ(read(block::Status::busy).status, spec::Status::busy);
  bench.device().answers[block::Op::write] = block::Status::no_space;
  EXPECT_TRUE(
      bench.initiator()
          .run(block_cdb(Opcode::write_10, 0, 1), filled(512, 1))
          .is(SenseKey::data_protect, AdditionalSense::space_allocation_failed_write_protect));
}

TEST(ReadWrite, WaitsForABufferWhenThePoolIsEmpty) {
  Bench bench(64);
  bench.initiator().clear_attention();
  std::vector<engine::Buffer> all;
  while (true) {
    engine::Buffer buffer = bench.world().shard().buffers().try_allocate(engine::kMinBufferBytes);
    if (!buffer) break;
    all.push_back(std::move(buffer));
  }
  const auto command = bench.initiator().start(block_cdb(Opcode::read_10, 0, 1));
  while (bench.world().step()) {
  }
  EXPECT_FALSE(command->outcome);
  all.clear();
  EXPECT_TRUE(bench.initiator().finish(*command).is_good());
}

TEST(SynchronizeCache, FlushesAndChecksTheRange) {
  block::Capabilities capabilities = Bench::full();
  capabilities.volatile_cache = true;
  Bench bench(64, {}, 1, 512, capabilities);
  bench.initiator().clear_attention();
  for (const Opcode opcode : {Opcode::synchronize_cache_10, Opcode::synchronize_cache_16}) {
    bench.device().calls.clear();
    EXPECT_TRUE(bench.initiator().run(block_cdb(opcode, 0, 0)).is_good());
    ASSERT_EQ(bench.device().calls.size(), 1U);
    EXPECT_EQ(bench.device().calls[0].op, block::Op::flush);
    EXPECT_TRUE(bench.initiator()
                    .run(block_cdb(opcode, 63, 2))
                    .is_illegal(AdditionalSense::lba_out_of_range));
    EXPECT_TRUE(bench.initiator().run(block_cdb(opcode, 0, 1, 0x02)).is_good()) << "IMMED";
  }
}

// A medium that lends its own memory.
class LendingDevice final : public block::Device {
 public:
  LendingDevice() : Device("lending", Uuid::from_name("lending")), memory(64 * 512) {
    limits_.capacity = BlockCount(64);
    capabilities_.lend = capabilities_.write_window = true;
  }
  [[nodiscard]] const char* kind() const override { return "lending"; }
  [[nodiscard]] const block::Limits& limits() const override { return limits_; }
  [[nodiscard]] const block::Capabilities& capabilities() const override { return capabilities_; }
  Result<std::unique_ptr<block::Channel>> open_channel(engine::Shard&) override {
    return std::make_unique<Channel>(memory);
  }
  std::vector<std::byte> memory;

 private:
  struct Channel final : block::Channel {
    explicit Channel(std::vector<std::byte>& the_memory) : memory(the_memory) {}
    void submit(block::Request& request) override {
      std::byte* at = memory.data() + request.lba.value * 512;
      if (request.op == block::Op::read) request.set_buffer(at, request.count.value * 512);
      request.complete(block::Status::ok);
    }
    std::span<std::byte> write_window(Lba lba, BlockCount count) override {
      return std::span(memory).subspan(lba.value * 512, count.value * 512);
    }
    std::vector<std::byte>& memory;
  };
  block::Limits limits_;
  block::Capabilities capabilities_;
};

struct LendingBench {
  LendingBench() {
    world.run([this] { return open(); });
    server.attach(nexus);
  }
  ~LendingBench() {
    server.detach(nexus);
    world.run([this] { return unit.stop(world.shard()); });
  }
  static Target target_of(LogicalUnit& unit) {
    Target target("iqn.2026-11.test:lending");
    EXPECT_TRUE(target.add(Lun(0), unit));
    return target;
  }
  engine::Task<void> open() {
    const auto opened = co_await unit.open(world.shard());
    EXPECT_TRUE(opened);
  }
  void prepare(TestCommand& command, const std::vector<std::uint8_t>& cdb) {
    std::copy(cdb.begin(), cdb.end(), command.cdb.begin());
    command.nexus = &nexus;
    command.expected_out_bytes = UINT32_MAX;
    ASSERT_TRUE(server.prepare(command));
  }
  void finish(TestCommand& command) {
    ASSERT_TRUE(world.run_until([&] { return command.outcome.has_value(); }));
  }
  void clear_attention() {
    TestCommand command;
    command.nexus = &nexus;
    EXPECT_FALSE(server.prepare(command));
    finish(command);
  }

  engine::sim::World world;
  LendingDevice device;
  block::Disk disk{device, world.shards()};
  LogicalUnit unit{disk};
  Target target = target_of(unit);
  DeviceServer server{target, world.shard()};
  Nexus nexus{"iqn.2026-11.test:one,i,0x1", "iqn.2026-11.test:lending,t,0x1", 1};
};

engine::Task<void> stop_unit(LogicalUnit& unit, engine::Shard& shard, bool& stopped) {
  co_await unit.stop(shard);
  stopped = true;
}

TEST(ReadWrite, ReadLendsTheMediumsMemory) {
  LendingBench bench;
  bench.clear_attention();
  TestCommand command;
  bench.prepare(command, block_cdb(Opcode::read_10, 3, 2));
  bench.server.execute(command);
  bench.finish(command);
  EXPECT_EQ(command.data_in.data(), bench.device.memory.data() + 3 * 512);
  EXPECT_EQ(command.data_in.size(), 2U * 512);
}

TEST(ReadWrite, LentMemoryKeepsTheLogicalUnitOpen) {
  LendingBench bench;
  bench.clear_attention();
  TestCommand command;
  command.keeps_loan = true;
  bench.prepare(command, block_cdb(Opcode::read_10, 3, 2));
  bench.server.execute(command);
  bench.finish(command);
  bool stopped = false;
  bench.world.run([&] { return bench.server.adopt(std::make_shared<const LunMaps>()); });
  stop_unit(bench.unit, bench.world.shard(), stopped).detach();
  bench.world.run_for(engine::kSecond);
  EXPECT_FALSE(stopped) << "the transport still sends the data";
  command.release_memory();
  bench.world.run_until([&] { return stopped; });
  EXPECT_TRUE(stopped);
}

TEST(ReadWrite, LargeWriteIsReceivedIntoTheMedium) {
  LendingBench bench;
  bench.clear_attention();
  TestCommand small;
  bench.prepare(small, block_cdb(Opcode::write_10, 0, 8));
  EXPECT_TRUE(bench.server.data_out_window(small).empty());
  bench.server.abort(small);
  bench.finish(small);
  TestCommand large;
  bench.prepare(large, block_cdb(Opcode::write_10, 0, 32));
  const MutableBytes window = bench.server.data_out_window(large);
  EXPECT_EQ(window.data(), bench.device.memory.data());
  EXPECT_EQ(window.size(), 32U * 512);
  large.data_out = window;
  bench.server.execute(large);
  bench.finish(large);
  EXPECT_TRUE(large.outcome->is_good());
}

}  // namespace
}  // namespace lunar::scsi
