#include "scsi/target/supported_opcodes.h"

#include <algorithm>
#include <array>

#include "scsi/core/logical_unit.h"
#include "scsi/core/parameter_data.h"
#include "scsi/spec/cdb_structs.h"
#include "scsi/spec/rsoc.h"
#include "scsi/target/command_table.h"

namespace lunar::scsi {
namespace {

using spec::CommandSupport;
using spec::ReportingOptions;
using spec::ReportSupportedOperationCodesCdb;

constexpr std::size_t kMaxBytes = 16 * kKiB;  // twenty bytes per row, fewer than 256 rows
constexpr std::uint8_t kServiceActionMask = 0x1f;

void write_timeouts(ByteWriter& out, const CommandDescription& row) {
  spec::CommandTimeoutsDescriptor timeouts;
  timeouts.recommended_command_timeout_s = row.recommended_timeout_s;
  out.write(timeouts);
}

void write_all(const Command& command, bool rctd, ByteWriter& out) {
  const auto offered = [&](const CommandDescription& row) { return offers(command, row); };
  const std::size_t each =
      sizeof(spec::CommandDescriptor) + (rctd ? sizeof(spec::CommandTimeoutsDescriptor) : 0);
  const auto count = static_cast<std::size_t>(std::ranges::count_if(all_commands(), offered));
  spec::AllCommandsHeader header;
  header.command_data_length = static_cast<std::uint32_t>(count * each);
  out.write(header);
  for (const CommandDescription& row : all_commands()) {
    if (!offered(row)) continue;
    spec::CommandDescriptor descriptor;
    descriptor.operation_code = static_cast<std::uint8_t>(row.opcode);
    descriptor.flags = descriptor.kMluThisOne;
    if (row.is(kWithServiceAction)) {
      descriptor.service_action = row.service_action;
      descriptor.flags |= descriptor.kServactv;
    }
    if (rctd) descriptor.flags |= descriptor.kCtdp;
    descriptor.cdb_length = row.cdb_length;
    out.write(descriptor);
    if (rctd) write_timeouts(out, row);
  }
}

void write_usage(ByteWriter& out, const CommandDescription& row) {
  std::array<std::uint8_t, kMaxCdbBytes> usage = row.usage;
  if (row.is(kWithServiceAction)) {
    // SPC-5 §6.35.3: the usage map contains the service action itself.
    if (row.opcode == spec::Opcode::variable_length_cdb) {
      usage[8] = static_cast<std::uint8_t>(row.service_action >> 8);
      usage[9] = static_cast<std::uint8_t>(row.service_action);
    } else {
      usage[1] = static_cast<std::uint8_t>((usage[1] & ~kServiceActionMask) | row.service_action);
    }
  }
  out.write_bytes(std::as_bytes(std::span(usage).first(row.cdb_length)));
}

// `row`: null for an unsupported command.
void write_one(const CommandDescription* row, bool rctd, ByteWriter& out) {
  spec::OneCommandHeader header;
  if (row == nullptr) {
    header.support = static_cast<std::uint8_t>(CommandSupport::not_supported);
    out.write(header);
    return;
  }
  header.support = static_cast<std::uint8_t>(CommandSupport::per_standard) | header.kMluThisOne;
  if (rctd) header.support |= header.kCtdp;
  header.cdb_size = row->cdb_length;
  out.write(header);
  write_usage(out, *row);
  if (rctd) write_timeouts(out, *row);
}

const CommandDescription* find_row(const Command& command,
                                   const ReportSupportedOperationCodesCdb& cdb) {
  for (const CommandDescription& row :
       commands_of(static_cast<spec::Opcode>(cdb.requested_operation_code))) {
    const bool wanted =
        !row.is(kWithServiceAction) || row.service_action == cdb.requested_service_action;
    if (wanted && offers(command, row)) return row_for(&row, *command.unit);
  }
  return nullptr;
}

void produce(Command& command, ByteWriter& out) {
  const auto cdb = cdb_of(command).as<ReportSupportedOperationCodesCdb>();
  if (static_cast<ReportingOptions>(cdb.reporting_options()) == ReportingOptions::all_commands) {
    write_all(command, cdb.rctd(), out);
  } else {
    write_one(find_row(command, cdb), cdb.rctd(), out);
  }
}

bool refuse_option(Command& command) {
  constexpr std::uint8_t kMostSignificantBit = 2;
  return refuse(command,
                spec::Sense::invalid_field_in_cdb(
                    offsetof(ReportSupportedOperationCodesCdb, options), kMostSignificantBit));
}

bool refuse_opcode(Command& command) {
  return refuse(command, spec::Sense::invalid_field_in_cdb(
                             offsetof(ReportSupportedOperationCodesCdb, requested_operation_code)));
}

}  // namespace

bool decode_report_supported_operation_codes(Command& command) {
  const auto cdb = cdb_of(command).as<ReportSupportedOperationCodesCdb>();
  command.allocation_length = cdb.allocation_length;
  constexpr auto kLastOption = static_cast<std::uint8_t>(ReportingOptions::one_command_either_way);
  if (cdb.reporting_options() > kLastOption) return refuse_option(command);
  const auto rows = commands_of(static_cast<spec::Opcode>(cdb.requested_operation_code));
  const bool with_service_actions = !rows.empty() && rows.front().is(kWithServiceAction);
  switch (static_cast<ReportingOptions>(cdb.reporting_options())) {
    case ReportingOptions::all_commands: return true;
    case ReportingOptions::one_operation_code:
      return !with_service_actions || refuse_opcode(command);
    case ReportingOptions::one_service_action:
      return rows.empty() || with_service_actions || refuse_opcode(command);
    case ReportingOptions::one_command_either_way:
      // SPC-5 table 253: a service action with an operation code that has none is unsupported.
      return true;
  }
  return true;
}

void execute_report_supported_operation_codes(Command& command) {
  respond<produce, kMaxBytes>(command);
}

}  // namespace lunar::scsi
