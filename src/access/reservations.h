// Who may read and write a disk: registrants with their keys, a reservation, and the sole use of
// one session.
//
// In no protocol's words, so that a reservation made by one protocol holds against all others.
// SCSI's PERSISTENT RESERVE OUT (SPC-5 §5.14) and NVMe's Reservation Register, Acquire and Release
// (NVM Express Base 2.0 §8.19) are the same state machine; each protocol maps requests to it, and
// verdicts and notices to its own answers.
//
// Plain values and functions on them, without a shard or a clock. Whoever has a value sees to it
// that one change at a time is decided, and that it is durable and in force before it is answered.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>
#include <vector>

#include "access/registrant.h"
#include "lunar/result.h"
#include "state/record.h"

namespace lunar::access {

// A named bound on what hosts may make us keep.
constexpr std::size_t kMaxRegistrations = 1024;

// What a reservation keeps others from, and whom it admits. The values are those of records.
enum class ReservationType : std::uint8_t {
  write_exclusive = 1,                    // the holder writes, everybody reads
  exclusive_access = 3,                   // the holder writes and reads
  write_exclusive_registrants_only = 5,   // the registered write, everybody reads
  exclusive_access_registrants_only = 6,  // the registered write and read
  write_exclusive_all_registrants = 7,    // as the two above, and
  exclusive_access_all_registrants = 8,   // each of the registered is a holder
};

// Whether others may not even read.
[[nodiscard]] constexpr bool is_exclusive_access(ReservationType type) {
  return type == ReservationType::exclusive_access ||
         type == ReservationType::exclusive_access_registrants_only ||
         type == ReservationType::exclusive_access_all_registrants;
}
// Whether every registrant holds it.
[[nodiscard]] constexpr bool is_all_registrants(ReservationType type) {
  return type == ReservationType::write_exclusive_all_registrants ||
         type == ReservationType::exclusive_access_all_registrants;
}
// Whether every registrant has the access that the holder has.
[[nodiscard]] constexpr bool is_for_registrants(ReservationType type) {
  return is_all_registrants(type) || type == ReservationType::write_exclusive_registrants_only ||
         type == ReservationType::exclusive_access_registrants_only;
}

struct Registration {
  Registrant registrant;
  std::uint64_t key = 0;  // not 0
  bool holder = false;    // of the reservation, where its type is not all registrants
  bool operator==(const Registration&) const = default;
};

struct Reservations {
  std::vector<Registration> registrations{};  // ascending by registrant
  std::optional<ReservationType> type{};      // of the reservation, if there is one
  std::uint32_t generation = 0;               // counts changes of the registrations
  bool persistent = false;                    // they are kept over a power loss
  // The session that has the disk for itself until it ends (SPC-2's RESERVE); 0: none. Never
  // together with registrations. Sessions are numbered by whoever has such a thing; other
  // protocols only see that it is not theirs.
  std::uint64_t sole_session = 0;

  // Null: not registered.
  [[nodiscard]] const Registration* find(const Registrant& registrant) const;
  // A registration that holds the reservation, whatever its type.
  [[nodiscard]] bool holds(const Registration& registration) const {
    return type && (is_all_registrants(*type) || registration.holder);
  }
  // It holds the reservation, or the reservation is for registrants and it is one.
  [[nodiscard]] bool has_reservation(const Registrant& registrant) const;
};

// What they allow a registrant, or who is none. `session`: 0 where the protocol has no sole use.
struct Rights {
  bool read = true;
  bool write = true;
  bool operator==(const Rights&) const = default;
};
[[nodiscard]] Rights rights_of(const Reservations& reservations, const Registrant& registrant,
                               std::uint64_t session = 0);

// ---- Requests

// What must be true of the registrant's key before it is set. `key` is Request::key.
enum class Premise : std::uint8_t {
  key_or_new,      // registered with `key`; key 0: not registered
  registered_key,  // registered with `key`
  registered,      // registered, with whatever key
  new_or_same,     // not registered, or with the new key already
  anything,
};

// Registers, replaces the key, or unregisters.
struct SetKey {
  Premise premise = Premise::key_or_new;
  std::uint64_t new_key = 0;         // 0: unregisters
  std::optional<bool> persistent{};  // unset: as it is
  // The same host at other ports, as if the request had come through each of them.
  std::vector<Registrant> elsewhere{};
  // Others, that are registered along with a new registration, and with its key. Unset: not asked
  // for; empty: asked for, and there is nobody.
  std::optional<std::vector<Registrant>> along{};
};
// `type` unset: the protocol was asked for one that does not exist.
struct Reserve {
  std::optional<ReservationType> type;
};
struct Release {
  std::optional<ReservationType> type;
};
struct Clear {};
// Removes the registrations with a key, and takes the reservation where that key's holder has it.
struct Preempt {
  std::uint64_t victim_key = 0;  // 0: all others, of a reservation of all registrants
  std::optional<ReservationType> type;
};
// Gives the reservation to another, who is registered with `new_key`.
struct Move {
  Registrant to;
  std::uint64_t new_key = 0;
  bool unregister = false;  // the one who gives it
  std::optional<bool> persistent{};
};

struct Request {
  Registrant registrant;  // who asks
  std::uint64_t key = 0;  // what it says its key is; 0: it has none
  std::variant<SetKey, Reserve, Release, Clear, Preempt, Move> operation;
};

// ---- Answers

enum class Verdict : std::uint8_t {
  ok,
  conflict,          // with the keys or the reservation that are there
  no_room,           // kMaxRegistrations, or they cannot be kept
  unknown_type,      // the type that was asked for does not exist
  other_type,        // Release: the reservation has another type
  zero_key,          // Preempt, Move: 0 where a key must be
  not_new,           // SetKey::along with what is no new registration
  other_registered,  // SetKey::along: one of them is registered with another key
  to_itself,         // Move
};

// What others are told of. Not the one who asked.
enum class Event : std::uint8_t {
  registration_preempted,  // theirs is gone
  reservation_released,    // they are registered, and may find it free or of another type
  reservation_preempted,   // all registrations are gone
};
struct Notice {
  Registrant registrant;  // all of its sessions or controllers
  Event event;
};

struct Outcome {
  Verdict verdict = Verdict::ok;
  std::vector<Notice> notices{};
  // Of Preempt: who lost a registration, and whose commands the protocols abort when the preempting
  // request wants that.
  std::vector<Registrant> preempted{};

  [[nodiscard]] bool is_ok() const { return verdict == Verdict::ok; }
};

// Does it, all or nothing.
[[nodiscard]] Outcome perform(Reservations& reservations, const Request& request);

// Gives the disk to one session alone. False: there are registrations, or another session has it.
[[nodiscard]] bool begin_sole_use(Reservations& reservations, std::uint64_t session);
// `session` 0: whosever it is. False: there is nothing to end.
bool end_sole_use(Reservations& reservations, std::uint64_t session);

// ---- What outlives a power loss

constexpr std::string_view kReservationsKey = "reservations";  // in the state store

// Nothing: there is nothing to keep, or nobody has asked for it.
[[nodiscard]] std::optional<state::Record> to_record(const Reservations& reservations);
// malformed: not what to_record() makes; unsupported.
[[nodiscard]] Result<Reservations> reservations_of(const state::Record& record);

}  // namespace lunar::access
