// The service over simulated shards: which login makes a session, and when portals open.
#include "iscsi/service/service.h"

#include <gtest/gtest.h>

#include "iscsi/testing/initiator.h"

namespace lunar::iscsi {
namespace {

using testing::Bench;
using testing::Initiator;
using testing::kPortal;

spec::LoginStatus status_of(const Initiator& initiator) {
  return initiator.login_response.status();
}

// A session's other connections are told from its first by TSIH and CID.
spec::LoginStatus join(Bench& bench, std::uint16_t tsih, std::uint16_t cid, std::uint8_t isid) {
  Initiator further(bench);
  EXPECT_FALSE(further.log_in({.isid = isid, .tsih = tsih, .cid = cid}));
  return status_of(further);
}

TEST(Service, ADeadLoginLeavesTheLiveSession) {
  Bench bench({.shards = 2});
  Initiator live(bench, {.isid = 1});
  ASSERT_TRUE(live.is_logged_in());
  for (int i = 0; i < 4; ++i) {
    Initiator dead(bench);
    dead.start_log_in({.isid = 1});
    dead.close();
    EXPECT_TRUE(dead.wait_for_end());
  }
  EXPECT_TRUE(live.run({0, 0, 0, 0, 0, 0}, 0, 0).is_good());
}

TEST(Service, LoginsTakeEffectInTheOrderOfTheirArrival) {
  Bench bench({.shards = 2});
  Initiator early(bench);
  Initiator late(bench);
  ASSERT_TRUE(late.log_in({.isid = 1}));
  EXPECT_FALSE(early.log_in({.isid = 1})) << "it came before, and would be reinstated by now";
  EXPECT_EQ(status_of(early), spec::LoginStatus::service_unavailable);
  (void)late.run({0, 0, 0, 0, 0, 0}, 0, 0);  // its unit attention
  EXPECT_TRUE(late.run({0, 0, 0, 0, 0, 0}, 0, 0).is_good());
  Initiator last(bench);
  EXPECT_TRUE(last.log_in({.isid = 1}));
  EXPECT_TRUE(late.wait_for_end());
}

TEST(Service, AFurtherConnectionIsOneTooMany) {
  Bench bench({.shards = 2});
  Initiator first(bench, {.isid = 1});
  const std::uint16_t tsih = first.login_response.tsih;
  EXPECT_EQ(join(bench, tsih, 1, 1), spec::LoginStatus::too_many_connections);
  EXPECT_EQ(join(bench, tsih, 0, 1), spec::LoginStatus::cannot_include_in_session);
  EXPECT_EQ(join(bench, static_cast<std::uint16_t>(tsih + 1), 1, 1),
            spec::LoginStatus::session_does_not_exist);
  EXPECT_EQ(join(bench, tsih, 1, 2), spec::LoginStatus::session_does_not_exist) << "of another";
  EXPECT_TRUE(first.run({0, 0, 0, 0, 0, 0}, 0, 0).is_good());
}

TEST(Service, ADiscoverySessionHasNoFurtherConnections) {
  Bench bench;
  Initiator further(bench);
  EXPECT_FALSE(further.log_in({.discovery = true, .tsih = 1}));
  EXPECT_EQ(status_of(further), spec::LoginStatus::session_does_not_exist);
}

// ---- Portals, of a service without targets.
class HeldAddress : public ::testing::Test {
 protected:
  HeldAddress() {
    log::set_level(log::Level::off);
    world_.run([this]() -> engine::Task<void> {
      const Result<void> started = co_await service_.start();
      EXPECT_TRUE(started);
    });
  }
  ~HeldAddress() override {
    world_.run([this] { return service_.stop(0); });
  }
  engine::Task<void> open(std::vector<std::string> texts) {
    std::vector<Portal> portals;
    for (const std::string& text : texts) portals.push_back(*make_portal(text, 1, false, {}));
    outcome_ = co_await service_.open_portals(std::move(portals));
    is_done_ = true;
  }

  static constexpr const char* kFirst = "10.0.0.1:3260";
  static constexpr const char* kSecond = "10.0.0.1:3261";
  engine::sim::World world_;
  std::vector<engine::Shard*> shards_ = world_.shards();
  Service service_{shards_};
  Result<void> outcome_;
  bool is_done_ = false;
};

// As a killed lunar, whose ring the kernel has not ended yet.
TEST_F(HeldAddress, IsWaitedFor) {
  auto holder = world_.shard().network().open_listener({"10.0.0.1", 3261}, {});
  engine::Gate gate;
  gate.spawn(open({kFirst, kSecond}));
  world_.run_for(kPortalPatienceNs / 2);
  EXPECT_FALSE(is_done_);
  engine::sim::Peer early = world_.connect(kPortal);
  world_.run_for(kPortalPatienceNs / 4);
  EXPECT_EQ(service_.on(0).connection_count(), 0U) << "accepted before all portals are open";
  holder->reset();
  ASSERT_TRUE(world_.run_until([this] { return is_done_; }));
  EXPECT_TRUE(outcome_) << outcome_.error().message;
  EXPECT_EQ(service_.portals().size(), 2U);
  EXPECT_TRUE(world_.run_until([this] { return service_.on(0).connection_count() == 1; }));
  world_.run([&] { return gate.close(); });
}

TEST_F(HeldAddress, IsGivenUpWhenItStaysHeld) {
  auto holder = world_.shard().network().open_listener({"10.0.0.1", 3261}, {});
  const std::uint64_t start_ns = world_.clock().now_ns();
  world_.run([this] { return open({kFirst, kSecond}); });
  EXPECT_GE(world_.clock().now_ns() - start_ns, kPortalPatienceNs);
  EXPECT_EQ(outcome_.error().code, ErrorCode::busy);
  EXPECT_TRUE(world_.shard().network().open_listener(kPortal, {})) << "the first is closed again";
}

}  // namespace
}  // namespace lunar::iscsi
