// Persistent reservations by their commands, on two shards.
#include <gtest/gtest.h>

#include "access/reservations.h"
#include "scsi/reservations/reservation_change.h"
#include "scsi/testing/persistent_reserve.h"

namespace lunar::scsi {
namespace {

using namespace testing;
using spec::AdditionalSense;
using spec::Opcode;
using spec::SenseKey;
using spec::Status;
using state::testing::MemoryStore;
namespace action = spec::service_action;

constexpr std::uint8_t kWe = 1;
constexpr std::uint8_t kEa = 3;
constexpr std::uint8_t kWeRo = 5;
constexpr std::uint8_t kEaRo = 6;
constexpr std::uint8_t kWeAr = 7;
constexpr std::uint8_t kEaAr = 8;
constexpr std::uint64_t kKeyA = 0xaaaa;
constexpr std::uint64_t kKeyB = 0xbbbb;
constexpr std::uint64_t kKeyC = 0xcccc;

// Three initiators, one on the same shard as the first.
class PersistentReserve : public ::testing::Test {
 protected:
  PersistentReserve() {
    for (Initiator* each : {&a_, &b_, &c_}) each->clear_attention();
  }
  // Every registered with its key.
  void register_all() {
    ASSERT_TRUE(pr_out(a_, action::register_key, {.new_key = kKeyA}).is_good());
    ASSERT_TRUE(pr_out(b_, action::register_key, {.new_key = kKeyB}).is_good());
    ASSERT_TRUE(pr_out(c_, action::register_key, {.new_key = kKeyC}).is_good());
  }
  Outcome read(Initiator& initiator) { return initiator.run(block_cdb(Opcode::read_10, 0, 1)); }
  Outcome write(Initiator& initiator) {
    return initiator.run(block_cdb(Opcode::write_10, 0, 1), filled(512, 1));
  }
  static bool conflicts(const Outcome& outcome) {
    return outcome.status == Status::reservation_conflict;
  }
  bool has_attention(Initiator& initiator, AdditionalSense condition) {
    return initiator.run({0, 0, 0, 0, 0, 0}).is_attention(condition);
  }
  bool has_none(Initiator& initiator) { return initiator.run({0, 0, 0, 0, 0, 0}).is_good(); }

  MemoryStore store_;
  Bench bench_{2048, {.store = &store_}, 2};
  Initiator& a_ = bench_.initiator();
  Initiator b_{bench_, 1, "iqn.2026-11.test:two"};
  Initiator c_{bench_, 0, "iqn.2026-11.test:three"};
};

TEST_F(PersistentReserve, KeysAreReadWithTheGeneration) {
  EXPECT_EQ(read_keys(a_), std::vector<std::uint64_t>{});
  register_all();
  EXPECT_EQ(generation_of(a_), 3U);
  // In the order of the names: one, three, two.
  EXPECT_EQ(read_keys(b_), (std::vector<std::uint64_t>{kKeyA, kKeyC, kKeyB}));
  const Outcome cut = pr_in(a_, action::read_keys, 12);
  ASSERT_EQ(cut.data.size(), 12U);
  EXPECT_EQ(cut.data[7], 24) << "ADDITIONAL LENGTH is that of all keys";
}

TEST_F(PersistentReserve, TwoSessionsOfAnInitiatorAreTwoNexuses) {
  Initiator second(bench_, 1, "iqn.2026-11.test:one", "000000000002");
  second.clear_attention();
  ASSERT_TRUE(pr_out(a_, action::register_key, {.new_key = kKeyA}).is_good());
  ASSERT_TRUE(pr_out(a_, action::reserve, {.key = kKeyA, .type = kWe}).is_good());
  EXPECT_TRUE(conflicts(write(second)));
  EXPECT_TRUE(conflicts(pr_out(second, action::release, {.key = kKeyA, .type = kWe})));
}

TEST_F(PersistentReserve, RegisterNeedsTheKeyThatIsThere) {
  EXPECT_TRUE(conflicts(pr_out(a_, action::register_key, {.key = 1, .new_key = kKeyA})));
  EXPECT_TRUE(pr_out(a_, action::register_key, {.new_key = kKeyA}).is_good());
  EXPECT_TRUE(conflicts(pr_out(a_, action::register_key, {.new_key = kKeyB})));
  EXPECT_TRUE(pr_out(a_, action::register_key, {.key = kKeyA, .new_key = kKeyB}).is_good());
  EXPECT_EQ(read_keys(a_), std::vector<std::uint64_t>{kKeyB});
  EXPECT_TRUE(
      pr_out(a_, action::register_and_ignore_existing_key, {.key = 7, .new_key = kKeyC}).is_good());
  EXPECT_EQ(read_keys(a_), std::vector<std::uint64_t>{kKeyC});
  EXPECT_TRUE(pr_out(a_, action::register_key, {.key = kKeyC}).is_good());
  EXPECT_EQ(read_keys(a_), std::vector<std::uint64_t>{});
}

TEST_F(PersistentReserve, ServiceActionsOfTheUnregisteredConflict) {
  register_all();
  Initiator other(bench_, 1, "iqn.2026-11.test:other");
  other.clear_attention();
  for (const auto code : {action::reserve, action::release, action::clear, action::preempt,
                          action::preempt_and_abort}) {
    EXPECT_TRUE(conflicts(pr_out(other, code, {.key = 0, .new_key = kKeyA, .type = kWe})));
    EXPECT_TRUE(conflicts(pr_out(a_, code, {.key = 5, .new_key = kKeyA, .type = kWe}))) << code;
  }
  EXPECT_EQ(generation_of(a_), 3U);
}

struct TypeCase {
  std::uint8_t type;
  bool others_read, others_write, registered_read, registered_write;
};

// SPC-5 table 63: READ and WRITE of the unregistered and of the registered that do not hold.
TEST_F(PersistentReserve, EachTypeKeepsOutWhomItShould) {
  register_all();
  Initiator other(bench_, 1, "iqn.2026-11.test:other");
  other.clear_attention();
  for (const TypeCase& each :
       {TypeCase{kWe, true, false, true, false}, TypeCase{kEa, false, false, false, false},
        TypeCase{kWeRo, true, false, true, true}, TypeCase{kEaRo, false, false, true, true},
        TypeCase{kWeAr, true, false, true, true}, TypeCase{kEaAr, false, false, true, true}}) {
    ASSERT_TRUE(pr_out(a_, action::reserve, {.key = kKeyA, .type = each.type}).is_good());
    EXPECT_TRUE(read(a_).is_good());
    EXPECT_TRUE(write(a_).is_good());
    EXPECT_EQ(conflicts(read(other)), !each.others_read) << int{each.type};
    EXPECT_EQ(conflicts(write(other)), !each.others_write) << int{each.type};
    EXPECT_EQ(conflicts(read(b_)), !each.registered_read) << int{each.type};
    EXPECT_EQ(conflicts(write(b_)), !each.registered_write) << int{each.type};
    EXPECT_TRUE(other.run({0, 0, 0, 0, 0, 0}).is_good()) << "TEST UNIT READY is allowed";
    ASSERT_TRUE(pr_out(a_, action::release, {.key = kKeyA, .type = each.type}).is_good());
    EXPECT_TRUE(write(other).is_good());
    for (Initiator* initiator : {&b_, &c_}) {
      EXPECT_EQ(has_attention(*initiator, AdditionalSense::reservations_released), each.type >= 5);
    }
  }
}

TEST_F(PersistentReserve, OnlyTheSameReservationCanBeMadeAgain) {
  register_all();
  ASSERT_TRUE(pr_out(a_, action::reserve, {.key = kKeyA, .type = kWeRo}).is_good());
  EXPECT_TRUE(pr_out(a_, action::reserve, {.key = kKeyA, .type = kWeRo}).is_good());
  EXPECT_TRUE(conflicts(pr_out(a_, action::reserve, {.key = kKeyA, .type = kEa})));
  EXPECT_TRUE(conflicts(pr_out(b_, action::reserve, {.key = kKeyB, .type = kWeRo})));
  EXPECT_TRUE(pr_out(b_, action::release, {.key = kKeyB, .type = kWeRo}).is_good());
  EXPECT_EQ(reservation_of(a_), (std::pair<std::uint64_t, int>{kKeyA, kWeRo})) << "not b's";
  EXPECT_TRUE(pr_out(a_, action::release, {.key = kKeyA, .type = kWe})
                  .is_illegal(AdditionalSense::invalid_release_of_persistent_reservation));
}

TEST_F(PersistentReserve, AllRegistrantsHoldWithKeyZero) {
  register_all();
  ASSERT_TRUE(pr_out(a_, action::reserve, {.key = kKeyA, .type = kWeAr}).is_good());
  EXPECT_EQ(reservation_of(b_), (std::pair<std::uint64_t, int>{0, kWeAr}));
  EXPECT_TRUE(pr_out(b_, action::reserve, {.key = kKeyB, .type = kWeAr}).is_good());
  ASSERT_TRUE(pr_out(a_, action::register_key, {.key = kKeyA}).is_good());
  EXPECT_EQ(reservation_of(b_), (std::pair<std::uint64_t, int>{0, kWeAr}));
  EXPECT_TRUE(has_none(b_));
  ASSERT_TRUE(pr_out(b_, action::release, {.key = kKeyB, .type = kWeAr}).is_good());
  EXPECT_FALSE(reservation_of(b_));
  EXPECT_TRUE(has_attention(c_, AdditionalSense::reservations_released));
  EXPECT_TRUE(has_none(a_)) << "not registered";
}

TEST_F(PersistentReserve, TheLastOfAllRegistrantsTakesTheReservationAway) {
  ASSERT_TRUE(pr_out(a_, action::register_key, {.new_key = kKeyA}).is_good());
  ASSERT_TRUE(pr_out(a_, action::reserve, {.key = kKeyA, .type = kEaAr}).is_good());
  ASSERT_TRUE(pr_out(a_, action::register_key, {.key = kKeyA}).is_good());
  EXPECT_FALSE(reservation_of(b_));
  EXPECT_TRUE(write(b_).is_good());
}

TEST_F(PersistentReserve, UnregisteringHolderReleases) {
  register_all();
  ASSERT_TRUE(pr_out(a_, action::reserve, {.key = kKeyA, .type = kWeRo}).is_good());
  ASSERT_TRUE(pr_out(a_, action::register_key, {.key = kKeyA}).is_good());
  EXPECT_FALSE(reservation_of(a_));
  EXPECT_TRUE(has_none(a_)) << "nothing to the one that unregisters itself";
  EXPECT_TRUE(has_attention(b_, AdditionalSense::reservations_released));
  EXPECT_TRUE(has_attention(c_, AdditionalSense::reservations_released));
}

TEST_F(PersistentReserve, ClearRemovesAllAndTellsTheOthers) {
  register_all();
  ASSERT_TRUE(pr_out(a_, action::reserve, {.key = kKeyA, .type = kWe}).is_good());
  ASSERT_TRUE(pr_out(b_, action::clear, {.key = kKeyB}).is_good());
  EXPECT_EQ(generation_of(b_), 4U);
  EXPECT_EQ(read_keys(b_), std::vector<std::uint64_t>{});
  EXPECT_FALSE(reservation_of(b_));
  EXPECT_TRUE(has_none(b_));
  EXPECT_TRUE(has_attention(a_, AdditionalSense::reservations_preempted));
  EXPECT_TRUE(has_attention(c_, AdditionalSense::reservations_preempted));
}

TEST_F(PersistentReserve, PreemptTakesTheReservation) {
  register_all();
  ASSERT_TRUE(pr_out(a_, action::reserve, {.key = kKeyA, .type = kWeRo}).is_good());
  ASSERT_TRUE(
      pr_out(b_, action::preempt, {.key = kKeyB, .new_key = kKeyA, .type = kEaRo}).is_good());
  EXPECT_EQ(reservation_of(b_), (std::pair<std::uint64_t, int>{kKeyB, kEaRo}));
  EXPECT_EQ(read_keys(b_), (std::vector<std::uint64_t>{kKeyC, kKeyB}));
  EXPECT_TRUE(has_attention(a_, AdditionalSense::registrations_preempted));
  EXPECT_TRUE(has_attention(c_, AdditionalSense::reservations_released)) << "the type has changed";
  EXPECT_TRUE(has_none(b_));
  EXPECT_TRUE(conflicts(read(a_)));
}

TEST_F(PersistentReserve, PreemptOfOnesOwnReservationChangesItsType) {
  register_all();
  ASSERT_TRUE(pr_out(a_, action::reserve, {.key = kKeyA, .type = kWe}).is_good());
  ASSERT_TRUE(pr_out(a_, action::preempt, {.key = kKeyA, .new_key = kKeyA, .type = kEa}).is_good());
  EXPECT_EQ(reservation_of(a_), (std::pair<std::uint64_t, int>{kKeyA, kEa}));
  EXPECT_EQ(read_keys(a_).size(), 3U);
  EXPECT_TRUE(has_attention(b_, AdditionalSense::reservations_released));
}

TEST_F(PersistentReserve, PreemptOfOthersRemovesTheirRegistrations) {
  register_all();
  ASSERT_TRUE(pr_out(a_, action::reserve, {.key = kKeyA, .type = kWe}).is_good());
  // SCOPE and TYPE do not count here.
  ASSERT_TRUE(pr_out(b_, action::preempt, {.key = kKeyB, .new_key = kKeyC}).is_good());
  EXPECT_EQ(reservation_of(b_), (std::pair<std::uint64_t, int>{kKeyA, kWe}));
  EXPECT_EQ(read_keys(b_), (std::vector<std::uint64_t>{kKeyA, kKeyB}));
  EXPECT_TRUE(has_attention(c_, AdditionalSense::registrations_preempted));
  EXPECT_TRUE(has_none(a_));
  EXPECT_TRUE(conflicts(pr_out(b_, action::preempt, {.key = kKeyB, .new_key = 99})));
  EXPECT_TRUE(is_list_field(pr_out(b_, action::preempt, {.key = kKeyB}), 8)) << "key 0";
}

TEST_F(PersistentReserve, PreemptOfAllRegistrantsWithKeyZeroTakesAll) {
  register_all();
  ASSERT_TRUE(pr_out(a_, action::reserve, {.key = kKeyA, .type = kEaAr}).is_good());
  ASSERT_TRUE(pr_out(b_, action::preempt, {.key = kKeyB, .new_key = kKeyC, .type = kWe}).is_good());
  EXPECT_EQ(reservation_of(b_), (std::pair<std::uint64_t, int>{0, kEaAr})) << "only a key is gone";
  EXPECT_TRUE(has_attention(c_, AdditionalSense::registrations_preempted));
  ASSERT_TRUE(pr_out(b_, action::preempt, {.key = kKeyB, .type = kWe}).is_good());
  EXPECT_EQ(reservation_of(b_), (std::pair<std::uint64_t, int>{kKeyB, kWe}));
  EXPECT_EQ(read_keys(b_), std::vector<std::uint64_t>{kKeyB});
  EXPECT_TRUE(has_attention(a_, AdditionalSense::registrations_preempted));
}

TEST_F(PersistentReserve, PreemptAndAbortAbortsAndWaits) {
  register_all();
  ASSERT_TRUE(pr_out(a_, action::reserve, {.key = kKeyA, .type = kWe}).is_good());
  bench_.device().hold = true;
  const auto in_flight = a_.start(block_cdb(Opcode::write_10, 0, 1), filled(512, 1));
  const auto others = c_.start(block_cdb(Opcode::read_10, 0, 1));
  const auto preempt =
      start_pr_out(b_, action::preempt_and_abort, {.key = kKeyB, .new_key = kKeyA, .type = kWe});
  bench_.world().run_until([&] { return in_flight->outcome.has_value(); });
  // The medium lets go of the write at once when it is aborted, and keeps the read.
  EXPECT_TRUE(b_.finish(*preempt).is_good());
  ASSERT_TRUE(in_flight->outcome);
  EXPECT_TRUE(in_flight->outcome->aborted);
  EXPECT_FALSE(others->outcome) << "not preempted";
  engine::Shard::bind(&bench_.world().shard(0));
  bench_.device().release();
  EXPECT_TRUE(c_.finish(*others).is_good());
  EXPECT_TRUE(has_attention(a_, AdditionalSense::registrations_preempted));
  EXPECT_TRUE(has_attention(a_, AdditionalSense::commands_cleared_by_another_initiator));
}

TEST_F(PersistentReserve, TwoThatPreemptEachOtherEnd) {
  register_all();
  const auto one = start_pr_out(a_, action::preempt_and_abort, {.key = kKeyA, .new_key = kKeyB});
  const auto two = start_pr_out(b_, action::preempt_and_abort, {.key = kKeyB, .new_key = kKeyA});
  bench_.world().run_until([&] { return one->outcome && two->outcome; });
  ASSERT_TRUE(one->outcome && two->outcome);
  // One came first; the other is aborted, or finds itself without registration.
  EXPECT_EQ(read_keys(c_).size(), 2U);
}

TEST_F(PersistentReserve, AParameterListMustHaveItsLength) {
  const auto length_error = AdditionalSense::parameter_list_length_error;
  const auto run = [&](std::size_t in_cdb, std::size_t given) {
    std::vector<std::uint8_t> cdb(10);
    cdb[0] = 0x5f;
    cdb[8] = static_cast<std::uint8_t>(in_cdb);
    return a_.run(cdb, filled(given, 0));
  };
  EXPECT_TRUE(run(0, 0).is_illegal(length_error));
  EXPECT_TRUE(run(23, 23).is_illegal(length_error));
  EXPECT_TRUE(run(25, 25).is_illegal(length_error));
  EXPECT_TRUE(run(24, 20).is_illegal(length_error)) << "less was sent";
  EXPECT_TRUE(run(24, 24).is_good()) << "REGISTER of nothing";
}

TEST_F(PersistentReserve, ScopeAndTypeMustBeKnown) {
  register_all();
  EXPECT_TRUE(pr_out(a_, action::reserve, {.key = kKeyA, .type = 0x11}).is_invalid_field(2));
  EXPECT_TRUE(pr_out(a_, action::reserve, {.key = kKeyA, .type = 2}).is_invalid_field(2));
}

TEST_F(PersistentReserve, AllTargetPortsRegistersEveryPort) {
  Initiator other_port(bench_, 1, "iqn.2026-11.test:one", "000000000001", 2);
  other_port.clear_attention();
  ASSERT_TRUE(pr_out(a_, action::register_key, {.new_key = kKeyA, .flags = kAllTgPt}).is_good());
  EXPECT_EQ(read_keys(a_), (std::vector<std::uint64_t>{kKeyA, kKeyA}));
  ASSERT_TRUE(pr_out(a_, action::reserve, {.key = kKeyA, .type = kEaRo}).is_good());
  EXPECT_TRUE(write(other_port).is_good());
  ASSERT_TRUE(pr_out(other_port, action::register_key, {.key = kKeyA}).is_good());
  EXPECT_TRUE(conflicts(write(other_port)));
}

TEST_F(PersistentReserve, SpecifiedInitiatorPortsAreRegisteredToo) {
  const auto list = transport_id_list({{0x45, "iqn.2026-11.test:two,i,0x1"},
                                       {0x45, "iqn.2026-11.test:absent,i,0x00000000abcd"},
                                       {0x05, "iqn.2026-11.test:three"}});
  ASSERT_TRUE(pr_out(a_, action::register_key, {.new_key = kKeyA, .flags = kSpecIPt, .tail = list})
                  .is_good());
  EXPECT_EQ(read_keys(a_), (std::vector<std::uint64_t>(4, kKeyA)));
  ASSERT_TRUE(pr_out(b_, action::reserve, {.key = kKeyA, .type = kEaRo}).is_good());
  EXPECT_TRUE(write(c_).is_good());
  // Of the registered: refused.
  EXPECT_TRUE(
      is_list_field(pr_out(a_, action::register_key,
                           {.key = kKeyA, .new_key = kKeyB, .flags = kSpecIPt, .tail = list}),
                    20));
}

TEST_F(PersistentReserve, SpecifiedInitiatorPortsAreAllOrNothing) {
  const auto refused = [&](std::vector<std::byte> tail, std::uint16_t byte) {
    return is_list_field(pr_out(a_, action::register_key,
                                {.new_key = kKeyA, .flags = kSpecIPt, .tail = std::move(tail)}),
                         byte);
  };
  EXPECT_TRUE(refused(transport_id_list({{0x45, "no port"}}), 28));
  EXPECT_TRUE(refused(transport_id_list({{0x05, "iqn.2026-11.test:two"}, {0x00, "x"}}), 56));
  EXPECT_TRUE(refused(transport_id_list({{0x05, "iqn.2026-11.test:unknown"}}), 28));
  ASSERT_TRUE(pr_out(b_, action::register_key, {.new_key = kKeyB}).is_good());
  EXPECT_TRUE(refused(transport_id_list({{0x45, "iqn.2026-11.test:two,i,0x1"}}), 24));
  EXPECT_EQ(read_keys(a_), std::vector<std::uint64_t>{kKeyB});
  auto cut = transport_id_list({{0x05, "iqn.2026-11.test:three"}});
  cut.pop_back();
  EXPECT_TRUE(pr_out(a_, action::register_key,
                     {.new_key = kKeyA, .flags = kSpecIPt, .tail = std::move(cut)})
                  .is_illegal(AdditionalSense::parameter_list_length_error));
  // Only REGISTER has it.
  EXPECT_TRUE(is_list_field(pr_out(a_, action::register_and_ignore_existing_key,
                                   {.new_key = kKeyA,
                                    .flags = kSpecIPt,
                                    .tail = transport_id_list({{0x05, "iqn.2026-11.test:three"}})}),
                            20));
}

TEST_F(PersistentReserve, RegisterAndMoveGivesTheReservationAway) {
  ASSERT_TRUE(pr_out(a_, action::register_key, {.new_key = kKeyA}).is_good());
  EXPECT_TRUE(conflicts(move(a_, kKeyA, kKeyB, "iqn.2026-11.test:two,i,0x1"))) << "nothing to move";
  ASSERT_TRUE(pr_out(a_, action::reserve, {.key = kKeyA, .type = kWe}).is_good());
  EXPECT_TRUE(is_list_field(move(a_, kKeyA, 0, "iqn.2026-11.test:two,i,0x1"), 8));
  EXPECT_TRUE(is_list_field(move(a_, kKeyA, kKeyB, "iqn.2026-11.test:one,i,0x1"), 24)) << "itself";
  EXPECT_TRUE(is_list_field(move(a_, kKeyA, kKeyB, "iqn.2026-11.test:two,i,0x1", 9), 18)) << "port";
  EXPECT_TRUE(conflicts(move(a_, kKeyB, kKeyB, "iqn.2026-11.test:two,i,0x1"))) << "key";
  ASSERT_TRUE(move(a_, kKeyA, kKeyB, "iqn.2026-11.test:two,i,0x1").is_good());
  EXPECT_EQ(reservation_of(a_), (std::pair<std::uint64_t, int>{kKeyB, kWe}));
  EXPECT_TRUE(write(b_).is_good());
  EXPECT_TRUE(conflicts(write(a_)));
  // Back again, unregistering.
  ASSERT_TRUE(move(b_, kKeyB, kKeyA, "iqn.2026-11.test:one,i,0x1", 1, true).is_good());
  EXPECT_EQ(read_keys(a_), std::vector<std::uint64_t>{kKeyA});
  EXPECT_TRUE(write(a_).is_good());
}

TEST_F(PersistentReserve, FullStatusNamesTheNexuses) {
  ASSERT_TRUE(pr_out(b_, action::register_key, {.new_key = kKeyB}).is_good());
  ASSERT_TRUE(pr_out(b_, action::reserve, {.key = kKeyB, .type = kEaRo}).is_good());
  const Outcome outcome = pr_in(a_, action::read_full_status);
  // Header; key, flags; TransportID of 41 characters.
  ASSERT_EQ(outcome.data.size(), 8U + 24U + 44U);
  EXPECT_EQ(outcome.data[7], 68);
  EXPECT_EQ(outcome.data[14], 0xbb);
  EXPECT_EQ(outcome.data[20], 0x01) << "R_HOLDER";
  EXPECT_EQ(outcome.data[21], 0x06);
  EXPECT_EQ(outcome.data[27], 1) << "RELATIVE TARGET PORT IDENTIFIER";
  EXPECT_EQ(outcome.data[31], 44);
  EXPECT_EQ(outcome.data[32], 0x45);
}

// A host of another protocol, which has no port: its registration holds at every one.
class WithAnotherProtocol : public PersistentReserve {
 protected:
  static constexpr std::uint64_t kHostKey = 0xdddd;

  access::Outcome as_host(std::uint64_t key, decltype(access::Request::operation) operation) {
    const access::Request request{host_, key, std::move(operation)};
    ReservationChange change(bench_.unit(), request);
    bench_.world().run([&] { return apply(change); });
    return change.outcome();
  }
  access::Rights host_rights() {
    engine::Shard::bind(&bench_.world().shard(1));
    const auto& reservations = b_.nexus().find(Lun(0))->unit.state().reservations;
    return access::rights_of(*reservations, host_);
  }

  const access::Registrant host_{"00112233445566778899aabbccddeeff", {}, 0};

 private:
  engine::Task<void> apply(UnitChange& change) { (void)co_await bench_.unit().change(change); }
};

TEST_F(WithAnotherProtocol, ItsReservationKeepsInitiatorsOut) {
  using enum access::ReservationType;
  ASSERT_TRUE(pr_out(a_, action::register_key, {.new_key = kKeyA}).is_good());
  ASSERT_TRUE(as_host(0, access::SetKey{.new_key = kHostKey}).is_ok());
  ASSERT_TRUE(as_host(kHostKey, access::Reserve{exclusive_access}).is_ok());
  for (Initiator* each : {&a_, &b_}) {
    EXPECT_TRUE(conflicts(read(*each)));
    EXPECT_TRUE(conflicts(write(*each)));
  }
  EXPECT_EQ(host_rights(), (access::Rights{.read = true, .write = true}));
  EXPECT_EQ(read_keys(b_), (std::vector<std::uint64_t>{kHostKey, kKeyA}));
  EXPECT_EQ(reservation_of(b_), (std::pair<std::uint64_t, int>{kHostKey, kEa}));
  const Outcome status = pr_in(b_, action::read_full_status);
  ASSERT_EQ(status.data.size(), 8U + 24U + 44U) << "it tells of I_T nexuses";
  EXPECT_EQ(big_endian(status.data, 8, 8), kKeyA);
  ASSERT_TRUE(as_host(kHostKey, access::Release{exclusive_access}).is_ok());
  EXPECT_TRUE(write(b_).is_good());
}

TEST_F(WithAnotherProtocol, ItIsKeptOutAndPreemptedByKey) {
  ASSERT_TRUE(as_host(0, access::SetKey{.new_key = kHostKey}).is_ok());
  ASSERT_TRUE(pr_out(a_, action::register_key, {.new_key = kKeyA}).is_good());
  ASSERT_TRUE(pr_out(a_, action::reserve, {.key = kKeyA, .type = kWe}).is_good());
  EXPECT_EQ(host_rights(), (access::Rights{.read = true, .write = false}));
  ASSERT_TRUE(
      pr_out(a_, action::preempt_and_abort, {.key = kKeyA, .new_key = kHostKey, .type = kWe})
          .is_good());
  EXPECT_EQ(read_keys(a_), std::vector<std::uint64_t>{kKeyA});
  EXPECT_EQ(as_host(kHostKey, access::Clear{}).verdict, access::Verdict::conflict);
  ASSERT_TRUE(as_host(0, access::SetKey{.new_key = kHostKey}).is_ok());
  const access::Outcome outcome = as_host(
      kHostKey,
      access::Preempt{.victim_key = kKeyA, .type = access::ReservationType::exclusive_access});
  ASSERT_TRUE(outcome.is_ok());
  EXPECT_EQ(outcome.preempted.size(), 1U);
  EXPECT_TRUE(has_attention(a_, AdditionalSense::registrations_preempted));
  EXPECT_TRUE(conflicts(read(a_)));
}

TEST_F(WithAnotherProtocol, ReserveKeepsItOut) {
  ASSERT_TRUE(a_.run({0x16, 0, 0, 0, 0, 0}).is_good());
  EXPECT_EQ(host_rights(), (access::Rights{.read = false, .write = false}));
  EXPECT_EQ(as_host(0, access::SetKey{.new_key = kHostKey}).verdict, access::Verdict::conflict);
}

TEST_F(PersistentReserve, CapabilitiesAreTold) {
  const Outcome outcome = pr_in(a_, action::report_capabilities);
  EXPECT_EQ(outcome.data, (std::vector<std::uint8_t>{0, 8, 0x1d, 0xc0, 0xea, 0x01, 0, 0}));
  ASSERT_TRUE(pr_out(a_, action::register_key, {.new_key = kKeyA, .flags = kAptpl}).is_good());
  EXPECT_EQ(pr_in(a_, action::report_capabilities).data[3], 0xc1) << "PTPL_A";
}

TEST_F(PersistentReserve, WhatIsKeptIsDurableBeforeTheStatus) {
  register_all();
  EXPECT_EQ(store_.commits, 0U) << "nobody has asked for it";
  ASSERT_TRUE(pr_out(a_, action::register_key, {.key = kKeyA, .new_key = kKeyA, .flags = kAptpl})
                  .is_good());
  ASSERT_TRUE(pr_out(a_, action::reserve, {.key = kKeyA, .type = kEaRo}).is_good());
  EXPECT_EQ(store_.commits, 2U);
  const auto record = store_.find("reservations");
  ASSERT_TRUE(record);
  const auto kept = access::reservations_of(*record);
  ASSERT_TRUE(kept);
  EXPECT_EQ(kept->registrations.size(), 3U);

  // Another life of the disk.
  Bench later(2048, {.store = &store_}, 2);
  Initiator a(later, 1, "iqn.2026-11.test:three");
  later.initiator().clear_attention();
  a.clear_attention();
  EXPECT_EQ(read_keys(a).size(), 3U);
  EXPECT_EQ(reservation_of(a), (std::pair<std::uint64_t, int>{kKeyA, kEaRo}));
  EXPECT_EQ(generation_of(a), 0U);
  EXPECT_TRUE(write(a).is_good()) << "a registrant";
  // A later REGISTER without APTPL ends it.
  ASSERT_TRUE(pr_out(b_, action::register_key, {.key = kKeyB, .new_key = kKeyB}).is_good());
  EXPECT_TRUE(store_.texts.empty());
}

TEST_F(PersistentReserve, AStoreThatFailsRefusesTheCommandAndChangesNothing) {
  store_.fails = true;
  EXPECT_TRUE(pr_out(a_, action::register_key, {.new_key = kKeyA, .flags = kAptpl})
                  .is_illegal(AdditionalSense::insufficient_registration_resources));
  EXPECT_EQ(read_keys(a_), std::vector<std::uint64_t>{});
  EXPECT_TRUE(pr_out(a_, action::register_key, {.new_key = kKeyA}).is_good());
}

TEST_F(PersistentReserve, TheStatusWaitsForTheStoreAndNotForEver) {
  const PrOut registering{.new_key = kKeyA, .flags = kAptpl};
  store_.delay_ns = state::kPatienceNs;
  const auto waits = start_pr_out(a_, action::register_key, registering);
  bench_.world().run_for(engine::kSecond);
  EXPECT_FALSE(waits->outcome) << "it is not durable yet";
  EXPECT_TRUE(a_.finish(*waits).is_good());
  store_.delay_ns = state::kPatienceNs + 1;
  EXPECT_TRUE(pr_out(a_, action::register_key, {.key = kKeyA, .new_key = kKeyB, .flags = kAptpl})
                  .is_illegal(AdditionalSense::insufficient_registration_resources));
  EXPECT_EQ(read_keys(a_), std::vector<std::uint64_t>{kKeyA}) << "as it was";
}

TEST_F(PersistentReserve, APowerLossBeforeTheStatusLeavesWhatWasThere) {
  store_.delay_ns = engine::kSecond;
  const auto command = start_pr_out(a_, action::register_key, {.new_key = kKeyA, .flags = kAptpl});
  bench_.world().run_for(engine::kMillisecond);
  store_.lose_power();
  EXPECT_FALSE(a_.finish(*command).is_good());
  EXPECT_TRUE(store_.texts.empty());
}

TEST(PersistentReserveWithoutStore, AptplIsRefusedAndNotTold) {
  Bench bench;
  Initiator& a = bench.initiator();
  a.clear_attention();
  EXPECT_EQ(pr_in(a, action::report_capabilities).data[2], 0x1c);
  EXPECT_TRUE(
      is_list_field(pr_out(a, action::register_key, {.new_key = kKeyA, .flags = kAptpl}), 20));
}

}  // namespace
}  // namespace lunar::scsi
