// What goes wrong around a session: digests, lost connections, short transfers, empty pools, stops.
#include <gtest/gtest.h>

#include "base/endian.h"
#include "iscsi/testing/initiator.h"

namespace lunar::iscsi {
namespace {

using namespace testing;

const Keys kOnlyR2t = {{"ImmediateData", "No"}, {"InitialR2T", "Yes"}};
const Keys kDigests = {{"HeaderDigest", "CRC32C"}, {"DataDigest", "CRC32C"}};

// ---- Digests (RFC 7143 §7.8, §13.1)

TEST(Digests, CoverEverythingBothWays) {
  for (const char* header : {"None", "CRC32C"}) {
    for (const char* data : {"None", "CRC32C"}) {
      for (const bool direct : {true, false}) {
        Bench bench({.direct = direct});
        Initiator initiator(bench, {.keys = {{"HeaderDigest", header}, {"DataDigest", data}}});
        ASSERT_TRUE(initiator.is_logged_in());
        for (const std::size_t blocks : {1U, 9U, 200U, 1500U}) {
          EXPECT_TRUE(initiator.write(3, pattern(blocks * 512)));
          EXPECT_TRUE(initiator.read(3, blocks) == pattern(blocks * 512));
        }
        // Lengths that need padding.
        for (const std::size_t bytes : {1U, 2U, 3U, 101U, 20001U}) {
          spec::NopOut ping;
          ping.initiator_task_tag = initiator.next_tag();
          ping.cmd_sn = initiator.cmd_sn++;
          initiator.send(ping, pattern(bytes));
          const auto pong = initiator.receive();
          ASSERT_TRUE(pong);
          EXPECT_TRUE(pong->data == pattern(bytes));
        }
        EXPECT_TRUE(initiator.digests_ok);
        initiator.close();
        EXPECT_TRUE(bench.is_clean());
      }
    }
  }
}

TEST(Digests, AWrongHeaderDigestEndsTheConnection) {
  Bench bench;
  Initiator initiator(bench, {.keys = kDigests});
  Data ping = initiator.encode(spec::NopOut{});
  ping[40] ^= std::byte{1};
  initiator.send_raw(ping);
  EXPECT_TRUE(initiator.wait_for_end());
  EXPECT_TRUE(bench.is_clean());
}

TEST(Digests, WrongDataOfACommandIsRejectedAndTheCommandCanBeSentAgain) {
  for (const bool direct : {true, false}) {
    for (const std::size_t bytes : {512U, 8192U}) {
      Bench bench({.direct = direct});
      Initiator initiator(bench, {.keys = kDigests});
      spec::ScsiCommand command;
      command.flags = spec::kFinal | spec::kWrite | 1;
      command.initiator_task_tag = 99;
      command.expected_data_transfer_length = static_cast<std::uint32_t>(bytes);
      command.cmd_sn = initiator.cmd_sn;
      const auto cdb = Initiator::cdb10(0x2a, 0, bytes / 512);
      std::copy(cdb.begin(), cdb.end(), command.cdb.begin());
      const Data good = initiator.encode(command, pattern(bytes));
      Data bad = good;
      bad[60] ^= std::byte{1};
      // In two parts, so that the data does not arrive whole.
      initiator.send_raw(Bytes(bad).first(300));
      bench.world().run_for(engine::kMillisecond);
      initiator.send_raw(Bytes(bad).subspan(300));
      const auto reject = initiator.receive();
      ASSERT_TRUE(reject);
      ASSERT_EQ(reject->opcode(), spec::Opcode::reject);
      EXPECT_EQ(reject->as<spec::Reject>().reason,
                static_cast<std::uint8_t>(spec::RejectReason::data_digest_error));
      EXPECT_EQ(reject->as<spec::Reject>().exp_cmd_sn, initiator.cmd_sn) << "not consumed";
      EXPECT_EQ(bench.device().medium[0], std::byte{0}) << "damaged data is not written";
      initiator.send_raw(good);
      ++initiator.cmd_sn;
      ASSERT_TRUE(initiator.finish(99));
      EXPECT_TRUE(initiator.exchanges[99].is_good());
      EXPECT_TRUE(initiator.read(0, bytes / 512) == pattern(bytes));
      initiator.close();
      EXPECT_TRUE(bench.is_clean());
    }
  }
}

TEST(Digests, WrongDataOfADataOutFailsItsCommandOnly) {
  Keys keys = kDigests;
  keys.insert(kOnlyR2t.begin(), kOnlyR2t.end());
  Bench bench;
  Initiator initiator(bench, {.keys = keys});
  initiator.answer_r2ts = false;
  const auto tag = initiator.start_write(0, pattern(8192));
  initiator.handle_for(engine::kMillisecond);
  spec::DataOut pdu;
  pdu.flags = spec::kFinal;
  pdu.initiator_task_tag = tag;
  pdu.target_transfer_tag = initiator.exchanges[tag].r2ts.at(0).target_transfer_tag;
  Data bytes = initiator.encode(pdu, pattern(8192));
  bytes[1000] ^= std::byte{1};
  initiator.send_raw(bytes);
  ASSERT_TRUE(initiator.finish(tag));
  EXPECT_EQ(initiator.exchanges[tag].status, 2);
  EXPECT_EQ(initiator.exchanges[tag].additional_sense(), 0x4705U);
  ASSERT_EQ(initiator.others.size(), 1U);
  EXPECT_EQ(initiator.others[0].opcode(), spec::Opcode::reject);
  initiator.answer_r2ts = true;
  EXPECT_TRUE(initiator.write(0, pattern(8192)));
}

TEST(Digests, WrongDataOfAPingIsRejected) {
  Bench bench;
  Initiator initiator(bench, {.keys = kDigests});
  spec::NopOut ping;
  ping.initiator_task_tag = 5;
  ping.cmd_sn = initiator.cmd_sn;
  Data bytes = initiator.encode(ping, pattern(100));
  bytes[70] ^= std::byte{1};
  initiator.send_raw(bytes);
  const auto reject = initiator.receive();
  ASSERT_TRUE(reject);
  EXPECT_EQ(reject->opcode(), spec::Opcode::reject);
  EXPECT_EQ(initiator.read(0, 1).size(), 512U) << "its CmdSN is free";
}

// ---- The connection ends anywhere

// A conversation with everything in it; sends what fits into `budget` bytes, then the line is dead.
// Returns the bytes that it would send.
class CutOff {
 public:
  CutOff(Bench& bench, std::size_t budget, const Keys& keys)
      : bench_(bench), initiator_(bench, {.keys = keys}), budget_(budget) {}

  std::size_t converse() {
    command(Initiator::cdb10(0x28, 0, 40), spec::kRead, 20480, {}, 1);
    command(Initiator::cdb10(0x2a, 0, 4), spec::kWrite, 2048, pattern(2048), 2);
    // Unsolicited data, then an R2T for the rest.
    command(Initiator::cdb10(0x2a, 8, 80), spec::kWrite, 40960, pattern(1024), 3, false);
    spec::DataOut data;
    data.flags = spec::kFinal;
    data.initiator_task_tag = 3;
    data.buffer_offset = 1024;
    send(data, pattern(1000));
    spec::NopOut ping;
    ping.initiator_task_tag = 4;
    ping.cmd_sn = initiator_.cmd_sn++;
    send(ping, pattern(400));
    bench_.device().hold = true;
    command(Initiator::cdb10(0x28, 0, 8), spec::kRead, 4096, {}, 5);
    ++initiator_.cmd_sn;  // a hole
    command(Initiator::cdb10(0x2a, 0, 2), spec::kWrite, 1024, pattern(1024), 6);
    spec::TaskManagementRequest function;
    function.opcode_byte |= spec::kImmediate;
    function.flags = spec::kFinal | 1;
    function.initiator_task_tag = 7;
    function.referenced_task_tag = 5;
    function.cmd_sn = initiator_.cmd_sn;
    if (!deaf) send(function);
    spec::LogoutRequest logout;
    logout.opcode_byte |= spec::kImmediate;
    logout.initiator_task_tag = 8;
    logout.cmd_sn = initiator_.cmd_sn;
    send(logout);
    initiator_.close();
    bench_.world().run_for(engine::kMillisecond);
    return sent_;
  }
  bool deaf = false;

 private:
  void command(const std::vector<std::uint8_t>& cdb, std::uint8_t flags, std::uint32_t expected,
               const Data& data, std::uint32_t tag, bool final = true) {
    spec::ScsiCommand pdu;
    pdu.flags = static_cast<std::uint8_t>(flags | 1 | (final ? spec::kFinal : 0));
    pdu.initiator_task_tag = tag;
    pdu.expected_data_transfer_length = expected;
    pdu.cmd_sn = initiator_.cmd_sn++;
    std::copy(cdb.begin(), cdb.end(), pdu.cdb.begin());
    send(pdu, data);
  }
  template <class Pdu>
  void send(const Pdu& pdu, const Data& data = {}) {
    const Data bytes = initiator_.encode(pdu, data);
    const std::size_t count = std::min(bytes.size(), budget_ - std::min(budget_, sent_));
    if (count != 0) initiator_.send_raw(Bytes(bytes).first(count));
    sent_ += bytes.size();
    if (sent_ <= budget_) bench_.world().run_for(10 * engine::kMicrosecond);
  }

  Bench& bench_;
  Initiator initiator_;
  std::size_t budget_;
  std::size_t sent_ = 0;
};

TEST(LostConnection, NothingLeaksWhereverItEnds) {
  for (const Keys& keys : {Keys{}, kDigests}) {
    for (const bool direct : {true, false}) {
      Bench bench({.shards = 2, .direct = direct});
      const std::size_t length = CutOff(bench, SIZE_MAX, keys).converse();
      bench.device().release();
      ASSERT_TRUE(bench.is_clean());
      // Every offset near the headers; inside long data every 17th will do.
      for (std::size_t offset = 0; offset < length; offset += (offset % 512 < 64 ? 1 : 17)) {
        CutOff(bench, offset, keys).converse();
        bench.device().release();
        ASSERT_TRUE(bench.is_clean()) << "cut after " << offset << " bytes";
      }
    }
  }
}

TEST(LostConnection, WaitsForADeviceThatDoesNotLetGo) {
  Bench bench;
  {
    CutOff conversation(bench, SIZE_MAX, {});
    conversation.deaf = bench.device().deaf = true;
    conversation.converse();
  }
  bench.world().run_for(engine::kSecond);
  EXPECT_EQ(bench.connections(), 1U) << "the device still uses its memory";
  bench.device().release();
  EXPECT_TRUE(bench.is_clean());
}

TEST(LostConnection, LoginMayBeCutAnywhereToo) {
  Bench bench;
  for (std::size_t offset = 0; offset < 400; ++offset) {
    Initiator initiator(bench);
    spec::LoginRequest request;
    request.flags = 0x87;
    std::string text;
    spec::append_pair(text, "InitiatorName", "iqn.2026-11.test:one");
    spec::append_pair(text, "TargetName", kTargetName);
    const Data bytes = initiator.encode(request, as_bytes(std::string_view(text)));
    initiator.send_raw(Bytes(bytes).first(std::min(offset, bytes.size())));
    bench.world().run_for(engine::kMicrosecond);
    initiator.close();
    ASSERT_TRUE(bench.is_clean()) << offset;
  }
}

// ---- The network is slow and short

// A conversation whose outcome is told in one number.
std::uint32_t outcome_of(std::uint64_t seed, bool faulty, const Keys& keys, bool direct) {
  Bench bench({.seed = seed, .direct = direct});
  if (faulty) {
    bench.world().faults().short_transfer = 400;
    bench.world().faults().would_block = 300;
  }
  Initiator initiator(bench, {.keys = keys});
  EXPECT_TRUE(initiator.is_logged_in());
  std::vector<std::uint32_t> tags;
  for (std::uint32_t i = 0; i < 6; ++i) {
    const std::size_t blocks = 1 + (i * 37) % 150;
    tags.push_back(initiator.start_write(i * 200, pattern(blocks * 512, i)));
    if (i % 2 == 0) tags.push_back(initiator.start_read(i * 100, 64));
    spec::NopOut ping;
    ping.initiator_task_tag = initiator.next_tag();
    ping.cmd_sn = initiator.cmd_sn++;
    initiator.send(ping, pattern(i * 91));
  }
  for (const auto tag : tags) EXPECT_TRUE(initiator.finish(tag));
  initiator.handle_for(engine::kMillisecond);
  EXPECT_EQ(initiator.others.size(), 6U);
  // No READ overlaps a WRITE in flight, so that the data does not depend on timing.
  for (std::uint32_t i = 0; i < 6; ++i) initiator.read(i * 200, 200);
  std::uint32_t sum = 0;
  for (const auto& [tag, exchange] : initiator.exchanges) {
    EXPECT_TRUE(exchange.done);
    if (tags.end() == std::find(tags.begin(), tags.end(), tag)) sum ^= crc32c(exchange.in) + tag;
    sum = sum * 31 + exchange.status + exchange.response_flags + exchange.residual;
  }
  EXPECT_TRUE(initiator.digests_ok);
  initiator.close();
  EXPECT_TRUE(bench.is_clean());
  return sum;
}

TEST(Faults, ShortTransfersChangeNothing) {
  for (const Keys& keys : {Keys{}, kDigests, kOnlyR2t}) {
    const std::uint32_t expected = outcome_of(1, false, keys, true);
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
      EXPECT_EQ(outcome_of(seed, true, keys, seed % 2 == 0), expected) << "seed " << seed;
    }
  }
}

// ---- The pool is empty

// Many writes at once, of all kinds, into a pool of 8 MiB (the least there is): each ends well.
void crowd(const Keys& keys, std::size_t bytes, std::size_t depth, std::size_t sessions) {
  Bench bench({.pool_bytes = 8 * kMiB, .blocks = 131072, .direct = false});
  std::vector<std::unique_ptr<Initiator>> all;
  for (std::size_t i = 0; i < sessions; ++i) {
    all.push_back(std::make_unique<Initiator>(
        bench, LoginOptions{.isid = static_cast<std::uint8_t>(i), .keys = keys}));
    ASSERT_TRUE(all.back()->is_logged_in());
  }
  std::vector<std::vector<std::uint32_t>> tags(sessions);
  for (std::size_t k = 0; k < depth; ++k) {
    for (std::size_t i = 0; i < sessions; ++i) {
      const auto lba = static_cast<std::uint32_t>((i * depth + k) * 37 % 1000);
      tags[i].push_back(all[i]->start_write(lba, pattern(bytes)));
      spec::NopOut ping;
      ping.initiator_task_tag = all[i]->next_tag();
      ping.cmd_sn = all[i]->cmd_sn++;
      all[i]->send(ping, pattern(3000));
      tags[i].push_back(all[i]->start_read(lba, bytes / 512));
    }
  }
  const std::uint64_t start = bench.world().clock().now_ns();
  const auto all_done = [&] {
    bool done = true;
    for (std::size_t i = 0; i < sessions; ++i) {
      while (auto pdu = all[i]->take()) all[i]->handle(std::move(*pdu));
      for (const auto tag : tags[i]) done = done && all[i]->exchanges[tag].done;
    }
    return done || bench.world().clock().now_ns() > start + 100 * engine::kSecond;
  };
  EXPECT_TRUE(bench.world().run_until(all_done));
  EXPECT_LT(bench.world().clock().now_ns(), start + engine::kSecond) << "deadlock";
  for (std::size_t i = 0; i < sessions; ++i) {
    for (const auto tag : tags[i]) EXPECT_TRUE(all[i]->exchanges[tag].is_good());
    EXPECT_EQ(all[i]->others.size(), depth);
    all[i]->close();
  }
  EXPECT_TRUE(bench.is_clean());
}

const Keys kLargeUnsolicited = {{"FirstBurstLength", "262144"}, {"MaxBurstLength", "262144"}};

TEST(EmptyPool, SolicitedWritesWait) { crowd(kOnlyR2t, kMiB, 24, 1); }
TEST(EmptyPool, TheLargestWritesWait) { crowd(kOnlyR2t, 4 * kMiB, 6, 2); }
TEST(EmptyPool, ImmediateDataWaits) { crowd(kLargeUnsolicited, 256 * kKiB, 60, 1); }
TEST(EmptyPool, UnsolicitedAndSolicitedDataWait) { crowd(kLargeUnsolicited, kMiB, 24, 1); }
TEST(EmptyPool, ManySessionsWait) { crowd(kLargeUnsolicited, 768 * kKiB, 6, 8); }
TEST(EmptyPool, DigestsWait) {
  Keys keys = kDigests;
  keys.insert(kLargeUnsolicited.begin(), kLargeUnsolicited.end());
  crowd(keys, kMiB, 16, 2);
}

// Those that wait end, and let the rest through.
TEST(EmptyPool, AbortAndLossOfThoseThatWait) {
  Bench bench({.pool_bytes = 8 * kMiB, .blocks = 131072, .direct = false});
  Initiator one(bench, {.isid = 1, .keys = kOnlyR2t});
  Initiator two(bench, {.isid = 2, .keys = kOnlyR2t});
  Initiator three(bench, {.isid = 3, .keys = kOnlyR2t});
  one.answer_r2ts = two.answer_r2ts = false;
  const auto holder = one.start_write(0, pattern(4 * kMiB));
  one.handle_for(engine::kMillisecond);
  ASSERT_EQ(one.exchanges[holder].r2ts.size(), 1U);
  const auto first = two.start_write(0, pattern(4 * kMiB));
  two.handle_for(engine::kMillisecond);
  EXPECT_TRUE(two.exchanges[first].r2ts.empty()) << "no room for its data";
  const auto small = three.start_write(0, pattern(4096));
  three.handle_for(engine::kMillisecond);
  EXPECT_TRUE(three.exchanges[small].r2ts.empty()) << "stands behind it";
  EXPECT_EQ(two.manage(spec::TmfFunction::abort_task, first), spec::TmfResponse::function_complete);
  EXPECT_TRUE(three.finish(small));
  EXPECT_TRUE(three.exchanges[small].is_good());
  // The same by the end of the connection.
  two.start_write(0, pattern(4 * kMiB));
  bench.world().run_for(engine::kMillisecond);
  const auto again = three.start_write(0, pattern(4096));
  three.handle_for(engine::kMillisecond);
  EXPECT_TRUE(three.exchanges[again].r2ts.empty());
  two.close();
  EXPECT_TRUE(three.finish(again));
  one.close();
  three.close();
  EXPECT_TRUE(bench.is_clean());
}

// The command whose data stalls the input is aborted by another session's reset.
TEST(EmptyPool, AResetOfTheCommandThatStalls) {
  Bench bench({.shards = 2, .pool_bytes = 8 * kMiB, .direct = false});
  Initiator one(bench, {.isid = 1});
  Initiator two(bench, {.isid = 2});
  bench.world().run_for(engine::kMillisecond);
  std::vector<engine::Buffer> taken;  // all but one receive buffer
  for (std::size_t bytes = 4 * kMiB; bytes >= kReceiveBufferBytes; bytes /= 2)
    taken.push_back(bench.world().shard(1).buffers().try_allocate(bytes));
  const auto stalled = two.start_write(0, pattern(8192));
  two.handle_for(engine::kMillisecond);
  EXPECT_EQ(bench.tasks_in_use(1), 1U);
  EXPECT_FALSE(two.exchanges[stalled].done);
  EXPECT_EQ(one.manage(spec::TmfFunction::logical_unit_reset),
            spec::TmfResponse::function_complete);
  taken.clear();
  EXPECT_EQ(two.run({0, 0, 0, 0, 0, 0}, 0, 0).additional_sense(), 0x2903U);
  EXPECT_FALSE(two.exchanges[stalled].done);
  EXPECT_EQ(bench.device().medium[0], std::byte{0});
  EXPECT_TRUE(two.write(0, pattern(8192)));
  one.close();
  two.close();
  EXPECT_TRUE(bench.is_clean());
}

// An initiator that sends pings and fetches no answers does not fill the memory.
TEST(EmptyPool, UnreadEchoesAreBounded) {
  Bench bench;
  Initiator initiator(bench, {});
  const Data data = pattern(200'000);
  for (int i = 0; i < 40; ++i) {
    spec::NopOut ping;
    ping.initiator_task_tag = initiator.next_tag();
    ping.cmd_sn = initiator.cmd_sn++;
    initiator.send(ping, data);
    bench.world().run_for(engine::kMillisecond);
  }
  Initiator other(bench, {.isid = 2});
  EXPECT_GT(bench.free_bytes(), 24 * kMiB);
  initiator.handle_for(engine::kMillisecond);
  while (initiator.others.size() < 40) {
    auto pdu = initiator.receive();
    ASSERT_TRUE(pdu);
    initiator.handle(std::move(*pdu));
  }
  for (const Pdu& pong : initiator.others) EXPECT_TRUE(pong.data == data);
}

// ---- Stopping

TEST(Stop, LetsCommandsInFlightFinish) {
  Bench bench({.shards = 2});
  Initiator one(bench, {});
  Initiator two(bench, {.name = "iqn.2026-11.test:two", .keys = kOnlyR2t});
  bench.device().hold = true;
  const auto read = one.start_read(0, 8);
  const auto write = two.start_write(100, pattern(65536));
  bench.world().run_for(engine::kMillisecond);
  bench.world().shard(0).post_foreign([&] {});
  bool stopped = false;
  const auto stop = [&]() -> engine::Task<void> {
    return bench.service().stop(2 * engine::kSecond);
  };
  const auto watch = [](engine::Task<void> task, bool* flag) -> engine::Task<void> {
    co_await task;
    *flag = true;
  };
  auto running = stop();
  watch(std::move(running), &stopped).detach();
  one.handle_for(100 * engine::kMillisecond);
  EXPECT_FALSE(stopped);
  bench.device().release();
  EXPECT_TRUE(one.finish(read));
  EXPECT_TRUE(two.finish(write)) << "its data is still taken";
  EXPECT_TRUE(one.wait_for_end());
  EXPECT_TRUE(two.wait_for_end());
  const std::uint64_t before = bench.world().clock().now_ns();
  EXPECT_TRUE(bench.world().run_until([&] { return stopped; }));
  EXPECT_LT(bench.world().clock().now_ns(), before + 100 * engine::kMillisecond);
}

TEST(HeldRequests, TheirDataIsBounded) {
  for (const std::size_t count : {kMaxHeldBytes / 8192, kMaxHeldBytes / 8192 + 1}) {
    Bench bench({.policy = {.command_window = 1024}});
    Initiator initiator(bench, {});
    for (std::size_t i = 1; i <= count; ++i) {
      spec::NopOut ping;
      ping.initiator_task_tag = initiator.next_tag();
      ping.cmd_sn = initiator.cmd_sn + static_cast<std::uint32_t>(i);  // one is missing
      initiator.send(ping, pattern(8192));
    }
    bench.world().run_for(engine::kSecond);
    EXPECT_EQ(bench.connections(), count * 8192 > kMaxHeldBytes ? 0U : 1U);
    initiator.close();
    EXPECT_TRUE(bench.is_clean());
  }
}

TEST(Stop, EndsWhatDoesNotFinishInTime) {
  Bench bench;
  Initiator initiator(bench, {.keys = kOnlyR2t});
  initiator.answer_r2ts = false;
  initiator.start_write(0, pattern(65536));
  Initiator silent(bench);
  bench.world().run_for(engine::kMillisecond);
  const std::uint64_t start = bench.world().clock().now_ns();
  bench.stop(engine::kSecond);
  EXPECT_LT(bench.world().clock().now_ns(), start + 2 * engine::kSecond);
  EXPECT_TRUE(initiator.wait_for_end());
}

}  // namespace
}  // namespace lunar::iscsi
