// Targets and portals come and go while the service has sessions.
#include <gtest/gtest.h>

#include "iscsi/testing/initiator.h"

namespace lunar::iscsi {
namespace {

using namespace testing;

const std::string kOther = "iqn.2026-11.test:other";
constexpr std::uint64_t kDrainNs = engine::kSecond;
const std::vector<std::uint8_t> kTestUnitReady{0, 0, 0, 0, 0, 0};

// A change of the service's targets or portals, under way or done.
struct Change {
  bool is_done = false;
  Result<void> outcome;
};

engine::Task<Result<void>> add(Service& service, std::string name) {
  auto adding = service.add_target(std::move(name));
  const Result<TargetNode*> added = co_await adding;
  if (!added) co_return std::unexpected(added.error());
  co_return Result<void>();
}

engine::Task<void> note(engine::Task<Result<void>> work, Change& change) {
  change.outcome = co_await work;
  change.is_done = true;
}

class Comings : public ::testing::Test {
 protected:
  Comings() {
    // As LUN 0 of the other target, too.
    TargetNode& other = bench_.add_target(kOther);
    publish(other, main().device.maps());
  }
  ~Comings() override {
    bench_.device().release();
    bench_.world().run([this] { return gate_.close(); });
  }

  Service& service() { return bench_.service(); }
  TargetNode& main() { return *service().find_target(kTargetName); }
  void publish(const TargetNode& target, const std::shared_ptr<const scsi::LunMaps>& maps) {
    bench_.world().run([&] { return service().publish(target.id, maps); });
  }

  Change remove_target(const std::string& name) {
    Change change;
    const TargetId id = service().find_target(name)->id;
    bench_.world().run([&] { return note(service().remove_target(id, kDrainNs), change); });
    return change;
  }
  void start_to_remove_target(const std::string& name, Change& change) {
    gate_.spawn(note(service().remove_target(service().find_target(name)->id, kDrainNs), change));
  }
  Change open_portal(const std::string& address, std::uint16_t tag) {
    Change change;
    bench_.world().run([&] {
      std::vector<Portal> portals{*make_portal(address, tag, false, {})};
      return note(service().open_portals(std::move(portals), 0), change);
    });
    return change;
  }
  Change remove_portal(std::string_view address) {
    Change change;
    const PortalId id = service().find_portal(address)->id;
    bench_.world().run([&] { return note(service().remove_portal(id, kDrainNs), change); });
    return change;
  }
  bool can_log_in(const std::string& target) {
    Initiator initiator(bench_);
    return initiator.log_in({.isid = 9, .target = target});
  }
  std::uint64_t now_ns() { return bench_.world().clock().now_ns(); }

  Bench bench_{BenchOptions{.shards = 2}};
  engine::Gate gate_;
};

TEST_F(Comings, ATargetThatComesIsFoundAtOnce) {
  Initiator initiator(bench_, {.target = kOther});
  ASSERT_TRUE(initiator.is_logged_in());
  EXPECT_EQ(initiator.read(0, 1).size(), 512U);
  Change again;
  bench_.world().run([&]() { return note(add(service(), kOther), again); });
  EXPECT_EQ(again.outcome.error().code, ErrorCode::already_exists);
}

TEST_F(Comings, ATargetThatGoesEndsItsSessionsAndNoOthers) {
  Initiator stays(bench_, {.isid = 1});
  Initiator goes(bench_, {.isid = 2, .target = kOther});
  Initiator goes_too(bench_, {.isid = 3, .target = kOther});
  const std::uint64_t start_ns = now_ns();
  const Change removed = remove_target(kOther);
  EXPECT_TRUE(removed.outcome);
  EXPECT_LT(now_ns() - start_ns, kDrainNs) << "nobody had anything to finish";
  EXPECT_TRUE(goes.wait_for_end());
  EXPECT_TRUE(goes_too.wait_for_end());
  EXPECT_TRUE(stays.run(kTestUnitReady, 0, 0).is_good());
  EXPECT_FALSE(can_log_in(kOther));
  EXPECT_EQ(service().find_target(kOther), nullptr);
}

TEST_F(Comings, TheNameOfATargetThatWentIsFree) {
  const TargetId before = service().find_target(kOther)->id;
  ASSERT_TRUE(remove_target(kOther).outcome);
  const TargetNode& again = bench_.add_target(kOther);
  EXPECT_NE(again.id, before);
  EXPECT_TRUE(can_log_in(kOther));
}

TEST_F(Comings, CommandsOfATargetThatGoesMayFinish) {
  Initiator initiator(bench_, {.target = kOther});
  bench_.device().hold = true;
  const std::uint32_t tag = initiator.start_read(0, 1);
  ASSERT_TRUE(bench_.world().run_until([this] { return !bench_.device().held.empty(); }));
  Change removal;
  start_to_remove_target(kOther, removal);
  bench_.world().run_for(kDrainNs / 2);
  EXPECT_FALSE(removal.is_done);
  EXPECT_FALSE(can_log_in(kOther)) << "it is hidden meanwhile";
  bench_.device().release();
  EXPECT_TRUE(initiator.finish(tag));
  EXPECT_TRUE(initiator.exchanges[tag].is_good());
  EXPECT_TRUE(initiator.wait_for_end());
  ASSERT_TRUE(bench_.world().run_until([&] { return removal.is_done; }));
  EXPECT_TRUE(removal.outcome);
}

TEST_F(Comings, ALoginUnderWayToATargetThatGoesIsRefused) {
  Initiator initiator(bench_);
  initiator.start_log_in({.target = kOther});
  Change removal;
  start_to_remove_target(kOther, removal);
  EXPECT_FALSE(initiator.finish_log_in());
  ASSERT_TRUE(bench_.world().run_until([&] { return removal.is_done; }));
  EXPECT_TRUE(removal.outcome);
}

TEST_F(Comings, APeerThatNeverReadsDoesNotHoldUpARemoval) {
  Initiator initiator(bench_, {.target = kOther});
  for (int i = 0; i < 6; ++i) (void)initiator.start_read(0, 2048);
  bench_.world().run_for(engine::kMillisecond);
  const std::uint64_t start_ns = now_ns();
  EXPECT_TRUE(remove_target(kOther).outcome);
  EXPECT_LE(now_ns() - start_ns, kDrainNs + engine::kSecond);
}

TEST_F(Comings, WhatADeviceHoldsStaysHiddenUntilItIsRemovedAgain) {
  Initiator initiator(bench_, {.target = kOther});
  bench_.device().hold = bench_.device().deaf = true;
  (void)initiator.start_read(0, 1);
  ASSERT_TRUE(bench_.world().run_until([this] { return !bench_.device().held.empty(); }));
  const std::uint64_t start_ns = now_ns();
  const Change removal = remove_target(kOther);
  EXPECT_EQ(removal.outcome.error().code, ErrorCode::busy);
  EXPECT_LE(now_ns() - start_ns, kDrainNs + kRemovalPatienceNs + engine::kSecond);
  EXPECT_FALSE(can_log_in(kOther));
  EXPECT_TRUE(can_log_in(kTargetName)) << "others are not held up";
  bench_.device().release();
  EXPECT_TRUE(remove_target(kOther).outcome);
  EXPECT_EQ(service().find_target(kOther), nullptr);
}

TEST_F(Comings, PortNumbersStayAndAPlaceThatIsFreeIsUsedAgain) {
  const auto number_of = [this](const std::string& target) {
    return service().find_target(target)->find_port(1)->number;
  };
  EXPECT_EQ(number_of(kTargetName), 1);
  EXPECT_EQ(number_of(kOther), 257);
  EXPECT_EQ(bench_.add_target("iqn.2026-11.test:third").find_port(1)->number, 513);
  ASSERT_TRUE(remove_target(kOther).outcome);
  EXPECT_EQ(number_of("iqn.2026-11.test:third"), 513);
  EXPECT_EQ(bench_.add_target("iqn.2026-11.test:fourth").find_port(1)->number, 257);
}

// ---- Portals.
constexpr const char* kSecond = "10.0.0.1:3261";
const engine::Endpoint kSecondEndpoint{"10.0.0.1", 3261};

TEST_F(Comings, APortalThatComesIsReachedAndTold) {
  Initiator before(bench_, {.isid = 1});
  ASSERT_TRUE(open_portal(kSecond, 2).outcome);
  EXPECT_EQ(before.run(kTestUnitReady, 0, 0).additional_sense(), 0x3f03U)
      << "INQUIRY DATA HAS CHANGED: VPD page 88h has one port more";
  Initiator after(bench_, {.isid = 2, .portal = kSecondEndpoint});
  EXPECT_TRUE(after.is_logged_in());
  ASSERT_NE(main().find_port(2), nullptr);
  EXPECT_EQ(main().find_port(2)->number, 2);
}

TEST_F(Comings, APortalThatGoesEndsWhatCameByIt) {
  ASSERT_TRUE(open_portal(kSecond, 2).outcome);
  Initiator stays(bench_, {.isid = 1});
  Initiator goes(bench_, {.isid = 2, .portal = kSecondEndpoint});
  ASSERT_TRUE(goes.is_logged_in());
  Initiator discovers(bench_, {.discovery = true, .portal = kSecondEndpoint});
  ASSERT_TRUE(discovers.is_logged_in());
  const engine::sim::Peer silent = bench_.world().connect(kSecondEndpoint);
  bench_.world().run_for(engine::kMillisecond);  // it is accepted
  EXPECT_TRUE(remove_portal(kSecond).outcome);
  for (Initiator* each : {&goes, &discovers}) EXPECT_TRUE(each->wait_for_end());
  EXPECT_TRUE(silent.is_at_end());
  EXPECT_EQ(stays.run(kTestUnitReady, 0, 0).additional_sense(), 0x3f03U);
  EXPECT_TRUE(stays.run(kTestUnitReady, 0, 0).is_good());
  EXPECT_EQ(main().find_port(2), nullptr) << "the last portal of its group";
  EXPECT_EQ(service().find_portal(kSecond), nullptr);
  EXPECT_TRUE(open_portal(kSecond, 3).outcome) << "its address is free";
}

TEST_F(Comings, AGroupStaysWithItsOtherPortals) {
  ASSERT_TRUE(open_portal(kSecond, 1).outcome);
  ASSERT_TRUE(remove_portal("10.0.0.1:3260").outcome);
  EXPECT_NE(main().find_port(1), nullptr);
  Initiator initiator(bench_, {.portal = kSecondEndpoint});
  EXPECT_TRUE(initiator.is_logged_in());
}

TEST_F(Comings, OptionsOfAGroupHoldAtOnceAndForOneThatComes) {
  const TargetId id = main().id;
  for (const std::uint16_t tag : {std::uint16_t{1}, std::uint16_t{2}}) {
    bench_.world().run(
        [&] { return service().set_port_group(id, tag, {.state = access::PathState::standby}); });
  }
  EXPECT_EQ(main().find_port(1)->group.state, access::PathState::standby);
  ASSERT_TRUE(open_portal(kSecond, 2).outcome);
  EXPECT_EQ(main().find_port(2)->group.state, access::PathState::standby);
  EXPECT_EQ(service().find_target(kOther)->find_port(2)->group.state, access::PathState::optimized);
}

TEST_F(Comings, AnAddressInUseChangesNothing) {
  auto holder = bench_.world().shard().network().open_listener(kSecondEndpoint, {});
  const Change opened = open_portal(kSecond, 2);
  EXPECT_EQ(opened.outcome.error().code, ErrorCode::busy);
  EXPECT_EQ(main().find_port(2), nullptr);
  EXPECT_EQ(service().portals().size(), 1U);
}

TEST_F(Comings, PortGroupsAndPortalsHaveTheirLimits) {
  std::uint16_t port = 4000;
  for (std::uint16_t tag = 2; tag <= scsi::kMaxTargetPorts; ++tag)
    ASSERT_TRUE(open_portal("10.0.0.1:" + std::to_string(port++), tag).outcome);
  const Change beyond = open_portal(kSecond, scsi::kMaxTargetPorts + 1);
  EXPECT_EQ(beyond.outcome.error().code, ErrorCode::out_of_range);
  EXPECT_EQ(main().find_port(scsi::kMaxTargetPorts + 1), nullptr);
  while (service().portals().size() < kMaxPortals)
    ASSERT_TRUE(open_portal("10.0.0.1:" + std::to_string(port++), 1).outcome);
  EXPECT_EQ(open_portal(kSecond, 1).outcome.error().code, ErrorCode::out_of_range);
  EXPECT_TRUE(can_log_in(kOther));
}

}  // namespace
}  // namespace lunar::iscsi
