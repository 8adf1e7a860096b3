// No cache line on the way of an I/O is written by two shards: all that a shard writes begins on a
// line of its own and fills its last one. (What shards share, the medium's bytes and the devices'
// properties, is the disk itself or never changes.)
#include <gtest/gtest.h>

#include <array>
#include <cstdint>

#include "base/cache_line.h"
#include "block/front.h"
#include "block/statistics.h"
#include "engine/buffer_pool.h"
#include "engine/mailbox.h"
#include "engine/sim/world.h"
#include "engine/uring_driver.h"
#include "iscsi/connection/connection.h"
#include "iscsi/service/service.h"
#include "iscsi/session/pdu_queue.h"
#include "iscsi/session/session.h"
#include "iscsi/session/session_connection.h"
#include "iscsi/session/task.h"
#include "scsi/core/logical_unit.h"
#include "scsi/core/nexus.h"
#include "scsi/target/device_server.h"

namespace lunar::iscsi {
namespace {

template <class T>
constexpr bool kOwnsItsLines = alignof(T) % kCacheLine == 0 && sizeof(T) % kCacheLine == 0;

static_assert(kOwnsItsLines<engine::Shard>);
static_assert(kOwnsItsLines<engine::Mailbox>);
static_assert(kOwnsItsLines<engine::UringDriver>);
static_assert(kOwnsItsLines<block::Front>);
static_assert(kOwnsItsLines<block::ShardStatistics>);
static_assert(kOwnsItsLines<scsi::DeviceServer>);
static_assert(kOwnsItsLines<scsi::LogicalUnitShard>);
static_assert(kOwnsItsLines<scsi::Nexus>);
static_assert(kOwnsItsLines<scsi::ItlNexus>);
static_assert(kOwnsItsLines<ServiceShard>);
static_assert(kOwnsItsLines<Connection>);
static_assert(kOwnsItsLines<Session>);
static_assert(kOwnsItsLines<SessionConnection>);
static_assert(kOwnsItsLines<Task>);
static_assert(kOwnsItsLines<OutboundPdu>);

// The first and the last cache line of a piece of memory.
struct Lines {
  std::uintptr_t first;
  std::uintptr_t last;
};
Lines lines_of(const void* memory, std::size_t bytes) {
  const auto at = reinterpret_cast<std::uintptr_t>(memory);
  return {at / kCacheLine, (at + bytes - 1) / kCacheLine};
}
bool apart(const Lines& a, const Lines& b) { return a.last < b.first || b.last < a.first; }

TEST(Placement, EachShardCountsOnLinesOfItsOwn) {
  const block::DeviceStatistics statistics(2);
  const auto lines = [&](std::size_t shard) {
    return lines_of(&statistics.on(shard), sizeof(block::ShardStatistics));
  };
  EXPECT_TRUE(apart(lines(0), lines(1)));
}

TEST(Placement, BuffersOfTwoShardsShareNoLine) {
  engine::sim::World world(1, 2);
  const auto lines = [&](unsigned shard) {
    engine::BufferPool& pool = world.shard(shard).buffers();
    return lines_of(pool.region(), pool.region_bytes());
  };
  EXPECT_TRUE(apart(lines(0), lines(1)));
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(world.shard(0).buffers().region()) % kCacheLine, 0U);
}

TEST(Placement, TasksAndPdusOfTwoPoolsShareNoLine) {
  std::array<SessionPools, 2> pools;
  const auto task_lines = [](Task& task) { return lines_of(&task, sizeof task); };
  Task& first = pools[0].tasks.take();
  Task& second = pools[1].tasks.take();
  EXPECT_TRUE(apart(task_lines(first), task_lines(second)));
  pools[0].tasks.give_back(first);
  pools[1].tasks.give_back(second);
  const auto pdu_lines = [](OutboundPdu& pdu) { return lines_of(&pdu, sizeof pdu); };
  OutboundPdu& sent = pools[0].pdus.take();
  OutboundPdu& other = pools[1].pdus.take();
  EXPECT_TRUE(apart(pdu_lines(sent), pdu_lines(other)));
  pools[0].pdus.give_back(sent);
  pools[1].pdus.give_back(other);
}

}  // namespace
}  // namespace lunar::iscsi
