// What would corrupt a shard's lists ends the process with one line, in release builds too.
#include "lunar/block/request.h"

#include <gtest/gtest.h>

#include <thread>

#include "engine/sim/world.h"

namespace lunar::block {
namespace {

class RequestDeathTest : public ::testing::Test {
 protected:
  RequestDeathTest() {
    request_.shard = &world_.shard();
    request_.done = [](Request&) noexcept {};
  }

  engine::sim::World world_;
  Request request_;
};

TEST_F(RequestDeathTest, CompletesOnItsShardsThreadOnly) {
  EXPECT_EXIT(std::thread([this] { request_.complete(Status::ok); }).join(),
              ::testing::KilledBySignal(SIGABRT),
              "complete\\(\\) on a thread other than that of the request's shard");
}

TEST_F(RequestDeathTest, CompletesOnce) {
  EXPECT_EXIT(
      {
        request_.complete(Status::ok);
        request_.complete(Status::ok);
      },
      ::testing::KilledBySignal(SIGABRT), "complete\\(\\) twice for one request");
}

struct Nothing {};

TEST_F(RequestDeathTest, HasRoomForSoManyLayers) {
  for (std::size_t i = 0; i < kMaxLayers; ++i) request_.push_layer<Nothing>(nullptr);
  EXPECT_EXIT(request_.push_layer<Nothing>(nullptr), ::testing::KilledBySignal(SIGABRT),
              "more layers than Device::layers\\(\\) told");
}

}  // namespace
}  // namespace lunar::block
