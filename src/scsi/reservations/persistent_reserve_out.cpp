// PERSISTENT RESERVE OUT (SPC-5 §6.17): from a parameter list to a ReservationRequest, and what
// follows from it. What it means is in reservations.cpp.
#include <algorithm>
#include <expected>
#include <utility>

#include "scsi/core/command_description.h"
#include "scsi/core/completion.h"
#include "scsi/core/logical_unit.h"
#include "scsi/core/nexus.h"
#include "scsi/core/on_each_part.h"
#include "scsi/core/target.h"
#include "scsi/reservations/reservation_change.h"
#include "scsi/reservations/reservation_commands.h"
#include "scsi/spec/reservation.h"
#include "scsi/spec/transport_id.h"

namespace lunar::scsi {
namespace {

using spec::AdditionalSense;
using spec::PersistentReserveOutCdb;
using spec::PersistentReserveOutList;
using spec::RegisterAndMoveList;
using spec::Sense;
using spec::TransportId;
namespace action = spec::service_action;

// Some 250 TransportIDs of the longest names.
constexpr std::uint32_t kMaxListBytes = 64 * 1024;

// A parameter list as it stands there.
struct ParsedList {
  ReservationRequest request;
  bool all_target_ports = false;
  std::vector<TransportId> initiators;  // of SPEC_I_PT, or the one of REGISTER AND MOVE
  std::uint16_t relative_target_port_id = 0;
};
using Parsed = std::expected<ParsedList, Sense>;

std::unexpected<Sense> list_length_error() {
  return std::unexpected(Sense::illegal_request(AdditionalSense::parameter_list_length_error));
}
std::unexpected<Sense> invalid(std::size_t byte, std::optional<std::uint8_t> bit = std::nullopt) {
  return std::unexpected(
      Sense::invalid_field_in_parameter_list(static_cast<std::uint16_t>(byte), bit));
}

bool registers(spec::ServiceActionCode code) {
  return code == action::register_key || code == action::register_and_ignore_existing_key;
}

// The TransportIDs behind the basic list, with their length before them (SPC-5 table 227).
Parsed parse_initiators(ParsedList parsed, Bytes list) {
  std::size_t at = sizeof(PersistentReserveOutList);
  const auto length = load<be32>(list.subspan(at));
  if (!length) return list_length_error();
  at += sizeof(be32);
  if (*length != list.size() - at) return list_length_error();
  while (at != list.size()) {
    auto next = spec::parse_transport_id(list.subspan(at));
    if (!next) return invalid(at);
    parsed.initiators.push_back(std::move(next->id));
    at += next->bytes;
  }
  return parsed;
}

Parsed parse_basic(ParsedList parsed, Bytes list, bool can_persist) {
  using List = PersistentReserveOutList;
  const List head = *load<List>(list);
  constexpr std::size_t kFlags = offsetof(List, flags);
  ReservationRequest& request = parsed.request;
  request.key = head.reservation_key;
  request.service_action_key = head.service_action_reservation_key;
  request.spec_i_pt = (head.flags & List::kSpecIPt) != 0;
  if (request.spec_i_pt && request.action != action::register_key)
    return invalid(kFlags, std::uint8_t{3});
  if (registers(request.action)) {
    request.aptpl = (head.flags & List::kAptpl) != 0;
    parsed.all_target_ports = (head.flags & List::kAllTgPt) != 0;
    if (request.aptpl && !can_persist) return invalid(kFlags, std::uint8_t{0});
  }
  if (request.spec_i_pt) return parse_initiators(std::move(parsed), list);
  if (list.size() != sizeof(List)) return list_length_error();
  return parsed;
}

Parsed parse_move(ParsedList parsed, Bytes list, bool can_persist) {
  using List = RegisterAndMoveList;
  const List head = *load<List>(list);
  ReservationRequest& request = parsed.request;
  request.key = head.reservation_key;
  request.service_action_key = head.service_action_reservation_key;
  request.unregister = (head.flags & List::kUnreg) != 0;
  request.aptpl = (head.flags & List::kAptpl) != 0;
  if (request.aptpl && !can_persist) return invalid(offsetof(List, flags), std::uint8_t{0});
  parsed.relative_target_port_id = head.relative_target_port_identifier;
  if (head.transport_id_length != list.size() - sizeof(List)) return list_length_error();
  auto initiator = spec::parse_transport_id(list.subspan(sizeof(List)));
  // One port, not all of a device.
  if (!initiator || !initiator->id.is_port || sizeof(List) + initiator->bytes != list.size())
    return invalid(sizeof(List));
  parsed.initiators.push_back(std::move(initiator->id));
  return parsed;
}

Parsed parse(const Command& command) {
  const auto cdb = cdb_of(command).as<PersistentReserveOutCdb>();
  if (command.data_out.size() != command.data_out_bytes) return list_length_error();
  ParsedList parsed;
  parsed.request.action = command.description->service_action;
  parsed.request.scope = cdb.scope();
  parsed.request.type = cdb.type();
  parsed.request.nexus = identity_of(*command.nexus);
  const bool can_persist = command.unit->unit().options().store != nullptr;
  const bool moves = parsed.request.action == action::register_and_move;
  return moves ? parse_move(std::move(parsed), command.data_out, can_persist)
               : parse_basic(std::move(parsed), command.data_out, can_persist);
}

// ---- Names to I_T nexuses

// The ports of the target device, among them that of the command.
std::vector<TargetPort> target_ports_of(const Command& command) {
  const std::span<const TargetPort> known = command.nexus->target()->ports().all();
  std::vector<TargetPort> ports(known.begin(), known.end());
  const Nexus& nexus = *command.nexus;
  if (std::ranges::count(ports, nexus.target_port_name(), &TargetPort::name) == 0)
    ports.push_back({0, nexus.relative_target_port_id(), nexus.target_port_name(), {}});
  return ports;
}

// The initiator ports of a device that the logical unit knows: those that have a session with it,
// and those that have had one when they were registered (SPC-5 §7.6.4.6).
void add_known_ports(LogicalUnitShard& part, const std::string& device,
                     std::vector<std::string>& ports) {
  const auto add = [&](const std::string& port) {
    if (spec::device_name_of_port(port) == device) ports.push_back(port);
  };
  for (const ItlNexus& itl : part.nexuses()) add(itl.nexus.initiator_port_name());
  const Reservations* reservations = part.state().reservations.get();
  if (reservations == nullptr) return;
  for (const Registration& each : reservations->registrations) add(each.nexus.initiator_port);
}

engine::Task<std::vector<std::string>> find_ports(LogicalUnit& unit, TransportId initiator) {
  std::vector<std::string> ports;
  if (initiator.is_port) {
    ports.push_back(std::move(initiator.name));
    co_return ports;
  }
  auto look = [&initiator, &ports](LogicalUnitShard& part) {
    add_known_ports(part, initiator.name, ports);
  };
  co_await for_each_part(unit, look);
  co_return ports;
}

// Fills in the nexuses that the parameter list means. Gives the sense data of what it names and is
// not there.
engine::Task<std::optional<Sense>> resolve(const Command& command, ParsedList& parsed) {
  ReservationRequest& request = parsed.request;
  const std::vector<TargetPort> ports = target_ports_of(command);
  const NexusIdentity& own = request.nexus;
  if (request.action == action::register_and_move) {
    const auto port = std::ranges::find(ports, parsed.relative_target_port_id, &TargetPort::number);
    if (port == ports.end()) {
      co_return Sense::invalid_field_in_parameter_list(
          offsetof(RegisterAndMoveList, relative_target_port_identifier));
    }
    request.move_to = {parsed.initiators.front().name, port->name, port->number};
    co_return std::nullopt;
  }
  const auto at_ports = [&](const std::string& initiator, std::vector<NexusIdentity>& nexuses) {
    for (const TargetPort& port : ports) {
      NexusIdentity nexus{initiator, port.name, port.number};
      if ((parsed.all_target_ports || port.name == own.target_port) && nexus != own)
        nexuses.push_back(std::move(nexus));
    }
  };
  if (parsed.all_target_ports) at_ports(own.initiator_port, request.other_ports);
  for (const TransportId& initiator : parsed.initiators) {
    auto finding = find_ports(command.unit->unit(), initiator);
    const std::vector<std::string> known = co_await finding;
    if (known.empty()) {
      co_return Sense::invalid_field_in_parameter_list(sizeof(PersistentReserveOutList) +
                                                       sizeof(be32));
    }
    for (const std::string& port : known) at_ports(port, request.specified);
  }
  co_return std::nullopt;
}

engine::Task<void> run(Command& command) {
  auto parsed = parse(command);
  if (!parsed) {
    set_check_condition(command, parsed.error());
    co_return;
  }
  auto resolving = resolve(command, *parsed);
  const std::optional<Sense> missing = co_await resolving;
  if (missing) {
    set_check_condition(command, *missing);
    co_return;
  }
  if (command.aborted) co_return;
  LogicalUnit& unit = command.unit->unit();
  ReservationChange change(unit, parsed->request);
  co_await unit.change(change);
  const ReservationOutcome& outcome = change.outcome();
  if (!outcome.preempted.empty()) co_await abort_commands_of(unit, outcome.preempted, command);
  if (outcome.status == spec::Status::check_condition) {
    set_check_condition(command, outcome.sense);
  } else {
    command.status_code = outcome.status;
  }
}

}  // namespace

bool decode_persistent_reserve_out(Command& command) {
  const auto cdb = cdb_of(command).as<PersistentReserveOutCdb>();
  const std::uint32_t length = cdb.parameter_list_length;
  if (length < sizeof(PersistentReserveOutList) || length > kMaxListBytes)
    return refuse(command, Sense::illegal_request(AdditionalSense::parameter_list_length_error));
  command.data_out_bytes = length;
  return true;
}

void execute_persistent_reserve_out(Command& command) { run_sequence(command, run); }

}  // namespace lunar::scsi
