#include "state/database.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <semaphore>
#include <string>
#include <thread>

#include "engine/gate.h"
#include "engine/shard_group.h"
#include "state/testing/faulty_vfs.h"
#include "state/testing/scratch.h"

namespace lunar::state {
namespace {

using namespace testing;

const Object kDisk = Object::exclusive("a-disk");

class DatabaseTest : public ::testing::Test {
 protected:
  DatabaseTest() {
    engine::ShardGroupOptions options;
    options.cores = {engine::allowed_cores().front()};
    shards_ = std::move(*engine::ShardGroup::start(options));
  }

  std::unique_ptr<Database> open(std::chrono::milliseconds patience = engine::kRestartPatience) {
    auto database = Database::open({.folder = (scratch_.path / "a" / "b").string(),
                                    .patience = patience,
                                    .vfs = FaultyVfs::kName});
    EXPECT_TRUE(database);
    return std::move(*database);
  }
  static engine::Task<void> commit_into(Store& store, Transaction transaction,
                                        std::uint64_t patience_ns, Result<void>& outcome) {
    auto committing = store.commit(std::move(transaction), patience_ns);
    outcome = co_await committing;
  }
  Result<void> commit(Store& store, Transaction transaction,
                      std::uint64_t patience_ns = kPatienceNs) {
    Result<void> outcome;
    shards_->run_on(
        0, [&] { return commit_into(store, std::move(transaction), patience_ns, outcome); });
    return outcome;
  }
  static std::string loaded(Store& store, std::string_view key = "key") {
    const auto found = store.load(kDisk, key);
    EXPECT_TRUE(found) << found.error().message;
    return found ? word_in(*found) : "an error";
  }

  Scratch scratch_;
  FaultyVfs vfs_;
  std::unique_ptr<engine::ShardGroup> shards_;
};

TEST_F(DatabaseTest, GivesBackWhatAShardHasCommitted) {
  {
    const auto database = open();
    ASSERT_TRUE(commit(*database, setting(kDisk, "key", word("one"))));
    EXPECT_EQ(loaded(*database), "one");
  }
  const auto later = open();
  EXPECT_EQ(loaded(*later), "one");
  ASSERT_TRUE(later->commit_blocking(setting(kDisk, "key", std::nullopt)));
  EXPECT_EQ(loaded(*later), "");
}

engine::Task<void> commit_all(Store& store, unsigned count, std::atomic<unsigned>& good) {
  engine::Gate gate;
  const auto one = [](Store& to, unsigned number,
                      std::atomic<unsigned>& done) -> engine::Task<void> {
    auto committing = to.commit(setting(kDisk, std::to_string(number), word("x")), kPatienceNs);
    const Result<void> outcome = co_await committing;
    if (outcome) ++done;
  };
  for (unsigned i = 0; i < count; ++i) gate.spawn(one(store, i, good));
  co_await gate.close();
}

TEST_F(DatabaseTest, ChangesThatWaitTogetherBecomeDurableTogether) {
  const auto database = open();
  ASSERT_TRUE(commit(*database, setting(kDisk, "key", word("one"))));
  const unsigned before = vfs_.syncs;
  std::atomic<unsigned> good = 0;
  constexpr unsigned kChanges = 200;
  shards_->run_on(0, [&] { return commit_all(*database, kChanges, good); });
  EXPECT_EQ(good, kChanges);
  EXPECT_LT(vfs_.syncs - before, kChanges / 2);
  EXPECT_EQ(loaded(*database, "199"), "x");
}

// The medium does not answer while the change runs.
TEST_F(DatabaseTest, AWaitThatIsGivenUpLeavesTheOldValue) {
  const auto database = open();
  ASSERT_TRUE(commit(*database, setting(kDisk, "key", word("one"))));
  std::binary_semaphore answers{0};
  std::atomic<bool> hangs = true;
  vfs_.on_sync = [&] {
    if (hangs.exchange(false)) answers.acquire();
  };
  const auto begun = std::chrono::steady_clock::now();
  const auto given_up =
      commit(*database, setting(kDisk, "key", word("two")), 20 * engine::kMillisecond);
  EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(10));
  ASSERT_FALSE(given_up);
  EXPECT_EQ(given_up.error().code, ErrorCode::cancelled);
  // Queued behind it and not begun, so it never will be.
  EXPECT_FALSE(commit(*database, setting(kDisk, "later", word("three")), engine::kMillisecond));
  answers.release();
  EXPECT_EQ(loaded(*database), "one");
  EXPECT_EQ(loaded(*database, "later"), "");
  EXPECT_TRUE(commit(*database, setting(kDisk, "key", word("four"))));
  EXPECT_EQ(loaded(*database), "four");
  vfs_.on_sync = nullptr;
}

// Releases the lock late, like a killed process.
TEST_F(DatabaseTest, WaitsForAProcessThatLetsGo) {
  auto one = open();
  ASSERT_TRUE(commit(*one, setting(kDisk, "key", word("one"))));
  const auto two = open(std::chrono::minutes(1));
  std::thread ender([&] {
    std::this_thread::sleep_for(
        std::chrono::milliseconds(30));  // so that the open mostly has to wait
    one.reset();
  });
  EXPECT_EQ(loaded(*two), "one");
  ender.join();
}

TEST_F(DatabaseTest, BoundsAreErrors) {
  const auto database = open();
  EXPECT_EQ(
      commit(*database, setting(kDisk, std::string(kMaxKeyBytes + 1, 'k'), word("x"))).error().code,
      ErrorCode::no_resource);
  EXPECT_TRUE(commit(*database, setting(kDisk, std::string(kMaxKeyBytes, 'k'), word("x"))));
  const std::size_t frame = to_text(word("")).size();
  const auto with_bytes = [frame](std::size_t bytes) {
    // The header's length has more digits than that of an empty word.
    const std::size_t digits = std::to_string(kMaxRecordBytes).size() - 2;
    return word(std::string(bytes - frame - digits, 'x'));
  };
  ASSERT_EQ(to_text(with_bytes(kMaxRecordBytes)).size(), kMaxRecordBytes);
  EXPECT_TRUE(commit(*database, setting(kDisk, "key", with_bytes(kMaxRecordBytes))));
  EXPECT_EQ(commit(*database, setting(kDisk, "key", with_bytes(kMaxRecordBytes + 1))).error().code,
            ErrorCode::no_resource);
}

TEST_F(DatabaseTest, WithoutAFolderNothingIsKept) {
  const auto database = Database::open({.folder = ""});
  ASSERT_TRUE(database);
  EXPECT_EQ(*(*database)->load(kDisk, "key"), std::nullopt);
  EXPECT_EQ((*database)->commit_blocking(setting(kDisk, "key", word("x"))).error().code,
            ErrorCode::not_found);
}

}  // namespace
}  // namespace lunar::state
