#include "base/fatal.h"

#include <gtest/gtest.h>

namespace lunar {
namespace {

TEST(FatalDeathTest, TellsOneLineAndAborts) {
  EXPECT_EXIT(fatal("it cannot go on"), ::testing::KilledBySignal(SIGABRT),
              "^lunar: it cannot go on\n$");
}

}  // namespace
}  // namespace lunar
