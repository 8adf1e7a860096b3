// The task set of an I_T_L nexus (SAM-5 §8): which command may run when, and how commands leave.
// With TST 000b (SPC-5 §7.5.11) it is that nexus' part of the logical unit's one task set, which
// shared_task_set.h keeps together.
#pragma once

#include "scsi/core/command.h"
#include "scsi/core/nexus.h"

namespace lunar::scsi {

// Commands of one I_T_L nexus at once; the next one gets TASK SET FULL (SAM-5 §5.3.1). A transport
// with a command window of its own stays below.
constexpr std::uint32_t kMaxTaskSetCommands = 1024;

// At arrival.
void enter_task_set(ItlNexus& itl, Command& command);
// As the last thing before the transport is told. Starts those that waited for it.
void leave_task_set(Command& command);

// Runs the command now, or when those that it must wait for have left (SAM-5 §8.6).
void start_or_wait(Command& command);
// Runs those of the nexus that wait and need not any more.
void start_waiting(ItlNexus& itl);

// Whether it may read or write the medium, now or later.
[[nodiscard]] bool is_on_medium(const Command& command);

// The logical unit has changed so that the command may not run: it ends with `why`, a constant, if
// that can still be; else with what the medium answers. Never calls back inline.
void withdraw_command(Command& command, const spec::Sense& why);

// Wants the command gone: it ends without effect where that can still be; else it ends when the
// medium has answered. Never calls back inline.
void abort_command(Command& command);
// The same by the doing of another nexus, of which its initiator is told when TAS is one (SAM-5
// §5.3.1, TASK ABORTED).
void abort_for_another_nexus(Command& command);

// The same of all that another nexus than `itl` ends: its initiator is told of each, or, when TAS
// is zero, of them all by a unit attention (SAM-5 §5.6.3).
void clear_commands_of(ItlNexus& itl);
// Of all nexuses of the shard, for `requester`, whose own are aborted in silence.
void clear_commands(LogicalUnitShard& part, const Nexus* requester);

// `command` ends in CHECK CONDITION: wants the others gone that QERR means (SPC-5 §7.5.11). Its
// nexus, which is the one that is told of the error, gets no status of them.
void obey_qerr(Command& command);

}  // namespace lunar::scsi
