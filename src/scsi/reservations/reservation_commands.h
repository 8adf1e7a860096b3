// Commands for reservations.
//
// `decode_x` fills in what the CDB asks for, or refuses it; `execute_x` runs it.
#pragma once

#include "scsi/core/command.h"

namespace lunar::scsi {

// ---- persistent_reserve_in.cpp: PERSISTENT RESERVE IN
bool decode_persistent_reserve_in(Command& command);
void execute_read_keys(Command& command);
void execute_read_reservation(Command& command);
void execute_report_capabilities(Command& command);
void execute_read_full_status(Command& command);

// ---- persistent_reserve_out.cpp: PERSISTENT RESERVE OUT
bool decode_persistent_reserve_out(Command& command);
void execute_persistent_reserve_out(Command& command);

// ---- reserve_release.cpp: RESERVE and RELEASE (SPC-2 §7.21, §7.16)
void execute_reserve(Command& command);
void execute_release(Command& command);

}  // namespace lunar::scsi
