// Commands for target port groups and command priorities.
//
// `decode_x` fills in what the CDB asks for, or refuses it; `execute_x` runs it.
#pragma once

#include "scsi/core/command.h"

namespace lunar::scsi {

// ---- target_port_groups.cpp: REPORT TARGET PORT GROUPS, SET TARGET PORT GROUPS
bool decode_report_target_port_groups(Command& command);
void execute_report_target_port_groups(Command& command);
bool decode_set_target_port_groups(Command& command);
void execute_set_target_port_groups(Command& command);

// ---- priority_commands.cpp: command priorities
bool decode_report_priority(Command& command);
void execute_report_priority(Command& command);
bool decode_set_priority(Command& command);
void execute_set_priority(Command& command);
// The INITIAL COMMAND PRIORITY has changed: tells the nexuses that have got another priority by
// that (SPC-5, Control Extension mode page).
void tell_new_initial_priority(LogicalUnitShard& part);

}  // namespace lunar::scsi
