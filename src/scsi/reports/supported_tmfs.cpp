// REPORT SUPPORTED TASK MANAGEMENT FUNCTIONS (SPC-5 §6.36).
#include "scsi/core/parameter_data.h"
#include "scsi/reports/report_commands.h"
#include "scsi/spec/cdb_structs.h"
#include "scsi/spec/rsoc.h"

namespace lunar::scsi {
namespace {

using spec::ReportSupportedTmfCdb;
using spec::SupportedTmfData;

// What iSCSI carries (RFC 7143 §11.5.1, and RFC 7144 §4.1 for sessions of iSCSIProtocolLevel 2).
// CLEAR ACA is not there, since ACA is not supported.
SupportedTmfData supported() {
  SupportedTmfData data;
  data.functions = data.kAbortTask | data.kAbortTaskSet | data.kClearTaskSet |
                   data.kLogicalUnitReset | data.kQueryTask | data.kTargetReset;
  data.functions1 = data.kQueryAsynchronousEvent | data.kQueryTaskSet | data.kITNexusReset;
  return data;
}

void produce(Command& command, ByteWriter& out) {
  SupportedTmfData data = supported();
  if (!cdb_of(command).as<ReportSupportedTmfCdb>().repd()) {
    out.write_bytes(as_bytes(data).first(data.kBasicBytes));
    return;
  }
  // No timeouts are told: a function waits for the medium.
  data.additional_data_length = sizeof(data) - data.kBasicBytes;
  out.write(data);
}

}  // namespace

bool decode_report_supported_tmfs(Command& command) {
  command.allocation_length = cdb_of(command).as<ReportSupportedTmfCdb>().allocation_length;
  return true;
}

void execute_report_supported_tmfs(Command& command) {
  respond<produce, sizeof(SupportedTmfData)>(command);
}

}  // namespace lunar::scsi
