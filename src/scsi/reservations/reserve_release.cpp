// RESERVE and RELEASE, (6) and (10), of whole logical units (SPC-2 §7.16–7.19, §7.21, §7.22). Third
// parties and extents were optional there, and are refused.
#include <utility>

#include "scsi/core/completion.h"
#include "scsi/reservations/reservation_change.h"
#include "scsi/reservations/reservation_commands.h"

namespace lunar::scsi {
namespace {

using access::Reservations;

// What SPC-2 §7.21 says, but for those that have a persistent reservation, to whom both are GOOD
// and do nothing (SPC-5 §5.14.3, CRH). Each gives whether the status is GOOD, else it is
// RESERVATION CONFLICT.
bool reserve(Reservations& reservations, const NexusIdentity& nexus, std::uint64_t nexus_id) {
  if (!reservations.registrations.empty()) return reservations.has_reservation(nexus);
  return access::begin_sole_use(reservations, nexus_id);
}
bool release(Reservations& reservations, const NexusIdentity& nexus, std::uint64_t nexus_id) {
  if (!reservations.registrations.empty()) return reservations.has_reservation(nexus);
  access::end_sole_use(reservations, nexus_id);  // another's: nothing is done
  return true;
}

using Change = bool (*)(Reservations&, const NexusIdentity&, std::uint64_t nexus_id);

class SimpleReservation final : public UnitChange {
 public:
  SimpleReservation(const Nexus& nexus, Change change)
      : nexus_(identity_of(nexus)), nexus_id_(nexus.id()), change_(change) {}

  engine::Task<bool> decide(UnitState& next) override {
    auto reservations = std::make_shared<Reservations>();
    if (next.reservations != nullptr) *reservations = *next.reservations;
    const std::uint64_t before = reservations->sole_session;
    good_ = change_(*reservations, nexus_, nexus_id_);
    if (reservations->sole_session == before) co_return false;
    next.reservations = std::move(reservations);
    co_return true;
  }
  [[nodiscard]] bool good() const { return good_; }

 private:
  const NexusIdentity nexus_;
  const std::uint64_t nexus_id_;
  const Change change_;
  bool good_ = false;
};

template <Change what>
engine::Task<void> run(Command& command) {
  SimpleReservation change(*command.nexus, what);
  co_await command.unit->unit().change(change);
  if (!change.good()) command.status_code = spec::Status::reservation_conflict;
}

}  // namespace

void execute_reserve(Command& command) { run_sequence(command, run<reserve>); }
void execute_release(Command& command) { run_sequence(command, run<release>); }

}  // namespace lunar::scsi
