// Commands for mode pages.
//
// `decode_x` reads the CDB of command x, or refuses it and returns false. `execute_x` runs it.
#pragma once

#include "scsi/core/command.h"

namespace lunar::scsi {

// ---- mode_sense.cpp: MODE SENSE; the pages are in mode_pages.cpp, their values in
// ---- mode_parameters.cpp
bool decode_mode_sense_6(Command& command);
void execute_mode_sense_6(Command& command);
bool decode_mode_sense_10(Command& command);
void execute_mode_sense_10(Command& command);

// ---- mode_select.cpp: MODE SELECT
bool decode_mode_select_6(Command& command);
bool decode_mode_select_10(Command& command);
void execute_mode_select(Command& command);

}  // namespace lunar::scsi
