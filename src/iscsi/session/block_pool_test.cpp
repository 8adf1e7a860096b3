#include "iscsi/session/block_pool.h"

#include <gtest/gtest.h>

#include <set>

#include "iscsi/session/pdu_queue.h"
#include "iscsi/session/task.h"

namespace lunar::iscsi {
namespace {

struct Thing {
  Thing* next = nullptr;
};
using Pool = BlockPool<Thing, &Thing::next>;

TEST(BlockPool, GrowsToWhatIsInUseAndUsesItAgain) {
  Pool pool;
  std::set<Thing*> first;
  for (std::size_t i = 0; i < 3 * Pool::kBlock; ++i) first.insert(&pool.take());
  EXPECT_EQ(first.size(), 3 * Pool::kBlock);
  EXPECT_EQ(pool.in_use(), 3 * Pool::kBlock);
  for (Thing* thing : first) pool.give_back(*thing);
  EXPECT_EQ(pool.in_use(), 0U);
  for (std::size_t i = 0; i < 3 * Pool::kBlock; ++i) EXPECT_TRUE(first.contains(&pool.take()));
  EXPECT_EQ(pool.size(), 3 * Pool::kBlock);
}

TEST(BlockPool, ShrinksToASpareWhenItIsTrimmed) {
  Pool pool;
  std::vector<Thing*> things;
  for (std::size_t i = 0; i < 100 * Pool::kBlock; ++i) things.push_back(&pool.take());
  pool.trim();
  EXPECT_EQ(pool.size(), 100 * Pool::kBlock) << "all of it is in use";
  for (Thing* thing : things) pool.give_back(*thing);
  pool.trim();
  EXPECT_EQ(pool.size(), Pool::kSpare);
  std::set<Thing*> again;
  for (std::size_t i = 0; i < 2 * Pool::kSpare; ++i) again.insert(&pool.take());
  EXPECT_EQ(again.size(), 2 * Pool::kSpare) << "none is given out twice";
  EXPECT_EQ(pool.in_use(), 2 * Pool::kSpare);
}

TEST(BlockPool, KeepsBlocksOfWhichOneObjectIsInUse) {
  Pool pool;
  std::vector<Thing*> things;
  for (std::size_t i = 0; i < 20 * Pool::kBlock; ++i) things.push_back(&pool.take());
  std::vector<Thing*> kept;
  for (std::size_t i = 0; i < things.size(); ++i) {
    if (i % (2 * Pool::kBlock) == 5) {
      kept.push_back(things[i]);
    } else {
      pool.give_back(*things[i]);
    }
  }
  pool.trim();
  EXPECT_EQ(pool.size(), 10 * Pool::kBlock);
  EXPECT_EQ(pool.in_use(), kept.size());
  for (Thing* thing : kept) thing->next = nullptr;  // still there (for AddressSanitizer)
}

TEST(BlockPool, TheShardsPoolsShrink) {
  OutboundPduPool pdus;
  TaskPool tasks;
  std::vector<OutboundPdu*> all_pdus;
  std::vector<Task*> all_tasks;
  for (std::size_t i = 0; i < 5000; ++i) {
    all_pdus.push_back(&pdus.take());
    all_tasks.push_back(&tasks.take());
  }
  for (OutboundPdu* pdu : all_pdus) pdus.give_back(*pdu);
  for (Task* task : all_tasks) tasks.give_back(*task);
  pdus.trim();
  tasks.trim();
  EXPECT_LT(pdus.size(), 1000U);
  EXPECT_LT(tasks.size(), 1000U);
}

}  // namespace
}  // namespace lunar::iscsi
