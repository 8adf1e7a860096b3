// Rows of the command table: reservations (SPC-5 §6.16, §6.17; SPC-2 §7.16–7.19, §7.21, §7.22).
//
// PERSISTENT RESERVE OUT and RELEASE wait for one another, not for the medium, and the first waits
// for commands that it aborts: off the medium, so that two of them never wait for each other.
#pragma once

#include "scsi/core/rows.h"
#include "scsi/reservations/reservation_commands.h"

namespace lunar::scsi {
namespace rows {

// Persistent reservations do not mind each other here: keys decide (SPC-5 table 64).
constexpr Restrictions kReservesPersistently =
    kReservedAtAll | kPathUnavailable | kPathInTransition;
// What is there already decides, when the command runs.
constexpr Restrictions kReserves = kAnyPathState;

constexpr Usage kReserveIn = {0, kAction, 0, 0, 0, 0, 0, kFull, kFull};
constexpr Usage kReserveOut = {0, kAction, kFull, 0, 0, kFull, kFull, kFull, kFull};

constexpr CommandDescription reserve_in(spec::ServiceActionCode code, void (*execute)(Command&)) {
  return row({Opcode::persistent_reserve_in, code, kWithServiceAction, kReservesPersistently, kIn,
              kQuick, kReserveIn, decode_persistent_reserve_in, execute});
}
constexpr CommandDescription reserve_out(spec::ServiceActionCode code) {
  return row({Opcode::persistent_reserve_out, code, kWithServiceAction | kOffMedium,
              kReservesPersistently, kOut, kMedium, kReserveOut, decode_persistent_reserve_out,
              execute_persistent_reserve_out});
}

constexpr auto kReservationRows = std::to_array<CommandDescription>({
    // clang-format off
    reserve_in(action::read_keys, execute_read_keys),
    reserve_in(action::read_reservation, execute_read_reservation),
    reserve_in(action::report_capabilities, execute_report_capabilities),
    reserve_in(action::read_full_status, execute_read_full_status),
    reserve_out(action::register_key),
    reserve_out(action::reserve),
    reserve_out(action::release),
    reserve_out(action::clear),
    reserve_out(action::preempt),
    reserve_out(action::preempt_and_abort),
    reserve_out(action::register_and_ignore_existing_key),
    reserve_out(action::register_and_move),
    row({Opcode::reserve_6, 0, kOffMedium, kReserves, kNone, kQuick, {}, decode_nothing, execute_reserve}),
    row({Opcode::release_6, 0, kOffMedium, kReserves, kNone, kQuick, {}, decode_nothing, execute_release}),
    row({Opcode::reserve_10, 0, kOffMedium, kReserves, kNone, kQuick, {}, decode_nothing, execute_reserve}),
    row({Opcode::release_10, 0, kOffMedium, kReserves, kNone, kQuick, {}, decode_nothing, execute_release}),
    // clang-format on
});

}  // namespace rows
using rows::kReservationRows;

}  // namespace lunar::scsi
