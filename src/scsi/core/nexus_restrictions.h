// The restrictions of an I_T_L nexus, worked out of the state of its logical unit, and the answers
// to commands that heed them.
#pragma once

#include "scsi/state/restrictions.h"

namespace lunar::scsi {

struct Command;
struct ItlNexus;

// What the state of its logical unit means for this nexus.
[[nodiscard]] Restrictions restrictions_of(const ItlNexus& itl);

// Refuses a command whose row heeds one of the restrictions of its nexus, by the answer that wins
// where several hold (SAM-5 §5.3.3). Returns false.
bool refuse_restricted(Command& command);

}  // namespace lunar::scsi
