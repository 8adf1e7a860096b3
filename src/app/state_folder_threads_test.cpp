#include "app/state_folder.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <sstream>
#include <thread>

#include "engine/shard_group.h"

namespace lunar::app {
namespace {

namespace fs = std::filesystem;

const Uuid kDisk = Uuid::from_name("a disk");
const Uuid kOther = Uuid::from_name("another");

class StateFolderTest : public ::testing::Test {
 protected:
  StateFolderTest() {
    std::string pattern = (fs::temp_directory_path() / "lunar-state.XXXXXX").string();
    base_ = mkdtemp(pattern.data());
    engine::ShardGroupOptions options;
    options.cores = {engine::allowed_cores().front()};
    shards_ = std::move(*engine::ShardGroup::start(options));
  }
  ~StateFolderTest() override { fs::remove_all(base_); }

  static engine::Task<void> save_into(StateFolder& folder, Uuid unit, std::string name,
                                      std::string value, Result<void>& result) {
    auto saving = folder.save(unit, std::move(name), std::move(value));
    result = co_await saving;
  }
  Result<void> save(StateFolder& folder, const Uuid& unit, const std::string& value) {
    Result<void> result;
    shards_->run_on(0, [&] { return save_into(folder, unit, "name", value, result); });
    return result;
  }
  [[nodiscard]] std::string path() const { return (base_ / "a" / "b").string(); }
  [[nodiscard]] fs::path file() const { return fs::path(path()) / kDisk.to_string() / "name"; }

  fs::path base_;
  std::unique_ptr<engine::ShardGroup> shards_;
};

TEST_F(StateFolderTest, GivesBackWhatWasSaved) {
  {
    StateFolder folder(path());
    EXPECT_EQ(*folder.load(kDisk, "name"), "");
    EXPECT_FALSE(fs::exists(path())) << "made when something is kept";
    ASSERT_TRUE(save(folder, kDisk, "one\n"));
    ASSERT_TRUE(save(folder, kDisk, std::string("two\0three", 9)));
    EXPECT_EQ(*folder.load(kDisk, "name"), std::string("two\0three", 9));
    EXPECT_EQ(*folder.load(kOther, "name"), "");
  }
  StateFolder later(path());
  EXPECT_EQ(*later.load(kDisk, "name"), std::string("two\0three", 9));
  ASSERT_TRUE(save(later, kDisk, ""));
  EXPECT_FALSE(fs::exists(file()));
  EXPECT_EQ(*later.load(kDisk, "name"), "");
}

TEST_F(StateFolderTest, ADamagedFileIsAnErrorThatNamesIt) {
  StateFolder folder(path());
  ASSERT_TRUE(save(folder, kDisk, "what must not be lost"));
  std::ifstream in(file());
  std::ostringstream text;
  text << in.rdbuf();
  const std::string whole = text.str();
  std::string changed = whole;
  changed.back() = '?';
  for (const std::string& damaged : {std::string(), whole.substr(0, 5),
                                     whole.substr(0, whole.size() - 1), whole + "x", changed}) {
    std::ofstream(file(), std::ios::trunc) << damaged;
    const auto loaded = folder.load(kDisk, "name");
    ASSERT_FALSE(loaded) << damaged;
    EXPECT_EQ(loaded.error().code, ErrorCode::malformed);
    EXPECT_NE(loaded.error().message.find(file().string()), std::string::npos);
  }
}

// As a killed process does, late.
TEST_F(StateFolderTest, WaitsForAKeeperThatLetsGo) {
  auto one = std::make_unique<StateFolder>(path());
  ASSERT_TRUE(save(*one, kDisk, "one"));
  StateFolder two(path(), {}, std::chrono::minutes(1));
  std::thread ender([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(30));  // so that it is mostly waited for
    one.reset();
  });
  const auto loaded = two.load(kDisk, "name");
  ender.join();
  ASSERT_TRUE(loaded) << loaded.error().message;
  EXPECT_EQ(*loaded, "one");
}

TEST_F(StateFolderTest, TwoKeepersOfOneDiskAreAnError) {
  StateFolder one(path());
  StateFolder two(path(), {}, std::chrono::milliseconds(50));
  ASSERT_TRUE(save(one, kDisk, "one"));
  const auto saved = save(two, kDisk, "two");
  ASSERT_FALSE(saved);
  EXPECT_EQ(saved.error().code, ErrorCode::busy);
  const auto loaded = two.load(kDisk, "name");
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().code, ErrorCode::busy);
  EXPECT_TRUE(save(two, kOther, "two")) << "another disk";
  EXPECT_EQ(*one.load(kDisk, "name"), "one");
}

TEST_F(StateFolderTest, AFolderThatCannotBeMadeIsAnErrorWhenItMatters) {
  std::ofstream(base_ / "a") << "a file";
  StateFolder folder(path());
  EXPECT_EQ(*folder.load(kDisk, "name"), "") << "nothing is kept there";
  const auto saved = save(folder, kDisk, "one");
  ASSERT_FALSE(saved);
  EXPECT_NE(saved.error().message.find((base_ / "a").string()), std::string::npos);
}

TEST_F(StateFolderTest, ALeftoverOfACrashIsNoMatter) {
  {
    StateFolder folder(path());
    ASSERT_TRUE(save(folder, kDisk, "one"));
  }
  std::ofstream(file().string() + ".new") << "half";
  StateFolder folder(path());
  EXPECT_EQ(*folder.load(kDisk, "name"), "one");
  ASSERT_TRUE(save(folder, kDisk, "two"));
  EXPECT_EQ(*folder.load(kDisk, "name"), "two");
}

// A folder whose names cannot be made durable for a while.
struct FailingSync {
  int failures = 0;  // to come
  Result<void> operator()(const std::string&) {
    if (failures == 0) return {};
    --failures;
    return fail(ErrorCode::io, "the folder cannot be synced");
  }
};

TEST_F(StateFolderTest, WhatCannotBeMadeDurableIsNotThere) {
  for (const int failures : {1, 2}) {
    FailingSync sync;
    StateFolder folder(path(), std::ref(sync));
    ASSERT_TRUE(save(folder, kDisk, "one"));
    for (const std::string& value : {std::string("two"), std::string()}) {
      sync.failures = failures;
      const auto saved = save(folder, kDisk, value);
      ASSERT_FALSE(saved);
      EXPECT_EQ(saved.error().message, "the folder cannot be synced");
      EXPECT_EQ(sync.failures, 0) << "the old value is made durable again, or that is tried";
      EXPECT_EQ(*folder.load(kDisk, "name"), "one");
    }
    ASSERT_TRUE(save(folder, kDisk, ""));
    sync.failures = failures;
    ASSERT_FALSE(save(folder, kDisk, "one"));
    EXPECT_FALSE(fs::exists(file())) << "nothing was there";
    ASSERT_TRUE(save(folder, kDisk, "three"));
    EXPECT_EQ(*folder.load(kDisk, "name"), "three");
  }
}

TEST_F(StateFolderTest, KeepsTheIdentityOfMediaThatCannot) {
  const std::string key = "/dev/disk/by-id/one";
  {
    StateFolder folder(path());
    EXPECT_EQ(folder.load_identity(key), "");
    ASSERT_TRUE(folder.save_identity(key, "uuid=1\n"));
    ASSERT_TRUE(folder.save_identity("other", "uuid=2\n"));
  }
  StateFolder folder(path());
  EXPECT_EQ(folder.load_identity(key), "uuid=1\n");
  EXPECT_EQ(folder.load_identity("other"), "uuid=2\n");
  std::ofstream(folder.place_of_identity(key), std::ios::app) << "x";
  const auto damaged = folder.load_identity(key);
  EXPECT_EQ(damaged.error().code, ErrorCode::malformed);
  EXPECT_NE(damaged.error().message.find(folder.place_of_identity(key)), std::string::npos);
}

}  // namespace
}  // namespace lunar::app
