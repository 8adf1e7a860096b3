#include "block/in_flight.h"

#include <gtest/gtest.h>

#include "engine/sim/world.h"

namespace lunar::block {
namespace {

engine::Task<void> drain_and_count(InFlight& in_flight, std::size_t& count) {
  co_await in_flight.drain();
  ++count;
}

// What freeze() waits for: any number of COMPARE AND WRITEs behind one slow request.
TEST(InFlight, ThousandsThatDrainAtOnceDoNotNest) {
  constexpr std::size_t kDrains = 100'000;
  engine::sim::World world;
  InFlight in_flight;
  std::size_t count = 0;
  const InFlight::Generation slow = in_flight.enter();
  for (std::size_t i = 0; i < kDrains; ++i) drain_and_count(in_flight, count).detach();
  EXPECT_EQ(count, 0U);
  in_flight.leave(slow);
  EXPECT_TRUE(world.run_until([&] { return count == kDrains; }));
  EXPECT_EQ(in_flight.count(), 0U);
}

}  // namespace
}  // namespace lunar::block
