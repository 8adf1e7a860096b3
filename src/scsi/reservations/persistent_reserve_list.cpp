#include "scsi/reservations/persistent_reserve_list.h"

#include <optional>
#include <utility>

#include "scsi/core/command_description.h"
#include "scsi/core/completion.h"
#include "scsi/core/logical_unit.h"
#include "scsi/spec/reservation.h"

namespace lunar::scsi {
namespace {

using spec::AdditionalSense;
using spec::PersistentReserveOutCdb;
using spec::PersistentReserveOutList;
using spec::RegisterAndMoveList;
using spec::Sense;
namespace action = spec::service_action;
using Parsed = std::expected<PersistentReserveList, Sense>;

std::unexpected<Sense> list_length_error() {
  return std::unexpected(Sense::illegal_request(AdditionalSense::parameter_list_length_error));
}
std::unexpected<Sense> invalid(std::size_t byte, std::optional<std::uint8_t> bit = std::nullopt) {
  return std::unexpected(
      Sense::invalid_field_in_parameter_list(static_cast<std::uint16_t>(byte), bit));
}

// The TransportIDs behind the basic list, with their length before them (SPC-5 table 227).
Parsed parse_initiators(PersistentReserveList parsed, Bytes list) {
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

Parsed parse_basic(PersistentReserveList parsed, Bytes list, bool can_persist) {
  using List = PersistentReserveOutList;
  const List head = *load<List>(list);
  constexpr std::size_t kFlags = offsetof(List, flags);
  parsed.key = head.reservation_key;
  parsed.service_action_key = head.service_action_reservation_key;
  parsed.spec_i_pt = (head.flags & List::kSpecIPt) != 0;
  if (parsed.spec_i_pt && parsed.action != action::register_key)
    return invalid(kFlags, kSpecIPtBit);
  if (registers(parsed.action)) {
    parsed.aptpl = (head.flags & List::kAptpl) != 0;
    parsed.all_target_ports = (head.flags & List::kAllTgPt) != 0;
    if (parsed.aptpl && !can_persist) return invalid(kFlags, std::uint8_t{0});
  }
  if (parsed.spec_i_pt) return parse_initiators(std::move(parsed), list);
  if (list.size() != sizeof(List)) return list_length_error();
  return parsed;
}

Parsed parse_move(PersistentReserveList parsed, Bytes list, bool can_persist) {
  using List = RegisterAndMoveList;
  const List head = *load<List>(list);
  parsed.key = head.reservation_key;
  parsed.service_action_key = head.service_action_reservation_key;
  parsed.unregister = (head.flags & List::kUnreg) != 0;
  parsed.aptpl = (head.flags & List::kAptpl) != 0;
  if (parsed.aptpl && !can_persist) return invalid(offsetof(List, flags), std::uint8_t{0});
  parsed.relative_target_port_id = head.relative_target_port_identifier;
  if (head.transport_id_length != list.size() - sizeof(List)) return list_length_error();
  auto initiator = spec::parse_transport_id(list.subspan(sizeof(List)));
  // One port, not all of a device.
  if (!initiator || !initiator->id.is_port || sizeof(List) + initiator->bytes != list.size())
    return invalid(sizeof(List));
  parsed.initiators.push_back(std::move(initiator->id));
  return parsed;
}

}  // namespace

bool registers(spec::ServiceActionCode code) {
  return code == action::register_key || code == action::register_and_ignore_existing_key;
}

std::expected<PersistentReserveList, Sense> parse_persistent_reserve_list(const Command& command) {
  const auto cdb = cdb_of(command).as<PersistentReserveOutCdb>();
  if (command.data_out.size() != command.data_out_bytes) return list_length_error();
  PersistentReserveList parsed;
  parsed.action = command.description->service_action;
  parsed.scope = cdb.scope();
  parsed.type = cdb.type();
  const bool can_persist = command.unit->unit().options().store != nullptr;
  const bool moves = parsed.action == action::register_and_move;
  return moves ? parse_move(std::move(parsed), command.data_out, can_persist)
               : parse_basic(std::move(parsed), command.data_out, can_persist);
}

}  // namespace lunar::scsi
