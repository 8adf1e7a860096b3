// TEST UNIT READY, REQUEST SENSE, REPORT LUNS, REPORT SUPPORTED TASK MANAGEMENT FUNCTIONS (SPC-5
// §6).
#include <array>
#include <optional>

#include "scsi/core/logical_unit.h"
#include "scsi/core/nexus.h"
#include "scsi/core/parameter_data.h"
#include "scsi/core/target.h"
#include "scsi/reports/report_commands.h"
#include "scsi/spec/cdb_structs.h"
#include "scsi/spec/report_luns.h"
#include "scsi/spec/rsoc.h"

namespace lunar::scsi {
namespace {

constexpr std::size_t kMaxReportLunsBytes =
    sizeof(spec::ReportLunsHeader) + (spec::kMaxLun + 2) * sizeof(be64);

// An informational exception that is reported on request only, as NO SENSE (SPC-5, Informational
// Exceptions Control mode page, MRIE 6h).
spec::Sense exception_on_request(const ModeParameters& mode) {
  const auto exception = mode.informational_exception();
  if (!exception || mode.method_of_reporting() != spec::MethodOfReporting::on_request) return {};
  return spec::Sense::of(spec::SenseKey::no_sense, *exception);
}

// SPC-5 §6.39: returns and clears a pending unit attention; otherwise describes the unit's
// condition.
void produce_sense(Command& command, ByteWriter& out) {
  spec::Sense sense;
  if (command.to_well_known) {
    UnitAttentions& attentions = command.nexus->well_known_attentions();
    if (attentions.pending()) sense = command.nexus->take(attentions);
  } else if (command.itl == nullptr) {
    sense = spec::Sense::illegal_request(spec::AdditionalSense::lu_not_supported);
  } else if (command.itl->attentions.pending()) {
    sense = command.nexus->take(command.itl->attentions);
  } else {
    sense = pollable_sense(command.unit->state().condition);
    if (sense == spec::Sense{}) sense = exception_on_request(command.unit->state().mode);
  }
  const bool descriptor = cdb_of(command).as<spec::RequestSenseCdb>().desc();
  const spec::SenseData data =
      encode(sense, descriptor ? spec::SenseFormat::descriptor : spec::SenseFormat::fixed);
  out.write_bytes(data.bytes());
}

// The logical units requested by SELECT REPORT (SPC-5 table 205).
struct Selection {
  bool numbered = false;
  bool well_known = false;
};
std::optional<Selection> selection_of(std::uint8_t select_report) {
  switch (static_cast<spec::SelectReport>(select_report)) {
    case spec::SelectReport::addressed_not_well_known: return Selection{true, false};
    case spec::SelectReport::well_known_only: return Selection{false, true};
    case spec::SelectReport::all: return Selection{true, true};
    // There are no conglomerates, so no logical unit is administrative or subsidiary.
    case spec::SelectReport::administrative: return Selection{false, false};
    case spec::SelectReport::administrative_and_simple: return Selection{true, false};
    case spec::SelectReport::subsidiary: return Selection{false, false};
  }
  return std::nullopt;
}

void produce_luns(Command& command, ByteWriter& out) {
  Nexus& nexus = *command.nexus;
  const Selection selection =
      *selection_of(cdb_of(command).as<spec::ReportLunsCdb>().select_report);
  const std::size_t count =
      (selection.numbered ? nexus.luns().size() : 0) + (selection.well_known ? 1 : 0);
  spec::ReportLunsHeader header;
  header.lun_list_length = static_cast<std::uint32_t>(count * sizeof(be64));
  out.write(header);
  if (selection.numbered) {
    nexus.luns().for_each(
        [&](Lun lun, const LogicalUnit&) { out.write(be64(spec::encode_lun(lun))); });
  }
  if (selection.well_known) out.write(be64(spec::encode_lun(spec::WellKnownLun::report_luns)));
  // SAM-5 §5.14: the initiator knows the inventory now, through whichever LUN it asked. But if unit
  // attentions are interlocked, only REQUEST SENSE clears them.
  const bool interlocked =
      command.unit != nullptr && command.unit->state().mode.attentions_interlocked();
  if (!interlocked) nexus.inventory_told();
}

// SPC-5 §6.33: 10h and 11h are for logical unit 0 and the well known one.
bool is_for_whole_target(const Command& command) {
  constexpr std::array<std::uint8_t, 8> kLunZero{};
  return command.to_well_known || command.lun_field == kLunZero;
}

// ---- REPORT SUPPORTED TASK MANAGEMENT FUNCTIONS (SPC-5 §6.36)

// The functions of iSCSI (RFC 7143 §11.5.1, and RFC 7144 §4.1 for sessions of iSCSIProtocolLevel
// 2), except CLEAR ACA, since ACA is not supported.
spec::SupportedTmfData supported_tmfs() {
  spec::SupportedTmfData data;
  data.functions = data.kAbortTask | data.kAbortTaskSet | data.kClearTaskSet |
                   data.kLogicalUnitReset | data.kQueryTask | data.kTargetReset;
  data.functions1 = data.kQueryAsynchronousEvent | data.kQueryTaskSet | data.kITNexusReset;
  return data;
}

void produce_supported_tmfs(Command& command, ByteWriter& out) {
  spec::SupportedTmfData data = supported_tmfs();
  if (!cdb_of(command).as<spec::ReportSupportedTmfCdb>().repd()) {
    out.write_bytes(as_bytes(data).first(data.kBasicBytes));
    return;
  }
  // No timeouts are reported: a function waits for the medium.
  data.additional_data_length = sizeof(data) - data.kBasicBytes;
  out.write(data);
}

}  // namespace

// An open logical unit is ready unless its device cannot be reached. Other errors of its medium are
// reported by the commands that access it.
void execute_test_unit_ready(Command& command) {
  if (command.unit != nullptr && command.unit->front().is_given_up()) {
    set_check_condition(command,
                        spec::Sense::of(spec::SenseKey::not_ready,
                                        spec::AdditionalSense::lu_not_ready_cause_not_reportable));
  }
  end_soon(command);
}

bool decode_request_sense(Command& command) {
  command.allocation_length = cdb_of(command).as<spec::RequestSenseCdb>().allocation_length;
  return true;
}

void execute_request_sense(Command& command) {
  respond<produce_sense, spec::kMaxSenseLength>(command);
}

bool decode_report_luns(Command& command) {
  const auto cdb = cdb_of(command).as<spec::ReportLunsCdb>();
  const auto select = static_cast<spec::SelectReport>(cdb.select_report);
  const bool of_whole_target = select == spec::SelectReport::administrative ||
                               select == spec::SelectReport::administrative_and_simple;
  if (!selection_of(cdb.select_report) || (of_whole_target && !is_for_whole_target(command))) {
    return refuse(command,
                  spec::Sense::invalid_field_in_cdb(offsetof(spec::ReportLunsCdb, select_report)));
  }
  command.allocation_length = cdb.allocation_length;
  return true;
}

void execute_report_luns(Command& command) { respond<produce_luns, kMaxReportLunsBytes>(command); }

bool decode_report_supported_tmfs(Command& command) {
  command.allocation_length = cdb_of(command).as<spec::ReportSupportedTmfCdb>().allocation_length;
  return true;
}

void execute_report_supported_tmfs(Command& command) {
  respond<produce_supported_tmfs, sizeof(spec::SupportedTmfData)>(command);
}

}  // namespace lunar::scsi
