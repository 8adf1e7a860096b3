// Commands on blocks with protection information (SBC-4 §4.21).
//
// `decode_x` reads the CDB of command x, or refuses it and returns false. `execute_x` runs it.
#pragma once

#include "scsi/core/command.h"

namespace lunar::scsi {

// ---- protected_read_write.cpp: READ, WRITE
bool decode_protected_read(Command& command);
void execute_protected_read(Command& command);
bool decode_protected_write(Command& command);
void execute_protected_write(Command& command);

// ---- protected_verify.cpp: VERIFY, WRITE AND VERIFY
bool decode_protected_verify(Command& command);
void execute_protected_verify(Command& command);
bool decode_protected_write_and_verify(Command& command);
void execute_protected_write_and_verify(Command& command);

// ---- protected_exclusive_writes.cpp: COMPARE AND WRITE, ORWRITE; ORWRITE is decoded like WRITE
bool decode_protected_compare_and_write(Command& command);
void execute_protected_compare_and_write(Command& command);
void execute_protected_orwrite(Command& command);

// ---- protected_provisioning.cpp: UNMAP, WRITE SAME, SYNCHRONIZE CACHE
void execute_protected_unmap(Command& command);
bool decode_protected_write_same(Command& command);
void execute_protected_write_same(Command& command);
void execute_protected_synchronize_cache(Command& command);

}  // namespace lunar::scsi
