#include "base/log.h"

#include <gtest/gtest.h>

namespace lunar::log {
namespace {

TEST(ParseLevel, KnowsEveryName) {
  EXPECT_EQ(parse_level("trace").value(), Level::trace);
  EXPECT_EQ(parse_level("debug").value(), Level::debug);
  EXPECT_EQ(parse_level("info").value(), Level::info);
  EXPECT_EQ(parse_level("warning").value(), Level::warning);
  EXPECT_EQ(parse_level("error").value(), Level::error);
  EXPECT_EQ(parse_level("off").value(), Level::off);
}

TEST(ParseLevel, NamesWhatItRefusesAndWhatItTakes) {
  for (const char* text : {"", "Info", "warn", "infos"}) {
    const auto level = parse_level(text);
    ASSERT_FALSE(level) << text;
    EXPECT_EQ(level.error().code, ErrorCode::invalid_argument);
    EXPECT_NE(level.error().message.find("warning"), std::string::npos);
  }
}

class Log : public testing::Test {
 protected:
  ~Log() override { set_level(Level::info); }
};

TEST_F(Log, WritesFromItsLevelUp) {
  set_level(Level::warning);
  EXPECT_FALSE(enabled(Level::info));
  EXPECT_TRUE(enabled(Level::error));
  testing::internal::CaptureStderr();
  info("left out {}", 1);
  warning("kept {}", 2);
  error("kept {} {{}}", 3);
  const std::string text = testing::internal::GetCapturedStderr();
  EXPECT_EQ(text.find("left out"), std::string::npos);
  EXPECT_NE(text.find("kept 2"), std::string::npos);
  EXPECT_NE(text.find("kept 3 {}"), std::string::npos);
}

TEST_F(Log, TextIsNoFormat) {
  testing::internal::CaptureStderr();
  info("{}", "{} %s {0}");  // a name that a peer chose
  EXPECT_NE(testing::internal::GetCapturedStderr().find("{} %s {0}"), std::string::npos);
}

TEST_F(Log, OffIsSilent) {
  set_level(Level::off);
  testing::internal::CaptureStderr();
  error("nobody hears");
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

}  // namespace
}  // namespace lunar::log
