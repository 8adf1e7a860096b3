// The functions of the command table, by family. `decode_x` fills in what the CDB asks for or
// refuses; `execute_x` runs. Each is in the .cpp file that the section names.
#pragma once

#include "scsi/command.h"

namespace lunar::scsi {

// ---- read_write.cpp: READ, WRITE, SYNCHRONIZE CACHE (SBC-4 §5)
bool decode_read(Command& command);
void execute_read(Command& command);
bool decode_write(Command& command);
void execute_write(Command& command);
bool decode_synchronize_cache(Command& command);
void execute_synchronize_cache(Command& command);

// ---- verify.cpp: VERIFY
bool decode_verify(Command& command);
void execute_verify(Command& command);

// ---- provisioning.cpp: UNMAP, WRITE SAME
bool decode_unmap(Command& command);
void execute_unmap(Command& command);
bool decode_write_same(Command& command);
void execute_write_same(Command& command);

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

// ---- primary.cpp: TEST UNIT READY, REQUEST SENSE, REPORT LUNS (SPC-5 §6)
bool decode_nothing(Command& command);
void execute_test_unit_ready(Command& command);
bool decode_request_sense(Command& command);
void execute_request_sense(Command& command);
bool decode_report_luns(Command& command);
void execute_report_luns(Command& command);

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

// ---- target_port_groups.cpp: REPORT TARGET PORT GROUPS, SET TARGET PORT GROUPS
bool decode_report_target_port_groups(Command& command);
void execute_report_target_port_groups(Command& command);
bool decode_set_target_port_groups(Command& command);
void execute_set_target_port_groups(Command& command);

// ---- supported_opcodes.cpp: REPORT SUPPORTED OPERATION CODES
bool decode_report_supported_operation_codes(Command& command);
void execute_report_supported_operation_codes(Command& command);

}  // namespace lunar::scsi
