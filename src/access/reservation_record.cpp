// What of Reservations outlives a power loss: an entry "reservation" with its type, where there is
// one, and an entry a registration, ascending by registrant. Version 1 knows registrants at a port
// only, version 2 also those at every port.
#include <algorithm>

#include "access/reservations.h"

namespace lunar::access {
namespace {

constexpr std::uint32_t kAtPorts = 1;
constexpr std::uint32_t kNewest = 2;
constexpr std::string_view kReservation = "reservation";
constexpr std::string_view kRegistration = "registration";

constexpr bool is_reservation_type(std::uint64_t value) {
  return value == 1 || value == 3 || (value >= 5 && value <= 8);
}

std::optional<Registrant> registrant_of(const state::Entry& entry) {
  if (const std::string* host = entry.find("host")) {
    if (host->empty()) return std::nullopt;
    return Registrant{*host, {}, 0};
  }
  const auto port_number = entry.number("port", UINT16_MAX);
  const std::string* port = entry.find("target_port");
  const std::string* name = entry.find("initiator_port");
  if (!port_number || port == nullptr || name == nullptr || name->empty()) return std::nullopt;
  return Registrant{*name, *port, static_cast<std::uint16_t>(*port_number)};
}

std::optional<Registration> registration_of(const state::Entry& entry) {
  const auto key = entry.number("key");
  const auto holder = entry.flag("holder");
  auto registrant = registrant_of(entry);
  if (!key || *key == 0 || !holder || !registrant) return std::nullopt;
  return Registration{std::move(*registrant), *key, *holder};
}

// What perform() keeps true.
bool is_consistent(const Reservations& reservations) {
  const auto& all = reservations.registrations;
  if (all.size() > kMaxRegistrations) return false;
  const auto not_ascending = [](const Registration& a, const Registration& b) {
    return !(a.registrant < b.registrant);
  };
  if (std::ranges::adjacent_find(all, not_ascending) != all.end()) return false;
  const auto holders = std::ranges::count_if(all, &Registration::holder);
  if (!reservations.type) return holders == 0;
  return is_all_registrants(*reservations.type) ? holders == 0 && !all.empty() : holders == 1;
}

}  // namespace

std::optional<state::Record> to_record(const Reservations& reservations) {
  if (!reservations.persistent || reservations.registrations.empty()) return std::nullopt;
  state::Record record{.version = kAtPorts};
  if (reservations.type) {
    record.add(kReservation).set_number("type", static_cast<std::uint64_t>(*reservations.type));
  }
  for (const Registration& each : reservations.registrations) {
    state::Entry& entry = record.add(kRegistration);
    entry.set_number("key", each.key).set_number("holder", each.holder ? 1 : 0);
    if (each.registrant.is_at_every_port()) {
      record.version = kNewest;
      entry.set("host", each.registrant.name);
      continue;
    }
    entry.set_number("port", each.registrant.port_number)
        .set("target_port", each.registrant.port)
        .set("initiator_port", each.registrant.name);
  }
  return record;
}

Result<Reservations> reservations_of(const state::Record& record) {
  const auto malformed = [] {
    return fail(ErrorCode::malformed, "they are not in the form that lunar writes");
  };
  LUNAR_TRY(record.check_version(kNewest));
  Reservations reservations;
  reservations.persistent = true;  // or it would not have been kept
  if (const state::Entry* entry = record.find(kReservation)) {
    const auto type = entry->number("type");
    if (!type || !is_reservation_type(*type)) return malformed();
    reservations.type = static_cast<ReservationType>(*type);
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

}  // namespace lunar::access
