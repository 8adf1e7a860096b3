// Commands that report about a device.
//
// `decode_x` reads the CDB of command x, or refuses it and returns false. `execute_x` runs it.
#pragma once

#include <string_view>

#include "lunar/result.h"
#include "scsi/core/command.h"
#include "state/record.h"

namespace lunar::scsi {

class LogicalUnit;
struct UnitState;

// ---- inquiry.cpp: INQUIRY; the VPD pages are in vpd_pages.cpp
bool decode_inquiry(Command& command);
void execute_inquiry(Command& command);

// ---- log_sense.cpp: LOG SENSE, LOG SELECT; the pages are in log_pages.cpp
bool decode_log_sense(Command& command);
void execute_log_sense(Command& command);
bool decode_log_select(Command& command);
void execute_log_select(Command& command);

// ---- primary.cpp: TEST UNIT READY, REQUEST SENSE, REPORT LUNS, REPORT SUPPORTED TASK MANAGEMENT
// ---- FUNCTIONS
void execute_test_unit_ready(Command& command);
bool decode_request_sense(Command& command);
void execute_request_sense(Command& command);
bool decode_report_luns(Command& command);
void execute_report_luns(Command& command);
bool decode_report_supported_tmfs(Command& command);
void execute_report_supported_tmfs(Command& command);

// ---- identification_commands.cpp: identifying information and timestamps
bool decode_report_identifying_information(Command& command);
void execute_report_identifying_information(Command& command);
bool decode_set_identifying_information(Command& command);
void execute_set_identifying_information(Command& command);
bool decode_report_timestamp(Command& command);
void execute_report_timestamp(Command& command);
bool decode_set_timestamp(Command& command);
void execute_set_timestamp(Command& command);
// For UnitFeature.
Result<void> restore_identification(LogicalUnit& unit, UnitState& state, const state::Record& kept);

}  // namespace lunar::scsi
