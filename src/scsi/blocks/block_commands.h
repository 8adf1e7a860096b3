// Commands on logical blocks (SBC-4 §5).
//
// `decode_x` reads the CDB of command x, or refuses it and returns false. `execute_x` runs it.
#pragma once

#include "scsi/core/command.h"

namespace lunar::scsi {

// ---- read_write.cpp: READ, WRITE
bool decode_read(Command& command);
void execute_read(Command& command);
bool decode_write(Command& command);
void execute_write(Command& command);

// ---- exclusive_writes.cpp: COMPARE AND WRITE, ORWRITE, WRITE ATOMIC
bool decode_compare_and_write(Command& command);
void execute_compare_and_write(Command& command);
bool decode_orwrite(Command& command);
void execute_orwrite(Command& command);
bool decode_write_atomic(Command& command);
void execute_write_atomic(Command& command);

// ---- verify.cpp: VERIFY, WRITE AND VERIFY
bool decode_verify(Command& command);
void execute_verify(Command& command);
bool decode_write_and_verify(Command& command);
void execute_write_and_verify(Command& command);

// ---- cache_commands.cpp: SYNCHRONIZE CACHE, PRE-FETCH
bool decode_synchronize_cache(Command& command);
void execute_synchronize_cache(Command& command);
bool decode_pre_fetch(Command& command);
void execute_pre_fetch(Command& command);

// ---- lba_status.cpp: GET LBA STATUS
bool decode_get_lba_status_16(Command& command);
bool decode_get_lba_status_32(Command& command);
void execute_get_lba_status(Command& command);

// ---- defect_data.cpp: READ DEFECT DATA
bool decode_read_defect_data_10(Command& command);
void execute_read_defect_data_10(Command& command);
bool decode_read_defect_data_12(Command& command);
void execute_read_defect_data_12(Command& command);

// ---- provisioning.cpp: UNMAP, WRITE SAME
bool decode_unmap(Command& command);
// Checks the data-out. False: there is nothing to do, or the command has been refused.
bool check_unmap_list(Command& command);
void execute_unmap(Command& command);
bool decode_write_same(Command& command);
void execute_write_same(Command& command);

// ---- capacity.cpp: READ CAPACITY
bool decode_read_capacity_10(Command& command);
void execute_read_capacity_10(Command& command);
bool decode_read_capacity_16(Command& command);
void execute_read_capacity_16(Command& command);

}  // namespace lunar::scsi
