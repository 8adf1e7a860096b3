#include "base/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

#include "base/log_limiter.h"

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
  static std::string captured() {
    EXPECT_TRUE(flush(std::chrono::seconds(60)));
    return testing::internal::GetCapturedStderr();
  }
};

TEST_F(Log, WritesFromItsLevelUp) {
  set_level(Level::warning);
  EXPECT_FALSE(enabled(Level::info));
  EXPECT_TRUE(enabled(Level::error));
  testing::internal::CaptureStderr();
  info("left out {}", 1);
  warning("kept {}", 2);
  error("kept {} {{}}", 3);
  const std::string text = captured();
  EXPECT_EQ(text.find("left out"), std::string::npos);
  EXPECT_NE(text.find("kept 2"), std::string::npos);
  EXPECT_NE(text.find("kept 3 {}"), std::string::npos);
}

TEST_F(Log, TextIsNoFormat) {
  testing::internal::CaptureStderr();
  info("{}", "{} %s {0}");  // a name that a peer chose
  EXPECT_NE(captured().find("{} %s {0}"), std::string::npos);
}

TEST_F(Log, ALineHasItsTimeWithTheTimeZoneAndItsLevel) {
  testing::internal::CaptureStderr();
  warning("hot");
  EXPECT_THAT(captured(),
              testing::MatchesRegex("....-..-..T..:..:..\\....[+-]..:.. warning hot\n"));
}

TEST_F(Log, ALineStaysALine) {
  testing::internal::CaptureStderr();
  info("a name\nwith {}", "\x1b[31m");
  EXPECT_NE(captured().find("a name?with ?[31m\n"), std::string::npos);
}

TEST_F(Log, ACauseThatNeverEndsFillsNoLog) {
  testing::internal::CaptureStderr();
  for (int i = 0; i < 1000; ++i) limited(Level::info, "192.0.2.1", "bad", "bad PDU {}", i);
  limited(Level::info, "192.0.2.2", "bad", "bad PDU of another");
  const std::string text = captured();
  EXPECT_EQ(std::ranges::count(text, '\n'), kFirstLines + 1);
  EXPECT_NE(text.find("bad PDU of another"), std::string::npos);
}

TEST_F(Log, LimitedObeysTheLevel) {
  set_level(Level::warning);
  testing::internal::CaptureStderr();
  limited(Level::info, "192.0.2.3", "bad", "left out");
  EXPECT_EQ(captured(), "");
}

// There is no thread, so the line is written at once.
TEST_F(Log, AForkedProcessLogs) {
  testing::internal::CaptureStderr();
  info("parent");
  ASSERT_TRUE(flush(std::chrono::seconds(60)));
  const pid_t child = fork();
  if (child == 0) {
    info("child");
    _exit(0);
  }
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_NE(captured().find("child\n"), std::string::npos);
}

TEST_F(Log, OffIsSilent) {
  set_level(Level::off);
  testing::internal::CaptureStderr();
  error("nobody hears");
  EXPECT_EQ(captured(), "");
}

}  // namespace
}  // namespace lunar::log
