// Changes of the Reservations of a logical unit: decided at its home shard, durable before they are
// in force, told to the nexuses concerned on every shard.
#pragma once

#include <memory>
#include <vector>

#include "access/reservations.h"
#include "lunar/result.h"
#include "scsi/core/command.h"
#include "scsi/core/logical_unit.h"
#include "scsi/state/unit_state.h"

namespace lunar::scsi {

class ReservationChange final : public UnitChange {
 public:
  ReservationChange(const LogicalUnit& unit, const access::Request& request)
      : unit_(unit), request_(request) {}

  engine::Task<bool> decide(UnitState& next) override;
  void apply(LogicalUnitShard& part) override;

  // After LogicalUnit::change().
  [[nodiscard]] const access::Outcome& outcome() const { return outcome_; }

 private:
  const LogicalUnit& unit_;
  const access::Request& request_;
  access::Outcome outcome_;
};

// Aborts the commands of those nexuses but `except`, on every shard; completes when all have ended
// that may touch the medium (SPC-5 §5.14.11.5).
engine::Task<void> abort_commands_of(LogicalUnit& unit,
                                     const std::vector<access::Registrant>& nexuses,
                                     const Command& except);

// Whether the I_T nexus has it by RESERVE (6) or (10).
[[nodiscard]] inline bool is_reserved_by(const LogicalUnitShard& part, std::uint64_t nexus_id) {
  const access::Reservations* reservations = part.state().reservations.get();
  return reservations != nullptr && reservations->sole_session == nexus_id;
}

// What RESERVE (6) and (10) left ends: the I_T nexus is lost, or the logical unit is reset (SPC-2
// §7.21). `nexus_id` 0: whosever it is. From any shard of the unit.
engine::Task<void> end_reserve(LogicalUnit& unit, std::uint64_t nexus_id);

// As a UnitFeature: registrations that were made with APTPL come back (SPC-5 §5.14.5). malformed:
// what is there is none of ours; unsupported.
Result<void> restore_reservations(LogicalUnit& unit, UnitState& state, const state::Record& kept);

}  // namespace lunar::scsi
