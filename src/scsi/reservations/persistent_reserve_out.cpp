// PERSISTENT RESERVE OUT (SPC-5 §6.17): from a parameter list to an access::Request, and from its
// verdict to a status. What it means is in reservations.cpp.
#include <algorithm>
#include <expected>
#include <utility>

#include "scsi/core/completion.h"
#include "scsi/core/logical_unit.h"
#include "scsi/core/nexus.h"
#include "scsi/core/on_each_part.h"
#include "scsi/core/target.h"
#include "scsi/reservations/persistent_reserve_list.h"
#include "scsi/reservations/reservation_change.h"
#include "scsi/reservations/reservation_commands.h"
#include "scsi/reservations/reservation_types.h"
#include "scsi/spec/reservation.h"
#include "scsi/spec/transport_id.h"

namespace lunar::scsi {
namespace {

using access::Registration;
using access::Reservations;
using access::Verdict;
using spec::AdditionalSense;
using spec::PersistentReserveOutCdb;
using spec::PersistentReserveOutList;
using spec::RegisterAndMoveList;
using spec::Sense;
using spec::TransportId;
namespace action = spec::service_action;

// Some 250 TransportIDs of the longest names.
constexpr std::uint32_t kMaxListBytes = 64 * 1024;

// ---- Names to I_T nexuses

// The ports of the target device, among them that of the command.
std::vector<TargetPort> target_ports_of(const Command& command) {
  const std::span<const TargetPort> known = command.nexus->ports().all();
  std::vector<TargetPort> ports(known.begin(), known.end());
  const Nexus& nexus = *command.nexus;
  if (std::ranges::count(ports, nexus.target_port_name(), &TargetPort::name) == 0)
    ports.push_back({nexus.relative_target_port_id(), nexus.target_port_name(), {}});
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
  for (const Registration& each : reservations->registrations) add(each.registrant.name);
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

// Each of the initiator ports at the target port of the command, or at all of them, but not the I_T
// nexus of the command itself.
std::vector<NexusIdentity> nexuses_of(const std::vector<std::string>& initiators,
                                      const Command& command, bool all_target_ports) {
  const NexusIdentity own = identity_of(*command.nexus);
  std::vector<NexusIdentity> nexuses;
  for (const TargetPort& port : target_ports_of(command)) {
    if (!all_target_ports && port.name != own.port) continue;
    for (const std::string& initiator : initiators) {
      NexusIdentity nexus{initiator, port.name, port.number};
      if (nexus != own) nexuses.push_back(std::move(nexus));
    }
  }
  return nexuses;
}

// ---- The operation that is asked for; or the sense data of what it names and is not there

using Asked = std::expected<access::Request, Sense>;

std::unexpected<Sense> not_there(std::size_t byte) {
  return std::unexpected(Sense::invalid_field_in_parameter_list(static_cast<std::uint16_t>(byte)));
}

engine::Task<Asked> register_request(const Command& command, const PersistentReserveList& parsed) {
  access::SetKey set{.premise = parsed.action == action::register_key ? access::Premise::key_or_new
                                                                      : access::Premise::anything,
                     .new_key = parsed.service_action_key,
                     .persistent = parsed.aptpl};
  if (parsed.all_target_ports)
    set.elsewhere = nexuses_of({command.nexus->initiator_port_name()}, command, true);
  if (parsed.spec_i_pt) set.along.emplace();
  for (const TransportId& initiator : parsed.initiators) {
    auto finding = find_ports(command.unit->unit(), initiator);
    const std::vector<std::string> known = co_await finding;
    if (known.empty()) co_return not_there(sizeof(PersistentReserveOutList) + sizeof(be32));
    for (NexusIdentity& nexus : nexuses_of(known, command, parsed.all_target_ports))
      set.along->push_back(std::move(nexus));
  }
  access::Request request{identity_of(*command.nexus), parsed.key, std::move(set)};
  co_return request;
}

Asked move_request(const Command& command, const PersistentReserveList& parsed) {
  const std::vector<TargetPort> ports = target_ports_of(command);
  const auto port = std::ranges::find(ports, parsed.relative_target_port_id, &TargetPort::number);
  if (port == ports.end())
    return not_there(offsetof(RegisterAndMoveList, relative_target_port_identifier));
  access::Move move{.to = {parsed.initiators.front().name, port->name, port->number},
                    .new_key = parsed.service_action_key,
                    .unregister = parsed.unregister,
                    .persistent = parsed.aptpl};
  return access::Request{identity_of(*command.nexus), parsed.key, std::move(move)};
}

access::Request other_request(const Command& command, const PersistentReserveList& parsed) {
  access::Request request{identity_of(*command.nexus), parsed.key, access::Clear{}};
  std::optional<access::ReservationType> type;
  if (parsed.scope == spec::kScopeLogicalUnit) type = reservation_type_of(parsed.type);
  switch (parsed.action) {
    case action::reserve: request.operation = access::Reserve{type}; break;
    case action::release: request.operation = access::Release{type}; break;
    case action::preempt:
    case action::preempt_and_abort:
      request.operation = access::Preempt{parsed.service_action_key, type};
      break;
    default: break;  // CLEAR
  }
  return request;
}

// ---- Answers

// Of all verdicts but ok and conflict.
Sense sense_of(Verdict verdict, const PersistentReserveList& parsed) {
  using List = PersistentReserveOutList;
  switch (verdict) {
    case Verdict::unknown_type:
      return Sense::invalid_field_in_cdb(
          offsetof(PersistentReserveOutCdb, scope_type),
          parsed.scope == spec::kScopeLogicalUnit ? std::uint8_t{3} : std::uint8_t{7});
    case Verdict::other_type:
      return Sense::illegal_request(AdditionalSense::invalid_release_of_persistent_reservation);
    case Verdict::zero_key:
      return Sense::invalid_field_in_parameter_list(offsetof(List, service_action_reservation_key));
    case Verdict::not_new:
      return Sense::invalid_field_in_parameter_list(offsetof(List, flags), kSpecIPtBit);
    case Verdict::other_registered:
    case Verdict::to_itself:  // the first byte behind the head, in both lists
      return Sense::invalid_field_in_parameter_list(sizeof(List));
    case Verdict::no_room:  // SPC-5 §5.14.7: also of the durable store
    case Verdict::ok:
    case Verdict::conflict: break;
  }
  return Sense::illegal_request(AdditionalSense::insufficient_registration_resources);
}

void answer(Command& command, Verdict verdict, const PersistentReserveList& parsed) {
  if (verdict == Verdict::ok) return;
  if (verdict == Verdict::conflict) {
    command.status_code = spec::Status::reservation_conflict;
    return;
  }
  set_check_condition(command, sense_of(verdict, parsed));
}

engine::Task<Asked> request_of(const Command& command, const PersistentReserveList& parsed) {
  if (registers(parsed.action)) {
    auto registering = register_request(command, parsed);
    Asked asked = co_await registering;
    co_return asked;
  }
  if (parsed.action == action::register_and_move) co_return move_request(command, parsed);
  co_return other_request(command, parsed);
}

engine::Task<void> run(Command& command) {
  const auto parsed = parse_persistent_reserve_list(command);
  if (!parsed) {
    set_check_condition(command, parsed.error());
    co_return;
  }
  auto resolving = request_of(command, *parsed);
  const Asked asked = co_await resolving;
  if (!asked) {
    set_check_condition(command, asked.error());
    co_return;
  }
  if (command.aborted) co_return;
  LogicalUnit& unit = command.unit->unit();
  ReservationChange change(unit, *asked);
  co_await unit.change(change);
  const access::Outcome& outcome = change.outcome();
  if (parsed->action == action::preempt_and_abort && !outcome.preempted.empty())
    co_await abort_commands_of(unit, outcome.preempted, command);
  answer(command, outcome.verdict, *parsed);
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
