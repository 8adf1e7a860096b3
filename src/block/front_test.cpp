#include "block/front.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>

#include "base/log.h"
#include "block/testing/bench.h"
#include "block/testing/fake_device.h"
#include "block/testing/model.h"

namespace lunar::block {
namespace {

using testing::Bench;
using testing::FakeCall;
using testing::FakeDevice;
using testing::filled;
using testing::TestRequest;

class FrontTest : public ::testing::Test {
 protected:
  engine::sim::World world_;
  FakeDevice device_{1024};
};

TEST_F(FrontTest, PassesANativeRequestThroughUnchanged) {
  Bench bench(world_, device_);
  auto data = filled(1024, 7);
  EXPECT_EQ(bench.run(Op::write, 3, 2, data), Status::ok);
  EXPECT_EQ(device_.calls, (std::vector<FakeCall>{{Op::write, 3, 2, 0}}));
  auto back = filled(1024, 0);
  EXPECT_EQ(bench.run(Op::read, 3, 2, back), Status::ok);
  EXPECT_EQ(back, data);
}

TEST_F(FrontTest, RefusesRangesBeyondTheEndWithoutOverflow) {
  Bench bench(world_, device_);
  auto data = filled(512, 0);
  EXPECT_EQ(bench.run(Op::read, 1024, 1, data), Status::out_of_range);
  EXPECT_EQ(bench.run(Op::read, UINT64_MAX, 1, data), Status::out_of_range);
  EXPECT_EQ(bench.run(Op::write_zeroes, 1, UINT64_MAX), Status::out_of_range);
  EXPECT_EQ(bench.run(Op::write_zeroes, 1, 1024), Status::out_of_range);
  EXPECT_EQ(bench.run(Op::unmap, 1025, 0), Status::out_of_range);
  EXPECT_TRUE(device_.calls.empty());
}

TEST_F(FrontTest, TakesZeroBlocksUpToTheCapacityAsDone) {
  device_.the_capabilities.unmap = true;
  Bench bench(world_, device_);
  EXPECT_EQ(bench.run(Op::read, 1024, 0), Status::ok);
  EXPECT_EQ(bench.run(Op::unmap, 1024, 0), Status::ok);
  EXPECT_EQ(bench.run(Op::write_zeroes, 5, 0), Status::ok);
  EXPECT_TRUE(device_.calls.empty());
}

TEST_F(FrontTest, RefusesTransfersAboveTheBound) {
  FakeDevice large(kMaxTransferBytes / 512 + 1);
  Bench bench(world_, large);
  auto data = filled(kMaxTransferBytes + 512, 0);
  EXPECT_EQ(bench.run(Op::read, 0, kMaxTransferBytes / 512 + 1, data), Status::out_of_range);
}

TEST_F(FrontTest, RefusesWritesToAReadOnlyDevice) {
  device_.the_capabilities.writable = false;
  Bench bench(world_, device_);
  auto data = filled(512, 0);
  EXPECT_EQ(bench.run(Op::write, 0, 1, data), Status::write_protected);
  EXPECT_EQ(bench.run(Op::unmap, 0, 1), Status::write_protected);
  EXPECT_EQ(bench.run(Op::write_same, 0, 1, data), Status::write_protected);
  EXPECT_EQ(bench.run(Op::read, 0, 1, data), Status::ok);
  EXPECT_EQ(bench.run(Op::compare, 0, 1, data), Status::ok);
}

TEST_F(FrontTest, FuaWithoutAVolatileCacheIsAPlainWrite) {
  Bench bench(world_, device_);
  auto data = filled(512, 1);
  EXPECT_EQ(bench.run(Op::write, 0, 1, data, kFua), Status::ok);
  EXPECT_EQ(device_.calls.size(), 1U);
}

TEST_F(FrontTest, FuaThatTheDeviceLacksIsAWriteAndAFlush) {
  device_.the_capabilities.volatile_cache = true;
  Bench bench(world_, device_);
  auto data = filled(512, 1);
  EXPECT_EQ(bench.run(Op::write, 9, 1, data, kFua), Status::ok);
  ASSERT_EQ(device_.calls.size(), 2U);
  EXPECT_EQ(device_.calls[0], (FakeCall{Op::write, 9, 1, 0}));
  EXPECT_EQ(device_.calls[1].op, Op::flush);
}

TEST_F(FrontTest, FuaFailsWhenItsFlushFails) {
  device_.the_capabilities.volatile_cache = true;
  device_.answers[Op::flush] = Status::write_error;
  Bench bench(world_, device_);
  auto data = filled(512, 1);
  EXPECT_EQ(bench.run(Op::write, 0, 1, data, kFua), Status::write_error);
}

TEST_F(FrontTest, FuaThatTheDeviceHasGoesThrough) {
  device_.the_capabilities.volatile_cache = true;
  device_.the_capabilities.fua = true;
  Bench bench(world_, device_);
  auto data = filled(512, 1);
  EXPECT_EQ(bench.run(Op::write, 0, 1, data, kFua), Status::ok);
  EXPECT_EQ(device_.calls, (std::vector<FakeCall>{{Op::write, 0, 1, kFua}}));
}

TEST_F(FrontTest, WriteZeroesWithFuaFlushesEvenWhereWritesHaveFua) {
  device_.the_capabilities = {.volatile_cache = true, .fua = true, .write_zeroes = true};
  Bench bench(world_, device_);
  EXPECT_EQ(bench.run(Op::write_zeroes, 0, 4, kFua), Status::ok);
  ASSERT_EQ(device_.calls.size(), 2U);
  EXPECT_EQ(device_.calls[0].op, Op::write_zeroes);
  EXPECT_EQ(device_.calls[1].op, Op::flush);
}

TEST_F(FrontTest, FlushWithoutAVolatileCacheIsDone) {
  Bench bench(world_, device_);
  EXPECT_EQ(bench.run(Op::flush, 0, 0), Status::ok);
  EXPECT_TRUE(device_.calls.empty());
}

TEST_F(FrontTest, WriteZeroesThatTheDeviceLacksWritesZeroes) {
  std::ranges::fill(device_.medium, std::byte{0xee});
  Bench bench(world_, device_);
  EXPECT_EQ(bench.run(Op::write_zeroes, 1, 1022), Status::ok);
  EXPECT_EQ(device_.medium[511], std::byte{0xee});
  EXPECT_TRUE(is_zero(Bytes(device_.medium).subspan(512, 1022 * 512)));
  EXPECT_EQ(device_.medium[1023 * 512], std::byte{0xee});
}

TEST_F(FrontTest, WriteZeroesRefusedAtRunTimeWritesZeroes) {
  device_.the_capabilities.write_zeroes = true;
  device_.answers[Op::write_zeroes] = Status::unsupported;
  std::ranges::fill(device_.medium, std::byte{0xee});
  Bench bench(world_, device_);
  EXPECT_EQ(bench.run(Op::write_zeroes, 0, 1024), Status::ok);
  EXPECT_TRUE(is_zero(device_.medium));
}

TEST_F(FrontTest, UnmapOfADeviceWithoutItIsUnsupported) {
  Bench bench(world_, device_);
  EXPECT_EQ(bench.run(Op::unmap, 0, 1), Status::unsupported);
  EXPECT_TRUE(device_.calls.empty());
}

TEST_F(FrontTest, UnmapRefusedAtRunTimeKeepsItsPromiseOfZeroes) {
  device_.the_capabilities = {.unmap = true, .unmap_reads_zeroes = true, .write_zeroes = true};
  device_.answers[Op::unmap] = Status::unsupported;
  std::ranges::fill(device_.medium, std::byte{0xee});
  Bench bench(world_, device_);
  EXPECT_EQ(bench.run(Op::unmap, 2, 8), Status::ok);
  EXPECT_TRUE(is_zero(Bytes(device_.medium).subspan(1024, 4096)));
  EXPECT_EQ(device_.calls.back(), (FakeCall{Op::write_zeroes, 2, 8, 0}));

  device_.answers[Op::write_zeroes] = Status::unsupported;
  EXPECT_EQ(bench.run(Op::unmap, 20, 8), Status::ok);
  EXPECT_TRUE(is_zero(Bytes(device_.medium).subspan(20 * 512, 4096)));
  EXPECT_EQ(device_.calls.back(), (FakeCall{Op::write, 20, 8, 0}));
}

TEST_F(FrontTest, UnmapRefusedAtRunTimeWithoutAPromiseIsAHint) {
  device_.the_capabilities.unmap = true;
  device_.answers[Op::unmap] = Status::unsupported;
  Bench bench(world_, device_);
  EXPECT_EQ(bench.run(Op::unmap, 2, 8), Status::ok);
  EXPECT_EQ(device_.calls.size(), 1U);
}

TEST_F(FrontTest, SplitsWhatIsLargerThanTheDeviceTakes) {
  device_.the_capabilities.unmap = true;
  device_.the_capabilities.write_zeroes = true;
  device_.the_limits.max_transfer = BlockCount(4);
  device_.the_limits.max_unmap = BlockCount(100);
  Bench bench(world_, device_);
  auto data = filled(10 * 512, 5);
  EXPECT_EQ(bench.run(Op::write, 1, 10, data), Status::ok);
  EXPECT_EQ(device_.calls, (std::vector<FakeCall>{
                               {Op::write, 1, 4, 0}, {Op::write, 5, 4, 0}, {Op::write, 9, 2, 0}}));
  device_.calls.clear();
  EXPECT_EQ(bench.run(Op::unmap, 0, 250), Status::ok);
  EXPECT_EQ(device_.calls,
            (std::vector<FakeCall>{
                {Op::unmap, 0, 100, 0}, {Op::unmap, 100, 100, 0}, {Op::unmap, 200, 50, 0}}));
}

TEST_F(FrontTest, BouncesMisalignedBuffers) {
  device_.the_limits.buffer_alignment = 512;
  Bench bench(world_, device_);
  alignas(512) std::array<std::byte, 2048> memory{};
  memory[1] = std::byte{1};
  memory[1024] = std::byte{2};
  TestRequest write(Op::write, 0, 2);
  write.add_piece(memory.data() + 1, 24);
  write.add_piece(memory.data() + 25, 1000);
  EXPECT_EQ(bench.run(write), Status::ok);
  EXPECT_FALSE(device_.saw_misaligned);
  EXPECT_EQ(device_.medium[0], std::byte{1});
  EXPECT_EQ(device_.medium[1023], std::byte{2});
}

TEST_F(FrontTest, PassesAlignedPiecesThrough) {
  device_.the_limits.buffer_alignment = 512;
  Bench bench(world_, device_);
  alignas(512) std::array<std::byte, 2048> memory{};
  TestRequest write(Op::write, 0, 2);
  write.add_piece(memory.data() + 1024, 512);
  write.add_piece(memory.data(), 512);
  const std::size_t free_before = world_.shard().buffers().free_bytes();
  bench.front().submit(write);
  EXPECT_EQ(world_.shard().buffers().free_bytes(), free_before) << "no bounce buffer";
  EXPECT_EQ(bench.finish(write), Status::ok);
}

TEST_F(FrontTest, EmulatesWithoutThePoolWhenConsumersHoldAllOfIt) {
  device_.the_limits.buffer_alignment = 512;
  Bench bench(world_, device_);
  std::vector<engine::Buffer> hoard;
  while (auto buffer = world_.shard().buffers().try_allocate(engine::kMaxBufferBytes)) {
    hoard.push_back(std::move(buffer));
  }
  auto data = filled(1024 * 512 + 1, 3);
  auto other = filled(1024 * 512 + 1, 3);
  TestRequest first(Op::write, 0, 1024);
  first.set_buffer(data.data() + 1, 1024 * 512);
  TestRequest second(Op::compare, 0, 1024);
  second.set_buffer(other.data() + 1, 1024 * 512);
  bench.front().submit(first);
  bench.front().submit(second);  // waits for the reserve
  EXPECT_EQ(bench.finish(first), Status::ok);
  EXPECT_EQ(bench.finish(second), Status::ok);
}

TEST_F(FrontTest, WriteSameRepeatsItsBlock) {
  Bench bench(world_, device_);
  auto pattern = filled(512, 0);
  pattern[3] = std::byte{9};
  EXPECT_EQ(bench.run(Op::write_same, 10, 900, pattern), Status::ok);
  for (std::size_t block = 10; block < 910; ++block) {
    ASSERT_TRUE(std::ranges::equal(Bytes(device_.medium).subspan(block * 512, 512), pattern));
  }
  EXPECT_TRUE(is_zero(Bytes(device_.medium).subspan(910 * 512)));
}

TEST_F(FrontTest, WriteSameOfZeroesIsWriteZeroes) {
  device_.the_capabilities.write_zeroes = true;
  Bench bench(world_, device_);
  auto pattern = filled(512, 0);
  EXPECT_EQ(bench.run(Op::write_same, 10, 900, pattern, kMayUnmap), Status::ok);
  EXPECT_EQ(device_.calls, (std::vector<FakeCall>{{Op::write_zeroes, 10, 900, kMayUnmap}}));
}

TEST_F(FrontTest, CompareSaysWhereItDiffers) {
  Bench bench(world_, device_);
  auto data = filled(4 * 512, 0);
  EXPECT_EQ(bench.run(Op::compare, 4, 4, data), Status::ok);
  device_.medium[4 * 512 + 700] = std::byte{1};
  TestRequest compare(Op::compare, 4, 4);
  compare.add_piece(data.data(), 600);
  compare.add_piece(data.data() + 600, 4 * 512 - 600);
  EXPECT_EQ(bench.run(compare), Status::miscompare);
  EXPECT_EQ(compare.miscompare_offset, 700U);
}

TEST_F(FrontTest, CompareReportsReadErrors) {
  device_.answers[Op::read] = Status::read_error;
  Bench bench(world_, device_);
  auto data = filled(512, 0);
  EXPECT_EQ(bench.run(Op::compare, 0, 1, data), Status::read_error);
}

TEST_F(FrontTest, AbortReachesANativeRequest) {
  Bench bench(world_, device_);
  device_.hold = true;
  auto data = filled(512, 0);
  TestRequest request(Op::read, 0, 1);
  request.set_buffer(data.data(), data.size());
  bench.front().submit(request);
  bench.front().abort(request);
  EXPECT_EQ(bench.finish(request), Status::aborted);
}

TEST_F(FrontTest, AbortStopsAnEmulationAtItsStep) {
  device_.the_limits.max_transfer = BlockCount(1);
  Bench bench(world_, device_);
  device_.hold = true;
  auto data = filled(4 * 512, 0);
  TestRequest request(Op::write, 0, 4);
  request.set_buffer(data.data(), data.size());
  bench.front().submit(request);
  bench.front().abort(request);
  EXPECT_EQ(bench.finish(request), Status::aborted);
  EXPECT_EQ(device_.calls.size(), 1U);
  EXPECT_EQ(request.single_iov.iov_len, data.size()) << "the iovec array is whole again";
}

TEST_F(FrontTest, AbortBetweenStepsStopsAnEmulation) {
  device_.the_limits.max_transfer = BlockCount(1);
  Bench bench(world_, device_);
  device_.hold = true;
  auto data = filled(4 * 512, 0);
  TestRequest request(Op::write, 0, 4);
  request.set_buffer(data.data(), data.size());
  bench.front().submit(request);
  device_.release();  // the first step is on its way up
  bench.front().abort(request);
  EXPECT_EQ(bench.finish(request), Status::aborted);
  EXPECT_EQ(device_.calls.size(), 1U);
}

TEST_F(FrontTest, AbortEndsAnEmulationThatWaitsForMemory) {
  device_.the_limits.buffer_alignment = 512;
  Bench bench(world_, device_);
  std::vector<engine::Buffer> hoard;
  while (auto buffer = world_.shard().buffers().try_allocate(engine::kMaxBufferBytes)) {
    hoard.push_back(std::move(buffer));
  }
  device_.hold = true;
  auto data = filled(1024, 3);
  TestRequest first(Op::compare, 0, 1);  // has the reserve, and the medium keeps it
  first.set_buffer(data.data(), 512);
  TestRequest second(Op::compare, 0, 1);
  second.set_buffer(data.data() + 512, 512);
  TestRequest third(Op::compare, 0, 1);
  third.set_buffer(data.data() + 512, 512);
  bench.front().submit(first);
  bench.front().submit(second);
  bench.front().submit(third);
  bench.front().abort(second);
  EXPECT_EQ(bench.finish(second), Status::aborted);
  EXPECT_FALSE(first.finished);
  device_.release();
  EXPECT_EQ(bench.finish(first), Status::miscompare);
  EXPECT_EQ(bench.finish(third), Status::miscompare) << "its turn comes";
}

TEST_F(FrontTest, AbortOfWhatIsOnItsWayUpDoesNothing) {
  Bench bench(world_, device_);
  auto data = filled(512, 0);
  TestRequest request(Op::read, 0, 1);
  request.set_buffer(data.data(), data.size());
  bench.front().submit(request);
  bench.front().abort(request);
  EXPECT_EQ(bench.finish(request), Status::ok);
}

TEST_F(FrontTest, StopWaitsForWhatIsInFlight) {
  DeviceStatistics statistics(1);
  auto front = *Front::open(device_, world_.shard(), statistics);
  device_.hold = true;
  auto data = filled(512, 0);
  TestRequest request(Op::read, 0, 1);
  request.set_buffer(data.data(), data.size());
  front->submit(request);
  auto stopping = front->stop();
  while (world_.step()) continue;
  EXPECT_FALSE(stopping.done());
  device_.release();
  while (world_.step()) continue;
  EXPECT_TRUE(request.finished);
  EXPECT_TRUE(stopping.done());
  front.reset();
  EXPECT_EQ(device_.open_channels, 0U);
}

TEST_F(FrontTest, CountsWhatConsumersAskedFor) {
  device_.the_limits.max_transfer = BlockCount(1);
  Bench bench(world_, device_);
  auto data = filled(1024, 1);
  bench.run(Op::write, 0, 2, data);
  bench.run(Op::read, 1024, 1, MutableBytes(data).first(512));
  bench.run(Op::compare, 5, 1, MutableBytes(data).first(512));
  EXPECT_EQ(bench.statistics().totals(Op::write).operations, 1U);
  EXPECT_EQ(bench.statistics().totals(Op::write).bytes, 1024U);
  EXPECT_EQ(bench.statistics().totals(Op::read).operations, 1U);
  EXPECT_EQ(bench.statistics().totals(Op::read).errors, 1U);
  EXPECT_EQ(bench.statistics().totals(Op::compare).errors, 0U) << "a miscompare is an answer";
}

TEST_F(FrontTest, CountsTime) {
  Bench bench(world_, device_);
  device_.hold = true;
  auto data = filled(512, 1);
  TestRequest request(Op::write, 0, 1);
  request.set_buffer(data.data(), data.size());
  while (world_.step()) continue;
  const std::uint64_t before = bench.world().clock().now_ns();
  bench.front().submit(request);
  world_.run_for(5 * engine::kMillisecond);
  device_.release();
  bench.finish(request);
  const std::uint64_t elapsed = bench.world().clock().now_ns() - before;
  EXPECT_GE(bench.statistics().totals(Op::write).time_ns, 5 * engine::kMillisecond);
  EXPECT_LE(bench.statistics().totals(Op::write).time_ns, elapsed);
}

TEST_F(FrontTest, RefusesContradictoryLimits) {
  DeviceStatistics statistics(1);
  const auto refused = [&] { return !Front::open(device_, world_.shard(), statistics); };
  EXPECT_FALSE(refused());
  device_.the_limits.physical_block_size = 768;
  EXPECT_TRUE(refused());
  device_.the_limits.physical_block_size = 512;
  device_.the_limits.buffer_alignment = 3;
  EXPECT_TRUE(refused());
  device_.the_limits.buffer_alignment = 512;
  device_.the_capabilities.lend = true;
  EXPECT_TRUE(refused());
}

// What open_channel() must not do.
class UnfitDevice : public FakeDevice {
 public:
  explicit UnfitDevice(bool throws) : FakeDevice(8), throws_(throws) {}
  Result<std::unique_ptr<Channel>> open_channel(engine::Shard&) override {
    if (throws_) throw std::runtime_error("no connection");
    return nullptr;
  }

 private:
  bool throws_;
};

TEST_F(FrontTest, GivesAnErrorForADeviceThatOpensNoChannel) {
  DeviceStatistics statistics(1);
  for (const bool throws : {false, true}) {
    UnfitDevice device(throws);
    const auto front = Front::open(device, world_.shard(), statistics);
    ASSERT_FALSE(front);
    EXPECT_EQ(front.error().code, throws ? ErrorCode::io : ErrorCode::invalid_argument);
    EXPECT_NE(front.error().message.find(throws ? "no connection" : "null channel"),
              std::string::npos);
  }
}

// Each lacks something else, and must look like all others from above.
struct Lacking {
  const char* name;
  Capabilities capabilities;
  std::uint32_t alignment;
  std::uint64_t max_transfer;
  std::uint64_t max_unmap;
  std::map<Op, Status> answers;
};

class FrontModelTest : public ::testing::TestWithParam<Lacking> {};

TEST_P(FrontModelTest, LooksLikeAnyDevice) {
  engine::sim::World world(7);
  FakeDevice device(256);
  device.the_capabilities = GetParam().capabilities;
  device.the_limits.buffer_alignment = GetParam().alignment;
  device.the_limits.max_transfer = BlockCount(GetParam().max_transfer);
  device.the_limits.max_unmap = BlockCount(GetParam().max_unmap);
  device.answers = GetParam().answers;
  Bench bench(world, device);
  testing::ModelRun(bench, 42).run(400);
  EXPECT_FALSE(device.saw_misaligned);
}

constexpr Capabilities kOnlyUnmap{.unmap = true, .unmap_reads_zeroes = true};
constexpr Capabilities kCached{.volatile_cache = true, .unmap = true, .unmap_reads_zeroes = true};
constexpr Capabilities kFull{.volatile_cache = true,
                             .fua = true,
                             .unmap = true,
                             .unmap_reads_zeroes = true,
                             .write_zeroes = true};

INSTANTIATE_TEST_SUITE_P(Devices, FrontModelTest,
                         ::testing::Values(Lacking{"Full", kFull, 1, 0, 0, {}},
                                           Lacking{"OnlyUnmap", kOnlyUnmap, 1, 0, 0, {}},
                                           Lacking{"NoFua", kCached, 1, 0, 0, {}},
                                           Lacking{"SmallTransfers", kFull, 1, 3, 5, {}},
                                           Lacking{"Aligned", kFull, 512, 0, 0, {}},
                                           Lacking{"AlignedAndSmall", kCached, 4096, 7, 2, {}},
                                           Lacking{"Refusing",
                                                   kFull,
                                                   512,
                                                   9,
                                                   0,
                                                   {{Op::unmap, Status::unsupported},
                                                    {Op::write_zeroes, Status::unsupported}}}),
                         [](const auto& instance) { return std::string(instance.param.name); });

// ---- What changes while it serves

TEST_F(FrontTest, DrainWaitsForWhatIsInFlightAndHoldsNothingUp) {
  Bench bench(world_, device_);
  device_.hold = true;
  auto data = filled(512, 1);
  TestRequest before(Op::write, 0, 1);
  before.add_piece(data.data(), data.size());
  bench.front().submit(before);
  bool drained = false;
  const auto drain = [&]() -> engine::Task<void> {
    co_await bench.front().drain();
    drained = true;
  };
  auto draining = drain();
  draining.detach();
  device_.hold = false;
  EXPECT_EQ(bench.run(Op::write, 1, 1, data), Status::ok);
  EXPECT_FALSE(drained);
  device_.release();
  EXPECT_EQ(bench.finish(before), Status::ok);
  EXPECT_TRUE(drained);
}

TEST_F(FrontTest, DrainOfNothingCompletesAtOnce) {
  Bench bench(world_, device_);
  EXPECT_TRUE(bench.front().drain().done());
}

TEST_F(FrontTest, TakesANewCapacityAndWriteProtection) {
  device_.the_capabilities.write_window = true;
  Bench bench(world_, device_);
  auto data = filled(512, 0);
  bench.front().set_capacity(BlockCount(10));
  EXPECT_EQ(bench.run(Op::read, 9, 1, data), Status::ok);
  EXPECT_EQ(bench.run(Op::read, 10, 1, data), Status::out_of_range);
  bench.front().set_writable(false);
  EXPECT_EQ(bench.run(Op::write, 0, 1, data), Status::write_protected);
  EXPECT_TRUE(bench.front().write_window(Lba(0), BlockCount(1)).empty());
  bench.front().set_writable(true);
  EXPECT_EQ(bench.run(Op::write, 0, 1, data), Status::ok);
}

TEST_F(FrontTest, WritesThroughAsLongAsOneUserWantsIt) {
  device_.the_capabilities.volatile_cache = true;
  Bench bench(world_, device_);
  auto data = filled(512, 0);
  const auto flushes = [&] {
    device_.calls.clear();
    EXPECT_EQ(bench.run(Op::write, 0, 1, data), Status::ok);
    return std::ranges::count(device_.calls, Op::flush, &FakeCall::op);
  };
  auto one = std::make_unique<Front::WriteThrough>(bench.front());
  auto other = std::make_unique<Front::WriteThrough>(bench.front());
  EXPECT_EQ(flushes(), 1);
  one.reset();
  EXPECT_EQ(flushes(), 1);
  other.reset();
  EXPECT_EQ(flushes(), 0);
}

// ---- What the log says

struct NamedUser final : FrontUser {
  explicit NamedUser(std::string whose) : its_name(std::move(whose)) {}
  engine::Task<void> leases_ended(Range) override { co_return; }
  [[nodiscard]] std::string name() override { return its_name; }
  const std::string its_name;
};

class FrontLog : public FrontTest {
 protected:
  // What is logged meanwhile.
  template <class Work>
  static std::string logged(Work work) {
    ::testing::internal::CaptureStderr();
    work();
    EXPECT_TRUE(log::flush(std::chrono::minutes(1)));
    return ::testing::internal::GetCapturedStderr();
  }
};

TEST_F(FrontLog, TellsOfErrorsOfTheMedium) {
  FakeDevice device(1024, 512, "disk7");
  Bench bench(world_, device);
  NamedUser user("LUN 3 of iqn.x");
  NamedUser quiet("");
  NamedUser other("namespace 2 of nqn.y");
  for (NamedUser* each : {&user, &quiet, &other}) bench.front().add(*each);
  auto data = filled(1024, 0);
  device.answers[Op::read] = Status::read_error;
  device.answers[Op::write] = Status::no_space;
  device.answers[Op::unmap] = Status::gone;
  EXPECT_NE(logged([&] { bench.run(Op::read, 3, 2, data); })
                .find("device disk7 (LUN 3 of iqn.x, namespace 2 of nqn.y): read of 2 blocks from "
                      "LBA 3 failed: read "
                      "error\n"),
            std::string::npos);
  TestRequest write(Op::write, 5, 2);
  write.set_buffer(data.data(), data.size());
  write.error_number = ENOSPC;
  EXPECT_NE(logged([&] {
              bench.run(write);
            }).find("write of 2 blocks from LBA 5 failed: no space (No space left on device)"),
            std::string::npos);
  EXPECT_EQ(write.error_number, 0) << "it is of this request only";
}

TEST_F(FrontLog, IsSilentOfWhatIsTheSubmittersFault) {
  FakeDevice device(1024, 512, "disk8");
  Bench bench(world_, device);
  auto data = filled(512, 0);
  auto other = filled(512, 1);
  EXPECT_EQ(logged([&] {
              bench.run(Op::read, 1024, 1, data);
              bench.run(Op::compare, 0, 1, other);
              bench.run(Op::read, 0, 1, data);
              bench.front().set_writable(false);
              bench.run(Op::write, 0, 1, data);
            }),
            "");
}

TEST_F(FrontLog, TellsOnceInAWhileOfWhatGoesOnForEver) {
  FakeDevice device(1024, 512, "disk9");
  Bench bench(world_, device);
  auto data = filled(512, 0);
  device.answers[Op::read] = Status::hardware_error;
  const std::string text = logged([&] {
    for (int i = 0; i < 1000; ++i) bench.run(Op::read, 0, 1, data);
  });
  EXPECT_EQ(std::ranges::count(text, '\n'), 32);
}

TEST_F(FrontLog, TellsOfARequestThatHadToBeAborted) {
  FakeDevice device(1024, 512, "disk10");
  Bench bench(world_, device);
  auto data = filled(512, 0);
  const auto aborted_after = [&](std::uint64_t ns) {
    return logged([&] {
      TestRequest request(Op::read, 7, 1);
      request.set_buffer(data.data(), data.size());
      device.hold = true;
      bench.front().submit(request);
      world_.run_for(ns);
      bench.front().abort(request);
      EXPECT_EQ(bench.finish(request), Status::aborted);
    });
  };
  EXPECT_EQ(aborted_after(kHungNs / 2), "");
  EXPECT_NE(aborted_after(5 * engine::kSecond)
                .find("device disk10: read of 1 blocks from LBA 7 has no answer after 5.0 s"),
            std::string::npos);
}

}  // namespace
}  // namespace lunar::block
