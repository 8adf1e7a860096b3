#include "scsi/reservations/reservation_change.h"

#include <algorithm>
#include <utility>

#include "scsi/core/on_each_part.h"
#include "scsi/core/task_set.h"

namespace lunar::scsi {
namespace {

using access::Event;
using access::Reservations;

std::shared_ptr<Reservations> copy_of(const UnitState& state) {
  return state.reservations == nullptr ? std::make_shared<Reservations>()
                                       : std::make_shared<Reservations>(*state.reservations);
}

spec::AdditionalSense attention_of(Event event) {
  switch (event) {
    case Event::registration_preempted: return spec::AdditionalSense::registrations_preempted;
    case Event::reservation_released: return spec::AdditionalSense::reservations_released;
    case Event::reservation_preempted: break;
  }
  return spec::AdditionalSense::reservations_preempted;
}

// The end of a RESERVE whose nexus is gone.
class EndReserve final : public UnitChange {
 public:
  explicit EndReserve(std::uint64_t nexus_id) : nexus_id_(nexus_id) {}
  engine::Task<bool> decide(UnitState& next) override {
    if (next.reservations == nullptr) co_return false;
    auto reservations = copy_of(next);
    if (!access::end_sole_use(*reservations, nexus_id_)) co_return false;
    next.reservations = std::move(reservations);
    co_return true;
  }

 private:
  const std::uint64_t nexus_id_;
};

engine::Task<void> abort_on(LogicalUnitShard& part, const std::vector<access::Registrant>& nexuses,
                            const Command& except) {
  std::vector<const Nexus*> meant;
  for (ItlNexus& itl : part.nexuses()) {
    if (std::ranges::count(nexuses, identity_of(itl.nexus)) == 0) continue;
    meant.push_back(&itl.nexus);
    if (&itl.nexus == except.nexus) {
      for (Command& command : itl.task_set) {
        if (&command != &except) abort_command(command);
      }
      continue;
    }
    clear_commands_of(itl);
  }
  for (const Nexus* nexus : meant) co_await part.aborted_commands_finished(nexus);
}

}  // namespace

engine::Task<bool> ReservationChange::decide(UnitState& next) {
  auto reservations = copy_of(next);
  const auto kept = to_record(*reservations);
  outcome_ = access::perform(*reservations, request_);
  if (!outcome_.is_ok()) co_return false;
  auto record = to_record(*reservations);
  if (record != kept) {
    // SPC-5 §5.14.5: found again after a power loss from the moment of the GOOD status.
    const Result<void> saved = co_await unit_.save(access::kReservationsKey, std::move(record));
    if (!saved) {
      // SPC-5 §5.14.7: "insufficient device server resources".
      outcome_ = {.verdict = access::Verdict::no_room};
      co_return false;
    }
  }
  next.reservations = std::move(reservations);
  co_return true;
}

void ReservationChange::apply(LogicalUnitShard& part) {
  if (outcome_.notices.empty()) return;
  for (ItlNexus& itl : part.nexuses()) {
    const NexusIdentity identity = identity_of(itl.nexus);
    for (const access::Notice& notice : outcome_.notices) {
      if (notice.registrant == identity) itl.attentions.raise(attention_of(notice.event));
    }
  }
}

engine::Task<void> abort_commands_of(LogicalUnit& unit,
                                     const std::vector<access::Registrant>& nexuses,
                                     const Command& except) {
  auto abort = [&nexuses, &except](LogicalUnitShard& part) {
    return abort_on(part, nexuses, except);
  };
  co_await on_each_part(unit, abort);
}

engine::Task<void> end_reserve(LogicalUnit& unit, std::uint64_t nexus_id) {
  EndReserve change(nexus_id);
  co_await unit.change(change);
}

Result<void> restore_reservations(LogicalUnit& unit, UnitState& state, const state::Record& kept) {
  auto reservations = access::reservations_of(kept);
  if (!reservations) {
    return wrap(reservations.error(),
                "the reservations that were kept of device " + unit.device().name());
  }
  state.reservations = std::make_shared<const Reservations>(std::move(*reservations));
  return {};
}

}  // namespace lunar::scsi
