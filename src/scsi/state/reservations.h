// Who has reserved a logical unit (SPC-5 §5.14): persistent reservations with their registrations,
// and what RESERVE (6) and (10) of SPC-2 leave.
//
// Plain values and functions on them, without a shard or a clock: a part of the UnitState. What the
// commands do with it is in persistent_reserve_in.cpp, persistent_reserve_out.cpp and
// reserve_release.cpp.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "lunar/result.h"
#include "scsi/spec/additional_sense.h"
#include "scsi/spec/opcodes.h"
#include "scsi/spec/reservation.h"
#include "scsi/spec/sense.h"
#include "scsi/spec/status.h"
#include "scsi/state/restrictions.h"
#include "state/record.h"

namespace lunar::scsi {

// A named bound on what initiators may make us keep; READ FULL STATUS of all stays below
// kMaxTransferBytes.
constexpr std::size_t kMaxRegistrations = 1024;

// An I_T nexus by the names of its ports, which are what registrations belong to: they outlive
// sessions (SPC-5 §5.14.1).
struct NexusIdentity {
  std::string initiator_port;  // "iqn…,i,0x<isid>"
  std::string target_port;     // "iqn…,t,0x<tpgt>"
  std::uint16_t relative_target_port_id = 0;

  // The relative identifier follows from the name.
  friend bool operator==(const NexusIdentity& a, const NexusIdentity& b) {
    return a.initiator_port == b.initiator_port && a.target_port == b.target_port;
  }
  friend auto operator<=>(const NexusIdentity& a, const NexusIdentity& b) {
    if (const auto order = a.initiator_port <=> b.initiator_port; order != 0) return order;
    return a.target_port <=> b.target_port;
  }
};

struct Registration {
  NexusIdentity nexus;
  std::uint64_t key = 0;  // not 0
  bool holder = false;    // of the reservation, where its type is not all registrants
  bool operator==(const Registration&) const = default;
};

struct Reservations {
  std::vector<Registration> registrations;    // ascending by nexus
  std::optional<spec::ReservationType> type;  // of the persistent reservation, if there is one
  std::uint32_t generation = 0;               // PRGENERATION
  bool aptpl = false;                         // it is kept over a power loss
  // The I_T nexus (Nexus::id) whose RESERVE (6) or (10) is in force; 0: none. Never together
  // with registrations (SPC-2 §5.5.1).
  std::uint64_t reserved_by = 0;

  [[nodiscard]] const Registration* find(const NexusIdentity& nexus) const;
  // A registration that holds the reservation, whatever its type.
  [[nodiscard]] bool holds(const Registration& registration) const {
    return type && (spec::is_all_registrants(*type) || registration.holder);
  }
};

// What they mean for the commands of an I_T nexus.
[[nodiscard]] Restrictions restrictions_of(const Reservations& reservations,
                                           const NexusIdentity& nexus, std::uint64_t nexus_id);

// What a PERSISTENT RESERVE OUT asks for.
struct ReservationRequest {
  spec::ServiceActionCode action = 0;
  std::uint8_t scope = 0;
  std::uint8_t type = 0;
  std::uint64_t key = 0;                 // RESERVATION KEY
  std::uint64_t service_action_key = 0;  // SERVICE ACTION RESERVATION KEY
  bool aptpl = false;
  NexusIdentity nexus;  // where it came from
  // REGISTER, REGISTER AND IGNORE EXISTING KEY with ALL_TG_PT: the same initiator port at the other
  // target ports.
  std::vector<NexusIdentity> other_ports;
  // REGISTER with SPEC_I_PT: those of the initiator ports that the parameter list names.
  bool spec_i_pt = false;
  std::vector<NexusIdentity> specified;
  // REGISTER AND MOVE
  NexusIdentity move_to;
  bool unregister = false;
};

// What came of it.
struct ReservationOutcome {
  spec::Status status = spec::Status::good;
  spec::Sense sense;  // of check_condition
  struct Attention {
    NexusIdentity nexus;
    spec::AdditionalSense condition;
  };
  std::vector<Attention> attentions;
  // PREEMPT AND ABORT: whose commands are to be aborted.
  std::vector<NexusIdentity> preempted;

  [[nodiscard]] bool is_good() const { return status == spec::Status::good; }
};

// Does it, all or nothing. The caller has seen to the CDB and to the parameter list as such.
[[nodiscard]] ReservationOutcome perform(Reservations& reservations,
                                         const ReservationRequest& request);

// RESERVE and RELEASE (6) and (10) of an I_T nexus: what SPC-2 §7.21 says, but for those that
// have a persistent reservation, to whom both are GOOD and do nothing (SPC-5 §5.14.3). Give whether
// the status is GOOD, else it is RESERVATION CONFLICT.
[[nodiscard]] bool reserve(Reservations& reservations, const NexusIdentity& nexus,
                           std::uint64_t nexus_id);
[[nodiscard]] bool release(Reservations& reservations, const NexusIdentity& nexus,
                           std::uint64_t nexus_id);

// How registrations made with APTPL are kept, and the reverse: malformed, unsupported.
[[nodiscard]] state::Record to_record(const Reservations& reservations);
[[nodiscard]] Result<Reservations> reservations_of(const state::Record& record);

}  // namespace lunar::scsi
