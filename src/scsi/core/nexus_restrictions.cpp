#include "scsi/core/nexus_restrictions.h"

#include "access/path_states.h"
#include "access/reservations.h"
#include "scsi/core/command_description.h"
#include "scsi/core/completion.h"
#include "scsi/core/logical_unit.h"
#include "scsi/core/nexus.h"
#include "scsi/core/target.h"
#include "scsi/state/condition.h"

namespace lunar::scsi {
namespace {

Restrictions reservation_restrictions_of(const ItlNexus& itl) {
  const access::Reservations* reservations = itl.unit.state().reservations.get();
  if (reservations == nullptr) return 0;
  // What RESERVE left (SPC-2 §5.5.1).
  if (reservations->sole_session != 0) {
    const bool own = reservations->sole_session == itl.nexus.id();
    return own ? kReservedAtAll : kReservedAtAll | kReservedAll;
  }
  if (!reservations->type) return 0;
  const access::Rights rights = access::rights_of(*reservations, identity_of(itl.nexus));
  Restrictions restrictions = 0;
  if (!rights.read) restrictions |= kReservedReads;
  if (!rights.write) restrictions |= kReservedWrites;
  return restrictions;
}

// What the state of its path forbids a nexus.
Restrictions path_restrictions(const ItlNexus& itl) {
  const TargetPorts& ports = itl.nexus.ports();
  const TargetPort* port = ports.find(itl.nexus.relative_target_port_id());
  if (port == nullptr) return 0;
  using enum access::PathState;
  switch (itl.unit.state().paths.of(port->initial_access()).state) {
    case optimized:
    case non_optimized: return 0;
    case standby: return kPathStandby;
    case unavailable: return kPathUnavailable;
    case changing: return kPathInTransition;
  }
  return 0;
}

// Why a command may not run by this path. `heeded` has one of the path restrictions.
spec::Sense path_sense(Restrictions heeded) {
  using enum spec::AdditionalSense;
  if ((heeded & kPathInTransition) != 0)
    return spec::Sense::not_ready(asymmetric_access_state_transition);
  if ((heeded & kPathUnavailable) != 0)
    return spec::Sense::not_ready(target_port_in_unavailable_state);
  return spec::Sense::not_ready(target_port_in_standby_state);
}

}  // namespace

Restrictions restrictions_of(const ItlNexus& itl) {
  const UnitState& state = itl.unit.state();
  Restrictions restrictions = path_restrictions(itl);
  if (state.write_protected || state.mode.software_write_protect()) restrictions |= kWriteProtected;
  restrictions |= restrictions_of(state.condition);
  if (itl.unit.unit().has_protection_room()) restrictions |= kProtectionRoom;
  return restrictions | reservation_restrictions_of(itl);
}

bool refuse_restricted(Command& command) {
  const Restrictions heeded = command.itl->restrictions & command.description->heeds;
  // SAM-5 §5.3.3: before all that is CHECK CONDITION but unit attentions.
  if ((heeded & kAnyReservation) != 0) {
    command.status_code = spec::Status::reservation_conflict;
    return false;
  }
  if ((heeded & kAnyPathState) != 0) return refuse(command, path_sense(heeded));
  if ((heeded & (kMediumOperation | kNotReady | kFormatCorrupt)) != 0)
    return refuse(command, not_ready_sense(command.unit->state().condition));
  assert((heeded & kWriteProtected) != 0);
  // What holds longer is told first: SWP can be undone by who asks.
  const auto why = command.unit->state().write_protected
                       ? spec::AdditionalSense::write_protected
                       : spec::AdditionalSense::lu_software_write_protected;
  return refuse(command, spec::Sense::of(spec::SenseKey::data_protect, why));
}

}  // namespace lunar::scsi
