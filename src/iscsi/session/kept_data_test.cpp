#include "iscsi/session/kept_data.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace lunar::iscsi {
namespace {

class KeptDataTest : public testing::Test {
 protected:
  [[nodiscard]] bool keep(std::uint32_t from, std::uint32_t to, std::size_t limit = 1000) {
    return kept.keep(as_bytes(std::string_view(medium)), from, to, limit);
  }
  std::string find(std::uint32_t from, std::uint32_t length) {
    const Bytes found = kept.find(from, length);
    return {reinterpret_cast<const char*>(found.data()), found.size()};
  }
  void write(char value) { medium.assign(medium.size(), value); }

  std::string medium = std::string(100, 'a');
  KeptData kept;
};

TEST_F(KeptDataTest, ShowsWhatWasThereBeforeTheFirstWrite) {
  ASSERT_TRUE(keep(20, 40));
  write('b');
  ASSERT_TRUE(keep(10, 60));
  write('c');
  ASSERT_TRUE(keep(0, 100));
  write('d');
  EXPECT_EQ(find(0, 10), std::string(10, 'c'));
  EXPECT_EQ(find(10, 10), std::string(10, 'b'));
  EXPECT_EQ(find(20, 20), std::string(20, 'a'));
  EXPECT_EQ(find(30, 10), std::string(10, 'a'));
  EXPECT_EQ(find(40, 20), std::string(20, 'b'));
  EXPECT_EQ(find(90, 10), std::string(10, 'c'));
  EXPECT_EQ(kept.bytes(), 100U);
}

TEST_F(KeptDataTest, WhatWasNotKeptIsNotFound) {
  EXPECT_EQ(find(0, 10), "");
  ASSERT_TRUE(keep(20, 40));
  EXPECT_EQ(find(10, 10), "");
  EXPECT_EQ(find(40, 10), "");
  EXPECT_EQ(find(39, 1), "a");
}

TEST_F(KeptDataTest, TheLimitCountsOnlyWhatIsNew) {
  EXPECT_FALSE(keep(20, 40, 19));
  EXPECT_EQ(kept.bytes(), 0U);
  EXPECT_TRUE(keep(20, 40, 20));
  EXPECT_TRUE(keep(25, 35, 0));
  EXPECT_FALSE(keep(20, 41, 0));
  EXPECT_TRUE(keep(20, 41, 1));
  EXPECT_EQ(kept.bytes(), 21U);
}

}  // namespace
}  // namespace lunar::iscsi
