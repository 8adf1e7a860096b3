// What would corrupt a shard's lists ends the process with one line, in release builds too.
#include "lunar/block/request.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

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

TEST_F(RequestDeathTest, CompletesOnceFromOtherThreadsToo) {
  EXPECT_EXIT(
      {
        request_.complete_from_any_thread(Status::ok);
        request_.complete_from_any_thread(Status::ok);
      },
      ::testing::KilledBySignal(SIGABRT), "completed a request twice");
}

TEST(Request, CompletesFromAnyThread) {
  engine::sim::World world;
  struct Counted : Request {
    int done_count = 0;
  };
  std::vector<Counted> requests(100);
  for (Counted& request : requests) {
    request.shard = &world.shard();
    request.done = [](Request& self) noexcept { ++static_cast<Counted&>(self).done_count; };
  }
  std::vector<std::thread> threads;
  for (std::size_t first = 0; first < 4; ++first) {
    threads.emplace_back([&requests, first] {
      for (std::size_t i = first; i < requests.size(); i += 4)
        requests[i].complete_from_any_thread(Status::read_error);
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const Counted& request : requests) EXPECT_EQ(request.done_count, 0) << "on the shard only";
  while (world.step()) {
  }
  for (const Counted& request : requests) {
    EXPECT_EQ(request.done_count, 1);
    EXPECT_EQ(request.status, Status::read_error);
  }
}

struct Nothing {};

TEST_F(RequestDeathTest, HasRoomForSoManyLayers) {
  for (std::size_t i = 0; i < kMaxLayers; ++i) request_.push_layer<Nothing>(nullptr);
  EXPECT_EXIT(request_.push_layer<Nothing>(nullptr), ::testing::KilledBySignal(SIGABRT),
              "more layers than Device::layers\\(\\) told");
}

}  // namespace
}  // namespace lunar::block
