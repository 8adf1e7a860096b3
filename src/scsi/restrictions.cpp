#include "scsi/restrictions.h"

#include "scsi/asymmetric_access.h"
#include "scsi/command_table.h"
#include "scsi/completion.h"
#include "scsi/condition.h"
#include "scsi/logical_unit.h"
#include "scsi/nexus.h"
#include "scsi/reservations.h"

namespace lunar::scsi {
namespace {

Restrictions reservation_restrictions_of(const ItlNexus& itl) {
  const Reservations* reservations = itl.unit.state().reservations.get();
  if (reservations == nullptr) return 0;
  if (!reservations->type && reservations->reserved_by == 0) return 0;
  return restrictions_of(*reservations, identity_of(itl.nexus), itl.nexus.id());
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
