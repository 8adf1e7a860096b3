// Data-In that is the medium's own memory and waits in a queue, while WRITE ATOMIC changes it.
#include <gtest/gtest.h>

#include "iscsi/testing/initiator.h"

namespace lunar::iscsi {
namespace {

using namespace testing;

bool is_whole(const Data& data, std::uint8_t value, std::size_t bytes) {
  return data == Data(bytes, std::byte{value});
}

std::vector<std::uint8_t> write_atomic_cdb(std::uint8_t lba, std::size_t blocks) {
  const auto byte = [](std::size_t value) { return static_cast<std::uint8_t>(value); };
  return {0x9c, 0, 0, 0, 0, 0, 0, 0, 0, lba, 0, 0, byte(blocks >> 8), byte(blocks), 0, 0};
}

bool write_atomic(Initiator& initiator, std::uint8_t lba, std::size_t bytes, std::uint8_t value) {
  return initiator
      .run(write_atomic_cdb(lba, bytes / 512), spec::kWrite, static_cast<std::uint32_t>(bytes),
           Data(bytes, std::byte{value}))
      .is_good();
}

TEST(LentData, WhoReadsSlowlySeesOneWrite) {
  constexpr std::size_t kBytes = 2 * kMiB;  // more than fits the pipe
  for (const std::size_t shards : {1U, 2U}) {
    Bench bench({.shards = shards});
    Initiator slow(bench, {});
    Initiator writer(bench, {.name = "iqn.2026-11.test:two", .isid = 2});
    ASSERT_TRUE(writer.is_logged_in());
    ASSERT_TRUE(write_atomic(writer, 0, kBytes, 0x11));
    const std::uint32_t all = slow.start_read(0, kBytes / 512);
    const std::uint32_t again = slow.start_read(8, 8);
    bench.world().run_for(engine::kMillisecond);
    // Nobody waits for who does not read.
    ASSERT_TRUE(write_atomic(writer, 0, kBytes, 0x22));
    ASSERT_TRUE(write_atomic(writer, 0, kBytes, 0x33));
    EXPECT_EQ(bench.device().medium[0], std::byte{0x33});
    const std::uint32_t later = slow.start_read(8, 8);
    for (const std::uint32_t tag : {all, again, later}) ASSERT_TRUE(slow.finish(tag));
    EXPECT_TRUE(is_whole(slow.exchanges[all].in, 0x11, kBytes));
    EXPECT_TRUE(is_whole(slow.exchanges[again].in, 0x11, 4096));
    EXPECT_TRUE(is_whole(slow.exchanges[later].in, 0x33, 4096));
    slow.close();
    writer.close();
    EXPECT_TRUE(bench.is_clean());
  }
}

TEST(LentData, WhoLetsTooMuchOfItWaitLosesItsConnection) {
  constexpr std::size_t kBytes = 8 * kMiB;
  Bench bench;
  Initiator slow(bench, {});
  Initiator writer(bench, {.name = "iqn.2026-11.test:two", .isid = 2});
  for (std::size_t i = 0; i <= kMaxKeptBytes / kBytes; ++i) (void)slow.start_read(0, kBytes / 512);
  bench.world().run_for(engine::kMillisecond);
  EXPECT_TRUE(write_atomic(writer, 0, kBytes, 0x22));
  EXPECT_TRUE(slow.wait_for_end());
  EXPECT_TRUE(write_atomic(writer, 0, kBytes, 0x33));
  writer.close();
  EXPECT_TRUE(bench.is_clean());
}

// Most of the data has no PDU yet when it is about to change.
TEST(LentData, WhatHasNoPduYetIsKeptToo) {
  constexpr std::size_t kBytes = 4 * kMiB;
  Bench bench;
  Initiator slow(bench,
                 {.keys = {{"MaxRecvDataSegmentLength", "1536"}, {"MaxBurstLength", "8192"}}});
  Initiator writer(bench, {.name = "iqn.2026-11.test:two", .isid = 2});
  ASSERT_TRUE(write_atomic(writer, 0, kBytes, 0x11));
  const std::uint32_t first = slow.start_read(0, kBytes / 512);
  const std::uint32_t second = slow.start_read(3, 100);
  bench.world().run_for(engine::kMillisecond);
  // Overlapping pieces, one of them twice, and one that the first write has kept already.
  ASSERT_TRUE(write_atomic(writer, 10, 3 * 512, 0x22));
  ASSERT_TRUE(write_atomic(writer, 5, 20 * 512, 0x33));
  ASSERT_TRUE(write_atomic(writer, 200, kMiB, 0x44));
  ASSERT_TRUE(write_atomic(writer, 10, 3 * 512, 0x55));
  ASSERT_TRUE(write_atomic(writer, 0, kBytes, 0x66));
  const std::uint32_t later = slow.start_read(8, 8);
  for (const std::uint32_t tag : {first, second, later}) ASSERT_TRUE(slow.finish(tag));
  EXPECT_TRUE(is_whole(slow.exchanges[first].in, 0x11, kBytes));
  EXPECT_TRUE(is_whole(slow.exchanges[second].in, 0x11, 100 * 512));
  EXPECT_TRUE(is_whole(slow.exchanges[later].in, 0x66, 4096));
  slow.close();
  writer.close();
  EXPECT_TRUE(bench.is_clean());
}

TEST(LentData, WhatIsKeptIsGivenBackWithItsTask) {
  constexpr std::size_t kBytes = 8 * kMiB;
  Bench bench;
  Initiator slow(bench, {});
  Initiator writer(bench, {.name = "iqn.2026-11.test:two", .isid = 2});
  // Together more than one connection may have kept.
  for (std::size_t i = 0; i <= kMaxKeptBytes / kBytes; ++i) {
    const std::uint32_t tag = slow.start_read(0, kBytes / 512);
    bench.world().run_for(engine::kMillisecond);
    ASSERT_TRUE(write_atomic(writer, 0, kBytes, static_cast<std::uint8_t>(i)));
    if (i % 2 == 0) {
      ASSERT_TRUE(slow.finish(tag));
      EXPECT_TRUE(is_whole(slow.exchanges[tag].in, static_cast<std::uint8_t>(i - 1), kBytes) ||
                  i == 0);
    } else {
      EXPECT_EQ(slow.manage(spec::TmfFunction::abort_task, tag),
                spec::TmfResponse::function_complete);
    }
  }
}

}  // namespace
}  // namespace lunar::iscsi
