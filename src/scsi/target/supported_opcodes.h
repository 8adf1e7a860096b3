// REPORT SUPPORTED OPERATION CODES (SPC-5 §6.35), answered from the command table.
#pragma once

#include "scsi/core/command.h"

namespace lunar::scsi {

bool decode_report_supported_operation_codes(Command& command);
void execute_report_supported_operation_codes(Command& command);

}  // namespace lunar::scsi
