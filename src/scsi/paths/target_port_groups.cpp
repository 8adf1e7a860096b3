// REPORT TARGET PORT GROUPS and SET TARGET PORT GROUPS (SPC-5 §6.37, §6.45).
//
// They tell of the groups of the target that was asked: another target that reaches the same
// logical unit has groups of its own, with other numbers.
#include <optional>
#include <vector>

#include "scsi/core/logical_unit.h"
#include "scsi/core/nexus.h"
#include "scsi/core/parameter_data.h"
#include "scsi/core/target.h"
#include "scsi/paths/access_commands.h"
#include "scsi/paths/access_state_change.h"
#include "scsi/spec/cdb_structs.h"
#include "scsi/spec/target_port_groups.h"

namespace lunar::scsi {
namespace {

using access::PathState;
using spec::AccessState;
using spec::AccessStatus;
using spec::AdditionalSense;
using spec::Sense;
using Descriptor = spec::TargetPortGroupDescriptor;

constexpr std::size_t kPortGroupBytes = sizeof(Descriptor) + sizeof(spec::TargetPortDescriptor);
constexpr std::size_t kMaxReportBytes =
    sizeof(spec::ExtendedTargetPortGroupsHeader) + kMaxTargetPorts * kPortGroupBytes;
// Each group of a target once.
constexpr std::size_t kMaxListBytes = spec::kSetTargetPortGroupsHeaderLength +
                                      kMaxTargetPorts * sizeof(spec::SetTargetPortGroupDescriptor);

const TargetPorts& ports_of(const Command& command) { return command.nexus->ports(); }

// ---- The words of access, and those of the wire

constexpr AccessState wire_state(PathState state) {
  switch (state) {
    case PathState::optimized: return AccessState::active_optimized;
    case PathState::non_optimized: return AccessState::active_non_optimized;
    case PathState::standby: return AccessState::standby;
    case PathState::unavailable: return AccessState::unavailable;
    case PathState::changing: break;
  }
  return AccessState::transitioning;
}
constexpr AccessStatus wire_status(access::StateSetBy set_by) {
  switch (set_by) {
    case access::StateSetBy::host: return AccessStatus::set_by_command;
    case access::StateSetBy::management: return AccessStatus::set_implicitly;
    case access::StateSetBy::nobody: break;
  }
  return AccessStatus::not_available;
}
// What SET TARGET PORT GROUPS may ask for: transitions are the target's own business.
constexpr PathState kSettable[] = {PathState::optimized, PathState::non_optimized,
                                   PathState::standby, PathState::unavailable};
std::optional<PathState> settable_state(std::uint8_t code) {
  for (const PathState state : kSettable) {
    if (static_cast<std::uint8_t>(wire_state(state)) == code) return state;
  }
  return std::nullopt;
}

// ---- REPORT TARGET PORT GROUPS

void write_group(ByteWriter& out, const access::GroupAccess& shown) {
  Descriptor group;
  group.state = static_cast<std::uint8_t>(wire_state(shown.state));
  if (shown.preferred) group.state |= Descriptor::kPref;
  group.supported_states = Descriptor::kTransitioning | Descriptor::kUnavailable |
                           Descriptor::kStandby | Descriptor::kActiveNonOptimized |
                           Descriptor::kActiveOptimized;
  group.target_port_group = shown.group;
  group.status_code = static_cast<std::uint8_t>(wire_status(shown.set_by));
  group.target_port_count = 1;
  out.write(group);
  spec::TargetPortDescriptor port;
  port.relative_target_port_identifier = shown.group;
  out.write(port);
}

void produce_groups(Command& command, ByteWriter& out) {
  const auto cdb = cdb_of(command).as<spec::ReportTargetPortGroupsCdb>();
  const auto ports = ports_of(command).all();
  const std::size_t bytes = ports.size() * kPortGroupBytes;
  if (cdb.parameter_data_format() == cdb.kExtended) {
    spec::ExtendedTargetPortGroupsHeader header;
    header.return_data_length =
        static_cast<std::uint32_t>(sizeof(header) - sizeof(header.return_data_length) + bytes);
    out.write(header);
  } else {
    out.write(spec::TargetPortGroupsHeader{static_cast<std::uint32_t>(bytes)});
  }
  const access::PathStates& states = command.unit->state().paths;
  for (const TargetPort& port : ports) write_group(out, states.of(port.initial_access()));
}

// ---- SET TARGET PORT GROUPS

// What the parameter list asks for; false, with the sense set, when something of it cannot be: then
// nothing is changed.
bool parse_list(Command& command, std::vector<AccessStateChange::Wanted>& wanted) {
  using Entry = spec::SetTargetPortGroupDescriptor;
  const Bytes list = command.data_out;
  const std::size_t header = spec::kSetTargetPortGroupsHeaderLength;
  if (list.size() < command.data_out_bytes)
    return refuse(command, Sense::illegal_request(AdditionalSense::parameter_list_length_error));
  for (std::size_t at = header; at < list.size(); at += sizeof(Entry)) {
    const auto entry = *load<Entry>(list.subspan(at));
    const auto byte = static_cast<std::uint16_t>(at);
    const auto state = settable_state(entry.state);  // with its reserved bits
    if (!state)
      return refuse(command, Sense::invalid_field_in_parameter_list(byte, std::uint8_t{3}));
    const TargetPort* port = ports_of(command).find(entry.target_port_group);
    if (port == nullptr || !port->group.explicit_changes) {
      return refuse(command, Sense::invalid_field_in_parameter_list(static_cast<std::uint16_t>(
                                 byte + offsetof(Entry, target_port_group))));
    }
    wanted.push_back({*port, *state, {}});
  }
  return true;
}

engine::Task<void> set_groups(Command& command) {
  std::vector<AccessStateChange::Wanted> wanted;
  if (!parse_list(command, wanted)) co_return;
  AccessStateChange change(wanted, command.nexus);
  co_await command.unit->unit().change(change);
}

}  // namespace

bool decode_report_target_port_groups(Command& command) {
  const auto cdb = cdb_of(command).as<spec::ReportTargetPortGroupsCdb>();
  if (cdb.parameter_data_format() > cdb.kExtended)
    return refuse(command, Sense::invalid_field_in_cdb(1, std::uint8_t{7}));
  command.allocation_length = cdb.allocation_length;
  return true;
}

void execute_report_target_port_groups(Command& command) {
  respond<produce_groups, kMaxReportBytes>(command);
}

bool decode_set_target_port_groups(Command& command) {
  const std::uint32_t length =
      cdb_of(command).as<spec::SetTargetPortGroupsCdb>().parameter_list_length;
  if (length == 0) {
    // SPC-5 §6.45: no data and no change, which is not an error.
    command.direction = DataDirection::none;
    return true;
  }
  const std::size_t header = spec::kSetTargetPortGroupsHeaderLength;
  if (length < header || length > kMaxListBytes ||
      (length - header) % sizeof(spec::SetTargetPortGroupDescriptor) != 0) {
    return refuse(command, Sense::illegal_request(AdditionalSense::parameter_list_length_error));
  }
  command.data_out_bytes = length;
  return true;
}

void execute_set_target_port_groups(Command& command) { run_sequence(command, set_groups); }

}  // namespace lunar::scsi
