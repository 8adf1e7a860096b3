// Reservations as values: their bounds, what must be true of keys, what is kept.
#include "access/reservations.h"

#include <gtest/gtest.h>

namespace lunar::access {
namespace {

constexpr std::uint64_t kKey = 0xa;
constexpr std::uint64_t kOtherKey = 0xb;

const Registrant kMe{"iqn.2026-11.test:me,i,0x000000000001", "iqn.2026-11.test:disks,t,0x0001", 1};
const Registrant kMeElsewhere{kMe.name, "iqn.2026-11.test:disks,t,0x0002", 2};
const Registrant kOther{"iqn.2026-11.test:other,i,0x000000000001", kMe.port, 1};
const Registrant kHost{"0123456789abcdef0123456789abcdef", {}, 0};

Verdict run(Reservations& state, const Registrant& who, std::uint64_t key,
            decltype(Request::operation) what) {
  return perform(state, {who, key, std::move(what)}).verdict;
}

TEST(ReservationType, KnowsItsClasses) {
  EXPECT_TRUE(is_exclusive_access(ReservationType::exclusive_access_all_registrants));
  EXPECT_FALSE(is_exclusive_access(ReservationType::write_exclusive_registrants_only));
  EXPECT_TRUE(is_for_registrants(ReservationType::write_exclusive_registrants_only));
  EXPECT_FALSE(is_all_registrants(ReservationType::write_exclusive_registrants_only));
}

TEST(Reservations, RegistrationsAreBounded) {
  Reservations full;
  for (std::size_t i = 0; i < kMaxRegistrations; ++i)
    ASSERT_EQ(run(full, {"iqn.x:" + std::to_string(i), "t", 1}, 0, SetKey{.new_key = 1}),
              Verdict::ok);
  const Registrant more{"iqn.x:more", "t", 1};
  EXPECT_EQ(run(full, more, 0, SetKey{.new_key = 1}), Verdict::no_room);
  EXPECT_EQ(full.registrations.size(), kMaxRegistrations);
  // Nor by a move.
  const Registrant first = full.registrations[0].registrant;
  ASSERT_EQ(run(full, first, 1, Reserve{ReservationType::write_exclusive}), Verdict::ok);
  EXPECT_EQ(run(full, first, 1, Move{.to = more, .new_key = 1}), Verdict::no_room);
  EXPECT_TRUE(full.find(first)->holder);
}

// What each premise wants of the registrant's key, of whom the request says that it is `said`.
TEST(Reservations, AKeyIsSetOnThePremiseOfWhatIsThere) {
  struct {
    Premise premise;
    std::uint64_t there, said;  // 0: none
    Verdict verdict;
  } constexpr kCases[] = {
      {Premise::key_or_new, 0, 0, Verdict::ok},
      {Premise::key_or_new, 0, kKey, Verdict::conflict},
      {Premise::key_or_new, kKey, kKey, Verdict::ok},
      {Premise::key_or_new, kKey, 0, Verdict::conflict},
      {Premise::registered_key, 0, 0, Verdict::conflict},
      {Premise::registered_key, kKey, kKey, Verdict::ok},
      {Premise::registered_key, kKey, kOtherKey, Verdict::conflict},
      {Premise::registered, 0, 0, Verdict::conflict},
      {Premise::registered, kKey, kOtherKey, Verdict::ok},
      {Premise::new_or_same, 0, 0, Verdict::ok},
      {Premise::new_or_same, kOtherKey, 0, Verdict::ok},
      {Premise::new_or_same, kKey, 0, Verdict::conflict},
      {Premise::anything, 0, kKey, Verdict::ok},
      {Premise::anything, kKey, 0, Verdict::ok},
  };
  for (const auto& each : kCases) {
    Reservations state;
    if (each.there != 0) {
      ASSERT_EQ(run(state, kMe, 0, SetKey{.new_key = each.there}), Verdict::ok);
    }
    const auto before = state.registrations;
    EXPECT_EQ(run(state, kMe, each.said, SetKey{.premise = each.premise, .new_key = kOtherKey}),
              each.verdict);
    if (each.verdict == Verdict::ok) {
      EXPECT_EQ(state.find(kMe)->key, kOtherKey);
    } else {
      EXPECT_EQ(state.registrations, before);
    }
  }
}

TEST(Reservations, AKeyIsSetAtAllPortsOrNone) {
  Reservations state;
  ASSERT_EQ(run(state, kMeElsewhere, 0, SetKey{.new_key = kOtherKey}), Verdict::ok);
  EXPECT_EQ(run(state, kMe, 0, SetKey{.new_key = kKey, .elsewhere = {kMeElsewhere}}),
            Verdict::conflict);
  EXPECT_EQ(state.registrations.size(), 1U);
  ASSERT_EQ(run(state, kMe, 0,
                SetKey{.premise = Premise::anything, .new_key = kKey, .elsewhere = {kMeElsewhere}}),
            Verdict::ok);
  EXPECT_EQ(state.find(kMeElsewhere)->key, kKey);
  EXPECT_EQ(state.generation, 2U) << "one request is one change";
  ASSERT_EQ(run(state, kMe, kKey, SetKey{.elsewhere = {kMeElsewhere}}), Verdict::ok);
  EXPECT_TRUE(state.registrations.empty());
}

TEST(Reservations, OthersAreRegisteredAlongWithANewRegistrationOnly) {
  Reservations state;
  ASSERT_EQ(run(state, kMe, 0, SetKey{.new_key = kKey, .along = {{kOther}}}), Verdict::ok);
  EXPECT_EQ(state.find(kOther)->key, kKey);
  EXPECT_EQ(run(state, kMe, kKey, SetKey{.new_key = kOtherKey, .along = {{}}}), Verdict::not_new);
  EXPECT_EQ(run(state, kHost, 0, SetKey{.new_key = kOtherKey, .along = {{kOther}}}),
            Verdict::other_registered);
  EXPECT_EQ(state.find(kHost), nullptr);
}

TEST(Reservations, ATypeThatDoesNotExistIsRefusedWhereItCounts) {
  Reservations state;
  ASSERT_EQ(run(state, kMe, 0, SetKey{.new_key = kKey}), Verdict::ok);
  ASSERT_EQ(run(state, kOther, 0, SetKey{.new_key = kOtherKey}), Verdict::ok);
  EXPECT_EQ(run(state, kMe, kKey, Reserve{}), Verdict::unknown_type);
  EXPECT_EQ(run(state, kMe, kKey, Release{}), Verdict::unknown_type);
  EXPECT_EQ(run(state, kMe, kOtherKey, Reserve{}), Verdict::conflict) << "the key comes first";
  ASSERT_EQ(run(state, kOther, kOtherKey, Reserve{ReservationType::write_exclusive}), Verdict::ok);
  EXPECT_EQ(run(state, kMe, kKey, Preempt{.victim_key = kOtherKey, .type = {}}),
            Verdict::unknown_type);
  EXPECT_EQ(run(state, kOther, kOtherKey, Preempt{.victim_key = kKey, .type = {}}), Verdict::ok)
      << "no reservation is taken";
  EXPECT_EQ(state.find(kMe), nullptr);
}

TEST(Reservations, SoleUseAndRegistrationsExcludeEachOther) {
  Reservations state;
  EXPECT_FALSE(end_sole_use(state, 0)) << "nobody's";
  ASSERT_TRUE(begin_sole_use(state, 7));
  EXPECT_TRUE(begin_sole_use(state, 7)) << "again";
  EXPECT_FALSE(begin_sole_use(state, 8));
  EXPECT_EQ(run(state, kMe, 0, SetKey{.new_key = kKey}), Verdict::conflict);
  EXPECT_EQ(rights_of(state, kMe, 7), (Rights{true, true}));
  EXPECT_EQ(rights_of(state, kMe, 8), (Rights{false, false}));
  EXPECT_FALSE(end_sole_use(state, 8));
  EXPECT_TRUE(end_sole_use(state, 0)) << "whosever it is";
  ASSERT_EQ(run(state, kMe, 0, SetKey{.new_key = kKey}), Verdict::ok);
  EXPECT_FALSE(begin_sole_use(state, 7));
}

// ---- The record

Reservations two_at_ports() {
  Reservations state;
  state.persistent = true;
  state.type = ReservationType::write_exclusive;
  state.registrations = {{kMe, 0xfedcba9876543210, false}, {kOther, 1, true}};
  return state;
}

TEST(ReservationRecord, IsReadBack) {
  const Reservations state = two_at_ports();
  const auto back = reservations_of(*to_record(state));
  ASSERT_TRUE(back);
  EXPECT_EQ(back->registrations, state.registrations);
  EXPECT_EQ(back->registrations[1].registrant.port_number, 1);
  EXPECT_EQ(back->type, state.type);
  EXPECT_TRUE(back->persistent);
}

// Literal: other versions of lunar read and write it.
TEST(ReservationRecord, HasTheFormThatItAlwaysHad) {
  state::Record record{.version = 1};
  record.add("reservation").set_number("type", 1);
  record.add("registration")
      .set_number("key", 0xfedcba9876543210)
      .set_number("holder", 0)
      .set_number("port", 1)
      .set("target_port", kMe.port)
      .set("initiator_port", kMe.name);
  record.add("registration")
      .set_number("key", 1)
      .set_number("holder", 1)
      .set_number("port", 1)
      .set("target_port", kOther.port)
      .set("initiator_port", kOther.name);
  EXPECT_EQ(*to_record(two_at_ports()), record);
}

TEST(ReservationRecord, KeepsHostsInAVersionOfItsOwn) {
  Reservations state = two_at_ports();
  state.registrations.insert(state.registrations.begin(), {kHost, 5, false});
  const auto record = to_record(state);
  EXPECT_EQ(record->version, 2U) << "older versions cannot know them";
  const auto back = reservations_of(*record);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->registrations, state.registrations);
  EXPECT_TRUE(back->registrations[0].registrant.is_at_every_port());
}

TEST(ReservationRecord, IsNoneWhenNothingIsToBeKept) {
  Reservations state = two_at_ports();
  state.persistent = false;
  EXPECT_FALSE(to_record(state));
  EXPECT_FALSE(to_record({.persistent = true}));
}

TEST(ReservationRecord, ThatContradictsItselfIsNone) {
  Reservations state = two_at_ports();
  const state::Record record = *to_record(state);
  ASSERT_TRUE(reservations_of(record));
  state::Record less = record;
  less.entries.pop_back();
  EXPECT_FALSE(reservations_of(less)) << "held by nobody";
  state::Record more = record;
  more.entries.push_back(more.entries.back());
  EXPECT_FALSE(reservations_of(more)) << "one registrant twice";
  state::Record later = record;
  later.version = 3;
  EXPECT_EQ(reservations_of(later).error().code, ErrorCode::unsupported);
  for (const std::uint64_t type : {0U, 2U, 4U, 9U, 257U}) {
    state::Record typed = record;
    typed.entries[0] = state::Entry("reservation").set_number("type", type);
    EXPECT_FALSE(reservations_of(typed)) << type;
  }
  state.registrations[0].key = 0;
  EXPECT_FALSE(reservations_of(*to_record(state))) << "no key";
  state.registrations[0] = {{.name = {}}, 1, false};
  EXPECT_FALSE(reservations_of(*to_record(state))) << "a host without name";
}

}  // namespace
}  // namespace lunar::access
