// The functions of the command table, by family. `decode_x` fills in what the CDB asks for or
// refuses; `execute_x` runs. Each is in the .cpp file that the section names.
#pragma once

#include "scsi/command.h"

namespace lunar::scsi {

// ---- read_write.cpp: READ, WRITE (SBC-4 §5)
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
// The data-out; false when there is nothing to do, or it has been refused.
bool check_unmap_list(Command& command);
void execute_unmap(Command& command);
bool decode_write_same(Command& command);
void execute_write_same(Command& command);

// ---- protected_read_write.cpp: READ, WRITE on a medium with protection information
bool decode_protected_read(Command& command);
void execute_protected_read(Command& command);
bool decode_protected_write(Command& command);
void execute_protected_write(Command& command);

// ---- protected_verify.cpp: VERIFY, WRITE AND VERIFY, the same
bool decode_protected_verify(Command& command);
void execute_protected_verify(Command& command);
bool decode_protected_write_and_verify(Command& command);
void execute_protected_write_and_verify(Command& command);

// ---- protected_exclusive_writes.cpp: COMPARE AND WRITE, ORWRITE, the same; ORWRITE is decoded as
// ---- WRITE is
bool decode_protected_compare_and_write(Command& command);
void execute_protected_compare_and_write(Command& command);
void execute_protected_orwrite(Command& command);

// ---- protected_provisioning.cpp: UNMAP, WRITE SAME, SYNCHRONIZE CACHE, the same
void execute_protected_unmap(Command& command);
bool decode_protected_write_same(Command& command);
void execute_protected_write_same(Command& command);
void execute_protected_synchronize_cache(Command& command);

// ---- capacity.cpp: READ CAPACITY
bool decode_read_capacity_10(Command& command);
void execute_read_capacity_10(Command& command);
bool decode_read_capacity_16(Command& command);
void execute_read_capacity_16(Command& command);

// ---- inquiry.cpp: INQUIRY; the VPD pages are in vpd_pages.cpp
bool decode_inquiry(Command& command);
void execute_inquiry(Command& command);

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

// ---- log_sense.cpp: LOG SENSE, LOG SELECT; the pages are in log_pages.cpp
bool decode_log_sense(Command& command);
void execute_log_sense(Command& command);
bool decode_log_select(Command& command);
void execute_log_select(Command& command);

// ---- primary.cpp: TEST UNIT READY, REQUEST SENSE, REPORT LUNS (SPC-5 §6)
bool decode_nothing(Command& command);
void execute_test_unit_ready(Command& command);
bool decode_request_sense(Command& command);
void execute_request_sense(Command& command);
bool decode_report_luns(Command& command);
void execute_report_luns(Command& command);

// ---- diagnostic_buffers.cpp: READ BUFFER, WRITE BUFFER
bool decode_read_buffer(Command& command);
void execute_read_buffer(Command& command);
bool decode_write_buffer(Command& command);
void execute_write_buffer(Command& command);

// ---- start_stop.cpp: START STOP UNIT, PREVENT ALLOW MEDIUM REMOVAL
bool decode_start_stop_unit(Command& command);
void execute_start_stop_unit(Command& command);
bool decode_prevent_allow_medium_removal(Command& command);
void execute_prevent_allow_medium_removal(Command& command);

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

// ---- diagnostics.cpp: SEND DIAGNOSTIC, RECEIVE DIAGNOSTIC RESULTS
bool decode_send_diagnostic(Command& command);
void execute_send_diagnostic(Command& command);
bool decode_receive_diagnostic_results(Command& command);
void execute_receive_diagnostic_results(Command& command);

// ---- identification.cpp: identifying information and timestamps
bool decode_report_identifying_information(Command& command);
void execute_report_identifying_information(Command& command);
bool decode_set_identifying_information(Command& command);
void execute_set_identifying_information(Command& command);
bool decode_report_timestamp(Command& command);
void execute_report_timestamp(Command& command);
bool decode_set_timestamp(Command& command);
void execute_set_timestamp(Command& command);

// ---- priority.cpp: command priorities
bool decode_report_priority(Command& command);
void execute_report_priority(Command& command);
bool decode_set_priority(Command& command);
void execute_set_priority(Command& command);

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
// ---- target_port_groups.cpp: REPORT TARGET PORT GROUPS, SET TARGET PORT GROUPS
bool decode_report_target_port_groups(Command& command);
void execute_report_target_port_groups(Command& command);
bool decode_set_target_port_groups(Command& command);
void execute_set_target_port_groups(Command& command);

// ---- supported_opcodes.cpp: REPORT SUPPORTED OPERATION CODES
bool decode_report_supported_operation_codes(Command& command);
void execute_report_supported_operation_codes(Command& command);

// ---- supported_tmfs.cpp: REPORT SUPPORTED TASK MANAGEMENT FUNCTIONS
bool decode_report_supported_tmfs(Command& command);
void execute_report_supported_tmfs(Command& command);

}  // namespace lunar::scsi
