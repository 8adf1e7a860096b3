// One Reservations value under two protocols: SCSI nexuses beside NVMe hosts, that see each other's
// keys, keep each other out, and preempt each other.
//
// `Host` maps the fields of NVMe's reservation commands (NVM Express Base 2.0 §7.2 to §7.4) to
// requests, as an NVMe front would.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <span>
#include <string>
#include <vector>

#include "access/reservations.h"

namespace lunar::access {
namespace {

constexpr std::uint64_t kNexusKey = 0x5c51;
constexpr std::uint64_t kHostKey = 0x4057;

enum class NvmeStatus : std::uint8_t {
  success = 0x00,
  invalid_field = 0x02,
  internal_error = 0x06,
  reservation_conflict = 0x83,
};

NvmeStatus status_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::ok: return NvmeStatus::success;
    case Verdict::conflict: return NvmeStatus::reservation_conflict;
    case Verdict::no_room: return NvmeStatus::internal_error;
    case Verdict::unknown_type:
    case Verdict::other_type:
    case Verdict::zero_key:
    case Verdict::not_new:
    case Verdict::other_registered:
    case Verdict::to_itself: break;
  }
  return NvmeStatus::invalid_field;
}

// RTYPE
std::optional<ReservationType> type_of(unsigned rtype) {
  constexpr ReservationType kTypes[] = {ReservationType::write_exclusive,
                                        ReservationType::exclusive_access,
                                        ReservationType::write_exclusive_registrants_only,
                                        ReservationType::exclusive_access_registrants_only,
                                        ReservationType::write_exclusive_all_registrants,
                                        ReservationType::exclusive_access_all_registrants};
  if (rtype == 0 || rtype > std::size(kTypes)) return std::nullopt;
  return kTypes[rtype - 1];
}

// The disk that both protocols serve, and what came of the last request.
struct Shared {
  Reservations state;
  Outcome last;

  Verdict run(Request request) {
    last = perform(state, request);
    return last.verdict;
  }
  [[nodiscard]] std::vector<Event> told(const Registrant& whom) const {
    std::vector<Event> events;
    for (const Notice& notice : last.notices) {
      if (notice.registrant == whom) events.push_back(notice.event);
    }
    return events;
  }
};

class Host {
 public:
  // 8 bytes, or 16 with EXHID.
  Host(Shared& disk, std::span<const std::uint8_t> identifier) : disk_(disk) {
    for (const std::uint8_t byte : identifier) registrant_.name += fmt::format("{:02x}", byte);
  }
  [[nodiscard]] const Registrant& registrant() const { return registrant_; }

  // CPTPL: 0 no change, 2 cleared, 3 set
  NvmeStatus register_key(unsigned rrega, bool iekey, std::uint64_t crkey, std::uint64_t nrkey,
                          unsigned cptpl = 0) {
    constexpr unsigned kRegister = 0;
    constexpr unsigned kUnregister = 1;
    if (rrega > 2 || cptpl == 1 || (rrega != kUnregister && nrkey == 0))
      return NvmeStatus::invalid_field;
    SetKey set{.new_key = rrega == kUnregister ? 0 : nrkey};
    if (rrega == kRegister) {
      set.premise = Premise::new_or_same;
    } else if (!iekey) {
      set.premise = Premise::registered_key;
    } else {
      set.premise = rrega == kUnregister ? Premise::registered : Premise::anything;
    }
    if (cptpl != 0) set.persistent = cptpl == 3;
    return status_of(disk_.run({registrant_, crkey, set}));
  }
  NvmeStatus acquire(std::uint64_t crkey, unsigned rtype) {
    return status_of(disk_.run({registrant_, crkey, Reserve{type_of(rtype)}}));
  }
  NvmeStatus preempt(std::uint64_t crkey, std::uint64_t prkey, unsigned rtype) {
    return status_of(disk_.run({registrant_, crkey, Preempt{prkey, type_of(rtype)}}));
  }
  NvmeStatus release(std::uint64_t crkey, unsigned rtype) {
    return status_of(disk_.run({registrant_, crkey, Release{type_of(rtype)}}));
  }
  NvmeStatus clear(std::uint64_t crkey) {
    return status_of(disk_.run({registrant_, crkey, Clear{}}));
  }

 private:
  Shared& disk_;
  Registrant registrant_;
};

// Each host has as many as it likes: they are one registrant.
struct Controller {
  const Host& host;
  std::uint16_t cntlid;

  [[nodiscard]] Rights rights(const Shared& disk) const {
    return rights_of(disk.state, host.registrant());
  }
  [[nodiscard]] std::vector<Event> told(const Shared& disk) const {
    return disk.told(host.registrant());
  }
};

class TwoProtocols : public ::testing::Test {
 protected:
  void register_both() {
    ASSERT_EQ(disk_.run({nexus_, 0, SetKey{.new_key = kNexusKey}}), Verdict::ok);
    ASSERT_EQ(host_.register_key(0, false, 0, kHostKey), NvmeStatus::success);
  }
  [[nodiscard]] Rights nexus_rights() const { return rights_of(disk_.state, nexus_, kSession); }

  static constexpr std::uint64_t kSession = 42;
  static constexpr std::uint8_t kHostId[16] = {1, 2,  3,  4,  5,  6,  7,  8,
                                               9, 10, 11, 12, 13, 14, 15, 16};

  Shared disk_;
  const Registrant nexus_{"iqn.2026-11.test:one,i,0x000000000001",
                          "iqn.2026-11.test:disks,t,0x0001", 1};
  Host host_{disk_, kHostId};
  Host small_{disk_, std::span(kHostId).first<8>()};
  Controller first_{host_, 1};
  Controller second_{host_, 2};
};

struct TypeCase {
  unsigned rtype;
  Rights outsider, registrant;
};
constexpr TypeCase kTypes[] = {
    {1, {true, false}, {true, false}}, {2, {false, false}, {false, false}},
    {3, {true, false}, {true, true}},  {4, {false, false}, {true, true}},
    {5, {true, false}, {true, true}},  {6, {false, false}, {true, true}}};

TEST_F(TwoProtocols, AReservationOfANexusKeepsHostsOut) {
  for (const TypeCase& each : kTypes) {
    disk_ = {};
    ASSERT_EQ(disk_.run({nexus_, 0, SetKey{.new_key = kNexusKey}}), Verdict::ok);
    ASSERT_EQ(disk_.run({nexus_, kNexusKey, Reserve{type_of(each.rtype)}}), Verdict::ok);
    EXPECT_EQ(nexus_rights(), (Rights{true, true}));
    EXPECT_EQ(first_.rights(disk_), each.outsider) << each.rtype;
    EXPECT_EQ(second_.rights(disk_), each.outsider) << each.rtype;
    ASSERT_EQ(host_.register_key(0, false, 0, kHostKey), NvmeStatus::success);
    EXPECT_EQ(first_.rights(disk_), each.registrant) << each.rtype;
    EXPECT_EQ(second_.rights(disk_), each.registrant) << each.rtype;
    // Another type than the one that is there.
    EXPECT_EQ(host_.acquire(kHostKey, each.rtype % 6 + 1), NvmeStatus::reservation_conflict);
  }
}

TEST_F(TwoProtocols, AReservationOfAHostKeepsNexusesOutAndHoldsAtAllItsControllers) {
  for (const TypeCase& each : kTypes) {
    disk_ = {};
    ASSERT_EQ(host_.register_key(0, false, 0, kHostKey), NvmeStatus::success);
    ASSERT_EQ(host_.acquire(kHostKey, each.rtype), NvmeStatus::success);
    EXPECT_EQ(first_.rights(disk_), (Rights{true, true}));
    EXPECT_EQ(second_.rights(disk_), (Rights{true, true}));
    EXPECT_EQ(nexus_rights(), each.outsider) << each.rtype;
    ASSERT_EQ(disk_.run({nexus_, 0, SetKey{.new_key = kNexusKey}}), Verdict::ok);
    EXPECT_EQ(nexus_rights(), each.registrant) << each.rtype;
  }
}

TEST_F(TwoProtocols, IdentifiersOf64And128BitsAreTwoHosts) {
  ASSERT_EQ(host_.register_key(0, false, 0, kHostKey), NvmeStatus::success);
  ASSERT_EQ(host_.acquire(kHostKey, 1), NvmeStatus::success);
  EXPECT_FALSE(rights_of(disk_.state, small_.registrant()).write);
  EXPECT_EQ(small_.release(kHostKey, 1), NvmeStatus::reservation_conflict);
  ASSERT_EQ(small_.register_key(0, false, 0, kHostKey), NvmeStatus::success);
  EXPECT_EQ(disk_.state.registrations.size(), 2U);
}

TEST_F(TwoProtocols, EachPreemptsTheOtherAndTheLoserIsTold) {
  register_both();
  ASSERT_EQ(disk_.run({nexus_, kNexusKey, Reserve{type_of(3)}}), Verdict::ok);
  ASSERT_EQ(host_.preempt(kHostKey, kNexusKey, 4), NvmeStatus::success);
  EXPECT_EQ(disk_.told(nexus_), std::vector{Event::registration_preempted});
  EXPECT_EQ(disk_.last.preempted, std::vector{nexus_}) << "whose commands may have to be aborted";
  EXPECT_TRUE(first_.told(disk_).empty()) << "who asked";
  EXPECT_EQ(nexus_rights(), (Rights{false, false}));

  ASSERT_EQ(disk_.run({nexus_, 0, SetKey{.new_key = kNexusKey}}), Verdict::ok);
  ASSERT_EQ(disk_.run({nexus_, kNexusKey, Preempt{kHostKey, type_of(1)}}), Verdict::ok);
  for (const Controller& each : {first_, second_})
    EXPECT_EQ(each.told(disk_), std::vector{Event::registration_preempted}) << each.cntlid;
  EXPECT_FALSE(first_.rights(disk_).write);
}

TEST_F(TwoProtocols, ReleaseAndClearTellTheOther) {
  register_both();
  ASSERT_EQ(host_.acquire(kHostKey, 3), NvmeStatus::success);
  EXPECT_EQ(host_.release(kHostKey, 4), NvmeStatus::invalid_field) << "it has another type";
  ASSERT_EQ(host_.release(kHostKey, 3), NvmeStatus::success);
  EXPECT_EQ(disk_.told(nexus_), std::vector{Event::reservation_released});
  ASSERT_EQ(disk_.run({nexus_, kNexusKey, Clear{}}), Verdict::ok);
  EXPECT_EQ(second_.told(disk_), std::vector{Event::reservation_preempted});
  EXPECT_TRUE(disk_.state.registrations.empty());
  register_both();
  ASSERT_EQ(host_.clear(kHostKey), NvmeStatus::success);
  EXPECT_EQ(disk_.told(nexus_), std::vector{Event::reservation_preempted});
}

TEST_F(TwoProtocols, AllRegistrantsHoldWhateverTheirProtocol) {
  register_both();
  ASSERT_EQ(host_.acquire(kHostKey, 5), NvmeStatus::success);
  ASSERT_EQ(host_.register_key(1, false, kHostKey, 0), NvmeStatus::success);
  EXPECT_TRUE(disk_.state.has_reservation(nexus_)) << "the last that is left";
  EXPECT_FALSE(first_.rights(disk_).write);
  EXPECT_EQ(disk_.run({nexus_, kNexusKey, Release{type_of(5)}}), Verdict::ok);
  EXPECT_TRUE(first_.rights(disk_).write);
}

TEST_F(TwoProtocols, AReservationMovesFromANexusToAHost) {
  ASSERT_EQ(disk_.run({nexus_, 0, SetKey{.new_key = kNexusKey}}), Verdict::ok);
  ASSERT_EQ(disk_.run({nexus_, kNexusKey, Reserve{type_of(1)}}), Verdict::ok);
  ASSERT_EQ(disk_.run({nexus_, kNexusKey, Move{.to = host_.registrant(), .new_key = kHostKey}}),
            Verdict::ok);
  EXPECT_TRUE(second_.rights(disk_).write);
  EXPECT_FALSE(nexus_rights().write);
}

// Register, unregister and replace, with IEKEY and without.
TEST_F(TwoProtocols, NvmesRulesOfRegisteringHold) {
  constexpr std::uint64_t kNext = 0x77;
  EXPECT_EQ(host_.register_key(1, false, 0, 0), NvmeStatus::reservation_conflict) << "unregister";
  EXPECT_EQ(host_.register_key(1, true, 0, 0), NvmeStatus::reservation_conflict);
  EXPECT_EQ(host_.register_key(2, false, 0, kNext), NvmeStatus::reservation_conflict) << "replace";
  ASSERT_EQ(host_.register_key(0, false, 0, kHostKey), NvmeStatus::success);
  EXPECT_EQ(host_.register_key(0, false, 0, kHostKey), NvmeStatus::success) << "the same again";
  EXPECT_EQ(host_.register_key(0, false, 0, kNext), NvmeStatus::reservation_conflict);
  EXPECT_EQ(host_.register_key(2, false, kNext, kNext), NvmeStatus::reservation_conflict);
  EXPECT_EQ(host_.register_key(2, false, kHostKey, kNext), NvmeStatus::success);
  EXPECT_EQ(host_.register_key(2, true, 0, kHostKey), NvmeStatus::success);
  EXPECT_EQ(host_.register_key(1, false, kHostKey, 0), NvmeStatus::success);
  EXPECT_EQ(host_.register_key(2, true, 0, kHostKey), NvmeStatus::success) << "replace of nothing";
  EXPECT_EQ(host_.register_key(1, true, 0, 0), NvmeStatus::success);
  EXPECT_TRUE(disk_.state.registrations.empty());
}

TEST_F(TwoProtocols, PersistenceIsOneForBoth) {
  register_both();
  ASSERT_EQ(host_.register_key(2, false, kHostKey, kHostKey, 3), NvmeStatus::success);
  EXPECT_TRUE(disk_.state.persistent);
  ASSERT_EQ(host_.register_key(2, false, kHostKey, kHostKey, 0), NvmeStatus::success);
  EXPECT_TRUE(disk_.state.persistent) << "no change asked for";
  ASSERT_EQ(host_.acquire(kHostKey, 2), NvmeStatus::success);

  Shared later;
  later.state = *reservations_of(*to_record(disk_.state));
  EXPECT_EQ(later.state.registrations, disk_.state.registrations);
  EXPECT_EQ(rights_of(later.state, nexus_), (Rights{false, false}));
  EXPECT_EQ(second_.rights(later), (Rights{true, true}));

  ASSERT_EQ(disk_.run({nexus_, kNexusKey, SetKey{.new_key = kNexusKey, .persistent = false}}),
            Verdict::ok);
  EXPECT_FALSE(to_record(disk_.state));
}

TEST_F(TwoProtocols, TheSoleUseOfANexusKeepsHostsOut) {
  ASSERT_TRUE(begin_sole_use(disk_.state, kSession));
  EXPECT_EQ(nexus_rights(), (Rights{true, true}));
  EXPECT_EQ(first_.rights(disk_), (Rights{false, false}));
  EXPECT_EQ(host_.register_key(0, false, 0, kHostKey), NvmeStatus::reservation_conflict);
  ASSERT_TRUE(end_sole_use(disk_.state, kSession));
  EXPECT_EQ(host_.register_key(0, false, 0, kHostKey), NvmeStatus::success);
}

}  // namespace
}  // namespace lunar::access
