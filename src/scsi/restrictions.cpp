#include "scsi/restrictions.h"

#include "scsi/asymmetric_access.h"
#include "scsi/command_table.h"
#include "scsi/completion.h"
#include "scsi/condition.h"
#include "scsi/logical_unit.h"
#include "scsi/nexus.h"

namespace lunar::scsi {

Restrictions restrictions_of(const ItlNexus& itl) {
  const UnitState& state = itl.unit.state();
  Restrictions restrictions = path_restrictions(itl);
  if (state.write_protected || state.mode.software_write_protect()) restrictions |= kWriteProtected;
  restrictions |= restrictions_of(state.condition);
  return restrictions;
}

bool refuse_restricted(Command& command) {
  const Restrictions heeded = command.itl->restrictions & command.description->heeds;
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
