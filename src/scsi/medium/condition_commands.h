// Commands that change the condition of the logical unit and its medium.
//
// `decode_x` reads the CDB of command x, or refuses it and returns false. `execute_x` runs it.
#pragma once

#include "scsi/core/command.h"

namespace lunar::scsi {

// ---- start_stop.cpp: START STOP UNIT, PREVENT ALLOW MEDIUM REMOVAL
bool decode_start_stop_unit(Command& command);
void execute_start_stop_unit(Command& command);
bool decode_prevent_allow_medium_removal(Command& command);
void execute_prevent_allow_medium_removal(Command& command);
// Ends a low power condition when a command accesses the medium.
void wake_up(LogicalUnitShard& part);

// ---- sanitize.cpp: SANITIZE
bool decode_sanitize_overwrite(Command& command);
void execute_sanitize_overwrite(Command& command);
bool decode_sanitize_block_erase(Command& command);
void execute_sanitize_block_erase(Command& command);
bool decode_sanitize_exit_failure_mode(Command& command);
void execute_sanitize_exit_failure_mode(Command& command);

// ---- format_unit.cpp: FORMAT UNIT
bool decode_format_unit(Command& command);
void execute_format_unit(Command& command);

}  // namespace lunar::scsi
