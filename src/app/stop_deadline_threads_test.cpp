#include "app/stop_deadline.h"

#include <gtest/gtest.h>
#include <unistd.h>

namespace lunar::app {
namespace {

TEST(StopDeadline, EndsAProcessWhoseStopNeverEnds) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const auto hang = [] {
    const StopDeadline deadline(std::chrono::milliseconds(1));
    for (;;) pause();
  };
  EXPECT_EXIT(hang(), ::testing::ExitedWithCode(1), "a device does not answer");
}

TEST(StopDeadline, IsForgottenWhenTheStopHasEnded) {
  const StopDeadline deadline(std::chrono::hours(1));
}

}  // namespace
}  // namespace lunar::app
