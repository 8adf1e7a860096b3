#include "base/glob.h"

#include <gtest/gtest.h>

namespace lunar {
namespace {

TEST(Glob, WithoutWildcardsIsTheTextItself) {
  EXPECT_TRUE(glob_match("iqn.a", "iqn.a"));
  EXPECT_FALSE(glob_match("iqn.a", "iqn.ab"));
  EXPECT_FALSE(glob_match("iqn.ab", "iqn.a"));
  EXPECT_TRUE(glob_match("", ""));
  EXPECT_FALSE(glob_match("", "a"));
}

TEST(Glob, TakesOneCharacterForAQuestionMark) {
  EXPECT_TRUE(glob_match("a?c", "abc"));
  EXPECT_FALSE(glob_match("a?c", "ac"));
  EXPECT_FALSE(glob_match("?", ""));
}

TEST(Glob, TakesAnyTextForAStar) {
  EXPECT_TRUE(glob_match("*", ""));
  EXPECT_TRUE(glob_match("*", "anything"));
  EXPECT_TRUE(glob_match("iqn.*:web*", "iqn.2026-11.example:web7"));
  EXPECT_FALSE(glob_match("iqn.*:web*", "iqn.2026-11.example:db"));
  EXPECT_TRUE(glob_match("a*b", "aXbYb")) << "the star may have to take more than at first";
  EXPECT_FALSE(glob_match("a*b", "aXbY"));
  EXPECT_TRUE(glob_match("a**b*", "ab"));
}

TEST(Glob, EndsSoonOnManyStars) {
  const std::string text(2000, 'a');
  EXPECT_FALSE(glob_match("*a*a*a*a*a*a*a*a*a*a*b", text));
}

}  // namespace
}  // namespace lunar
