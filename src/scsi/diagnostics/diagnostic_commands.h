// Diagnostics, and the buffers that test the path to the target (SPC-5 §6).
//
// `decode_x` reads the CDB of command x, or refuses it and returns false. `execute_x` runs it.
#pragma once

#include "scsi/core/command.h"

namespace lunar::scsi {

// ---- diagnostic_buffers.cpp: READ BUFFER, WRITE BUFFER
bool decode_read_buffer(Command& command);
void execute_read_buffer(Command& command);
bool decode_write_buffer(Command& command);
void execute_write_buffer(Command& command);

// ---- diagnostics.cpp: SEND DIAGNOSTIC, RECEIVE DIAGNOSTIC RESULTS
bool decode_send_diagnostic(Command& command);
void execute_send_diagnostic(Command& command);
bool decode_receive_diagnostic_results(Command& command);
void execute_receive_diagnostic_results(Command& command);

}  // namespace lunar::scsi
