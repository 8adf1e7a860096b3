// The task set of an I_T_L nexus (SAM-5 §8): which command may run when, and how commands leave.
#pragma once

#include "scsi/command.h"
#include "scsi/nexus.h"

namespace lunar::scsi {

// At arrival.
void enter_task_set(ItlNexus& itl, Command& command);
// As the last thing before the transport is told. Starts those that waited for it.
void leave_task_set(Command& command);

// Runs the command now, or when those that it must wait for have left (SAM-5 §8.6).
void start_or_wait(Command& command);

// Wants the command gone: it ends without effect where that can still be; else it ends when the
// medium has answered. Never calls back inline.
void abort_command(Command& command);

}  // namespace lunar::scsi
