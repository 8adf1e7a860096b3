// TEST UNIT READY, REQUEST SENSE, REPORT LUNS (SPC-5 §6).
#include "scsi/commands.h"
#include "scsi/device_server.h"
#include "scsi/parameter_data.h"
#include "scsi/spec/cdb_structs.h"
#include "scsi/spec/report_luns.h"

namespace lunar::scsi {
namespace {

constexpr std::size_t kMaxReportLunsBytes =
    sizeof(spec::ReportLunsHeader) + (spec::kMaxLun + 1) * sizeof(be64);

// An informational exception condition that is told on request only, as NO SENSE (SPC-5,
// Informational Exceptions Control mode page, MRIE 6h).
spec::Sense exception_on_request(const ModeParameters& mode) {
  const auto exception = mode.informational_exception();
  if (!exception || mode.method_of_reporting() != spec::MethodOfReporting::on_request) return {};
  return spec::Sense::of(spec::SenseKey::no_sense, *exception);
}

// SPC-5 §6.39: a pending unit attention, which it clears; else what the unit's condition is.
void produce_sense(Command& command, ByteWriter& out) {
  spec::Sense sense;
  if (command.itl == nullptr) {
    sense = spec::Sense::illegal_request(spec::AdditionalSense::lu_not_supported);
  } else if (command.itl->attentions.pending()) {
    sense = command.itl->attentions.take();
  } else {
    sense = pollable_sense(command.unit->state().condition);
    if (sense == spec::Sense{}) sense = exception_on_request(command.unit->state().mode);
  }
  const bool descriptor = cdb_of(command).as<spec::RequestSenseCdb>().desc();
  const spec::SenseData data =
      encode(sense, descriptor ? spec::SenseFormat::descriptor : spec::SenseFormat::fixed);
  out.write_bytes(data.bytes());
}

void produce_luns(Command& command, ByteWriter& out) {
  const LunMap& luns = command.nexus->device_server()->target().luns();
  const auto select =
      static_cast<spec::SelectReport>(cdb_of(command).as<spec::ReportLunsCdb>().select_report);
  // There are no well-known logical units.
  const bool listed = select != spec::SelectReport::well_known_only;
  spec::ReportLunsHeader header;
  header.lun_list_length = static_cast<std::uint32_t>((listed ? luns.size() : 0) * sizeof(be64));
  out.write(header);
  if (!listed) return;
  luns.for_each([&](Lun lun, const LogicalUnit&) { out.write(be64(spec::encode_lun(lun))); });
}

}  // namespace

bool decode_nothing(Command& command) {
  (void)command;
  return true;
}

// A logical unit that is open is ready; what its medium says comes with the command that asks it.
void execute_test_unit_ready(Command& command) { end_soon(command); }

bool decode_request_sense(Command& command) {
  command.allocation_length = cdb_of(command).as<spec::RequestSenseCdb>().allocation_length;
  return true;
}

void execute_request_sense(Command& command) {
  respond<produce_sense, spec::kMaxSenseLength>(command);
}

bool decode_report_luns(Command& command) {
  const auto cdb = cdb_of(command).as<spec::ReportLunsCdb>();
  if (cdb.select_report > static_cast<std::uint8_t>(spec::SelectReport::all)) {
    return refuse(command,
                  spec::Sense::invalid_field_in_cdb(offsetof(spec::ReportLunsCdb, select_report)));
  }
  if (cdb.allocation_length < spec::kReportLunsMinAllocationLength) {
    return refuse(command, spec::Sense::invalid_field_in_cdb(
                               offsetof(spec::ReportLunsCdb, allocation_length)));
  }
  command.allocation_length = cdb.allocation_length;
  return true;
}

void execute_report_luns(Command& command) { respond<produce_luns, kMaxReportLunsBytes>(command); }

}  // namespace lunar::scsi
