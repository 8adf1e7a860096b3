// TYPE of a persistent reservation (SPC-5 table 203), and what access calls it.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>

#include "access/reservations.h"
#include "scsi/spec/reservation.h"

namespace lunar::scsi {

constexpr std::pair<spec::ReservationType, access::ReservationType> kReservationTypes[] = {
    {spec::ReservationType::write_exclusive, access::ReservationType::write_exclusive},
    {spec::ReservationType::exclusive_access, access::ReservationType::exclusive_access},
    {spec::ReservationType::write_exclusive_registrants_only,
     access::ReservationType::write_exclusive_registrants_only},
    {spec::ReservationType::exclusive_access_registrants_only,
     access::ReservationType::exclusive_access_registrants_only},
    {spec::ReservationType::write_exclusive_all_registrants,
     access::ReservationType::write_exclusive_all_registrants},
    {spec::ReservationType::exclusive_access_all_registrants,
     access::ReservationType::exclusive_access_all_registrants},
};

// Nothing: there is no such type.
[[nodiscard]] constexpr std::optional<access::ReservationType> reservation_type_of(
    std::uint8_t code) {
  for (const auto& [wire, type] : kReservationTypes) {
    if (static_cast<std::uint8_t>(wire) == code) return type;
  }
  return std::nullopt;
}

[[nodiscard]] constexpr std::uint8_t wire_code(access::ReservationType wanted) {
  for (const auto& [wire, type] : kReservationTypes) {
    if (type == wanted) return static_cast<std::uint8_t>(wire);
  }
  return 0;
}

}  // namespace lunar::scsi
