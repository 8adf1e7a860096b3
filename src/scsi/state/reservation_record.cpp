// What of Reservations outlives a power loss: an entry "reservation" with its type, where there is
// one, and an entry a registration, ascending by nexus.
#include <algorithm>

#include "scsi/state/reservations.h"

namespace lunar::scsi {
namespace {

constexpr std::uint32_t kVersion = 1;
constexpr std::string_view kReservation = "reservation";
constexpr std::string_view kRegistration = "registration";

std::optional<Registration> registration_of(const state::Entry& entry) {
  const auto key = entry.number("key");
  const auto holder = entry.flag("holder");
  const auto port = entry.number("port", UINT16_MAX);
  const std::string* target_port = entry.find("target_port");
  const std::string* initiator_port = entry.find("initiator_port");
  if (!key || *key == 0 || !holder || !port) return std::nullopt;
  if (target_port == nullptr || initiator_port == nullptr || initiator_port->empty())
    return std::nullopt;
  return Registration{
      {*initiator_port, *target_port, static_cast<std::uint16_t>(*port)}, *key, *holder};
}

// What perform() keeps true.
bool is_consistent(const Reservations& reservations) {
  const auto& all = reservations.registrations;
  if (all.size() > kMaxRegistrations) return false;
  const auto not_ascending = [](const Registration& a, const Registration& b) {
    return !(a.nexus < b.nexus);
  };
  if (std::ranges::adjacent_find(all, not_ascending) != all.end()) return false;
  const auto holders = std::ranges::count_if(all, &Registration::holder);
  if (!reservations.type) return holders == 0;
  return spec::is_all_registrants(*reservations.type) ? holders == 0 && !all.empty() : holders == 1;
}

}  // namespace

state::Record to_record(const Reservations& reservations) {
  state::Record record{.version = kVersion};
  if (reservations.type) {
    record.add(kReservation).set_number("type", static_cast<std::uint64_t>(*reservations.type));
  }
  for (const Registration& each : reservations.registrations) {
    record.add(kRegistration)
        .set_number("key", each.key)
        .set_number("holder", each.holder ? 1 : 0)
        .set_number("port", each.nexus.relative_target_port_id)
        .set("target_port", each.nexus.target_port)
        .set("initiator_port", each.nexus.initiator_port);
  }
  return record;
}

Result<Reservations> reservations_of(const state::Record& record) {
  const auto malformed = [] {
    return fail(ErrorCode::malformed, "they are not in the form that lunar writes");
  };
  LUNAR_TRY(record.check_version(kVersion));
  Reservations reservations;
  reservations.aptpl = true;  // or it would not have been kept
  if (const state::Entry* entry = record.find(kReservation)) {
    const auto type = entry->number("type", UINT8_MAX);
    if (!type || !spec::is_reservation_type(static_cast<std::uint8_t>(*type))) return malformed();
    reservations.type = static_cast<spec::ReservationType>(*type);
  }
  for (const state::Entry& entry : record.entries) {
    if (entry.name() != kRegistration) continue;
    auto registration = registration_of(entry);
    if (!registration) return malformed();
    reservations.registrations.push_back(std::move(*registration));
  }
  if (!is_consistent(reservations)) return malformed();
  return reservations;
}

}  // namespace lunar::scsi
