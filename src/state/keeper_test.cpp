#include "state/keeper.h"

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <fstream>
#include <functional>
#include <iterator>
#include <memory>
#include <string>

#include "state/testing/faulty_vfs.h"
#include "state/testing/scratch.h"

namespace lunar::state {
namespace {

using namespace testing;

const Object kDisk = Object::exclusive("a-disk");
const Object kOther = Object::exclusive("another");
const Object kAll = Object::shared("all");

class KeeperTest : public ::testing::Test {
 protected:
  [[nodiscard]] DatabaseOptions options(const char* vfs = nullptr) const {
    return {.folder = folder(), .patience = std::chrono::milliseconds(50), .vfs = vfs};
  }
  [[nodiscard]] std::string folder() const { return (scratch_.path / "a" / "b").string(); }
  [[nodiscard]] std::string file() const { return folder() + "/state.db"; }

  static Result<void> commit(Keeper& keeper, const Transaction& transaction) {
    Work work[] = {{.transaction = &transaction}};
    keeper.commit(work);
    return work[0].outcome;
  }
  static Result<void> set(Keeper& keeper, const Object& object, std::string_view text) {
    return commit(keeper, setting(object, "key", word(text)));
  }
  // What the next start finds.
  std::string kept(const Object& object = kDisk) {
    Keeper later(options());
    const auto found = later.load(object, "key");
    EXPECT_TRUE(found) << found.error().message;
    return found ? word_in(*found) : "an error";
  }
  void change_file(const std::function<void(std::string&)>& change) {
    std::ifstream in(file(), std::ios::binary);
    std::string bytes{std::istreambuf_iterator<char>(in), {}};
    change(bytes);
    std::ofstream(file(), std::ios::binary | std::ios::trunc) << bytes;
  }
  void expect_error(ErrorCode code, std::string_view part) {
    Keeper keeper(options());
    const auto loaded = keeper.load(kDisk, "key");
    ASSERT_FALSE(loaded);
    EXPECT_EQ(loaded.error().code, code) << loaded.error().message;
    EXPECT_NE(loaded.error().message.find(part), std::string::npos) << loaded.error().message;
    EXPECT_NE(loaded.error().message.find(file()), std::string::npos) << loaded.error().message;
    EXPECT_EQ(loaded.error().message.find('\n'), std::string::npos);
  }
  void run_sql(const char* statements) {
    auto connection = Connection::open(file(), true);
    ASSERT_TRUE(connection);
    ASSERT_TRUE((*connection)->execute(statements));
  }

  Scratch scratch_;
};

TEST_F(KeeperTest, GivesBackWhatWasCommitted) {
  {
    Keeper keeper(options());
    EXPECT_EQ(*keeper.load(kDisk, "key"), std::nullopt);
    EXPECT_FALSE(std::filesystem::exists(folder())) << "made when something is kept";
    ASSERT_TRUE(set(keeper, kDisk, "one"));
    ASSERT_TRUE(set(keeper, kDisk, "two"));
    EXPECT_EQ(*keeper.load(kOther, "key"), std::nullopt);
    EXPECT_FALSE(std::filesystem::exists(folder() + "/another")) << "nothing is kept of it";
  }
  EXPECT_EQ(kept(), "two");
  Keeper later(options());
  ASSERT_TRUE(commit(later, setting(kDisk, "key", std::nullopt)));
  EXPECT_EQ(*later.load(kDisk, "key"), std::nullopt);
}

TEST_F(KeeperTest, ATransactionIsAllOrNothing) {
  Transaction both = setting(kDisk, "key", word("one"));
  both.push_back({kAll, "key", word("two")});
  FaultyVfs vfs;
  {
    Keeper keeper(options(FaultyVfs::kName));
    ASSERT_TRUE(commit(keeper, both));
    both[0].record = word("three");
    both[1].record = std::nullopt;
    vfs.calls = 0;
    vfs.fail_at = 2;
    EXPECT_FALSE(commit(keeper, both));
  }
  EXPECT_EQ(kept(kDisk), "one");
  EXPECT_EQ(kept(kAll), "two");
}

TEST_F(KeeperTest, TheFailureOfOneIsNotThatOfAnother) {
  Keeper keeper(options());
  Keeper other(options());
  ASSERT_TRUE(set(other, kOther, "theirs"));
  const Transaction transactions[] = {setting(kDisk, "key", word("one")),
                                      setting(kOther, "key", word("ours")),
                                      setting(kAll, "key", word("two"))};
  Work works[] = {{.transaction = &transactions[0]},
                  {.transaction = &transactions[1]},
                  {.transaction = &transactions[2]}};
  keeper.commit(works);
  EXPECT_TRUE(works[0].outcome);
  EXPECT_EQ(works[1].outcome.error().code, ErrorCode::busy);
  EXPECT_TRUE(works[2].outcome);
  EXPECT_EQ(kept(kAll), "two");
  EXPECT_EQ(word_in(*other.load(kOther, "key")), "theirs");
}

TEST_F(KeeperTest, TwoShareAFolderButNotAnObject) {
  Keeper one(options());
  Keeper two(options());
  ASSERT_TRUE(set(one, kDisk, "one"));
  EXPECT_EQ(two.load(kDisk, "key").error().code, ErrorCode::busy);
  ASSERT_TRUE(set(two, kOther, "two"));
  ASSERT_TRUE(set(two, kAll, "both"));
  EXPECT_EQ(word_in(*one.load(kAll, "key")), "both") << "nobody's alone";
}

// ---- Faults. A change of "one" to "two" in a database fails at each of its calls in turn.

class KeeperFaults : public KeeperTest {
 protected:
  enum class Then { goes_on, ends, power_loss };

  // False: there are fewer calls.
  bool check(unsigned call, unsigned failures, Then then) {
    std::filesystem::remove_all(folder());
    FaultyVfs vfs;
    Result<void> outcome;
    {
      Keeper keeper(options(FaultyVfs::kName));
      EXPECT_TRUE(set(keeper, kDisk, "one"));
      vfs.calls = 0;
      vfs.fail_at = call;
      vfs.failures = failures;
      outcome = set(keeper, kDisk, "two");
      if (vfs.calls < call) {
        EXPECT_TRUE(outcome);
        return false;
      }
      if (then == Then::goes_on) {
        vfs.fail_at = 0;
        const auto now = keeper.load(kDisk, "key");
        EXPECT_TRUE(now) << now.error().message;
        EXPECT_EQ(word_in(*now), outcome ? "two" : "one") << "call " << call;
      } else {
        vfs.die_at(1);  // closing the file must change nothing
      }
    }
    vfs.fail_at = 0;
    if (then == Then::power_loss) vfs.lose_power();
    const std::string found = kept();
    const bool knows = failures == 1 || then == Then::goes_on;  // the change could be undone
    if (outcome || knows) {
      EXPECT_EQ(found, outcome ? "two" : "one") << "call " << call;
    } else {
      EXPECT_TRUE(found == "one" || found == "two") << found << ", call " << call;
    }
    return true;
  }
  void check_each_call(unsigned failures, Then then) {
    unsigned call = 1;
    while (call < 1000 && check(call, failures, then)) ++call;
    EXPECT_GE(call, 5U) << "a commit has a journal, the file and their syncs";
    EXPECT_LT(call, 1000U);
  }
};

TEST_F(KeeperFaults, AFailureOnceLeavesTheOldValue) { check_each_call(1, Then::goes_on); }
TEST_F(KeeperFaults, FailuresForAWhileLeaveTheOldValue) { check_each_call(~0U, Then::goes_on); }
TEST_F(KeeperFaults, AKilledProcessLeavesOneOfBoth) { check_each_call(~0U, Then::ends); }
TEST_F(KeeperFaults, APowerLossLeavesWhatWasPromised) {
  check_each_call(1, Then::power_loss);
  check_each_call(~0U, Then::power_loss);
}

TEST_F(KeeperFaults, AFullDiskIsToldAndOtherChangesGoOn) {
  FaultyVfs vfs;
  Keeper keeper(options(FaultyVfs::kName));
  ASSERT_TRUE(set(keeper, kDisk, "one"));
  vfs.code = SQLITE_FULL;
  vfs.calls = 0;
  vfs.fail_at = 1;
  vfs.failures = ~0U;
  const auto full = set(keeper, kDisk, "two");
  ASSERT_FALSE(full);
  EXPECT_EQ(full.error().code, ErrorCode::no_resource);
  EXPECT_NE(full.error().message.find("full"), std::string::npos) << full.error().message;
  EXPECT_NE(full.error().message.find(file()), std::string::npos) << full.error().message;
  vfs.fail_at = 0;
  EXPECT_TRUE(set(keeper, kDisk, "three"));
}

TEST_F(KeeperFaults, WhatNobodyWaitedForIsTakenBack) {
  Keeper keeper(options());
  ASSERT_TRUE(set(keeper, kDisk, "one"));
  const Transaction transaction = setting(kDisk, "key", word("two"));
  Work works[] = {{.transaction = &transaction}};
  keeper.commit(works);
  ASSERT_TRUE(works[0].outcome);
  EXPECT_EQ(word_in(*keeper.load(kDisk, "key")), "two");
  keeper.take_back(works[0].before);
  EXPECT_EQ(word_in(*keeper.load(kDisk, "key")), "one");
}

// ---- Files that cannot be used

TEST_F(KeeperTest, ADamagedDatabaseIsAnErrorThatNamesIt) {
  {
    Keeper keeper(options());
    ASSERT_TRUE(set(keeper, kDisk, "precious"));
  }
  std::string whole;
  change_file([&whole](std::string& bytes) { whole = bytes; });
  change_file([](std::string& bytes) { bytes[0] = static_cast<char>(bytes[0] ^ 1); });
  expect_error(ErrorCode::malformed, "remove it");
  change_file([&whole](std::string& bytes) { bytes = whole.substr(0, whole.size() / 2); });
  expect_error(ErrorCode::malformed, "remove it");
  change_file([&whole](std::string& bytes) {
    bytes = whole;
    bytes[bytes.find("precious")] = 'P';
  });
  expect_error(ErrorCode::malformed, "the record key of a-disk");
}

TEST_F(KeeperTest, ADatabaseOfAnotherProgramOrALaterLunarIsLeftAlone) {
  std::filesystem::create_directories(folder());
  run_sql("CREATE TABLE theirs(x)");
  expect_error(ErrorCode::malformed, "no state database of lunar");
  std::filesystem::remove(file());
  {
    Keeper keeper(options());
    ASSERT_TRUE(set(keeper, kDisk, "one"));
  }
  run_sql("PRAGMA user_version=2");
  expect_error(ErrorCode::unsupported, "later version");
}

TEST_F(KeeperTest, AFileThatACrashLeftEmptyIsMade) {
  std::filesystem::create_directories(folder());
  std::ofstream(file()).flush();
  EXPECT_EQ(kept(), "");
  Keeper keeper(options());
  ASSERT_TRUE(set(keeper, kDisk, "one"));
}

TEST_F(KeeperTest, AFolderThatCannotBeMadeIsAnErrorWhenItMatters) {
  std::ofstream(scratch_.path / "a") << "a file";
  Keeper keeper(options());
  EXPECT_EQ(*keeper.load(kDisk, "key"), std::nullopt) << "nothing is kept there";
  const auto saved = set(keeper, kDisk, "one");
  ASSERT_FALSE(saved);
  EXPECT_NE(saved.error().message.find((scratch_.path / "a").string()), std::string::npos);
}

TEST_F(KeeperTest, AFileThatWasRemovedIsMadeAnew) {
  Keeper keeper(options());
  ASSERT_TRUE(set(keeper, kDisk, "one"));
  std::filesystem::remove(file());
  EXPECT_EQ(*keeper.load(kDisk, "key"), std::nullopt);
  ASSERT_TRUE(set(keeper, kDisk, "two"));
  EXPECT_EQ(word_in(*keeper.load(kDisk, "key")), "two");
}

}  // namespace
}  // namespace lunar::state
