// SCSI status codes (SAM-5 §5.3).
#pragma once

#include <cstdint>
#include <string_view>

namespace lunar::scsi::spec {

enum class Status : std::uint8_t {
  good = 0x00,
  check_condition = 0x02,  // with sense data
  condition_met = 0x04,    // PRE-FETCH: the blocks fit into the cache
  busy = 0x08,
  reservation_conflict = 0x18,
  task_set_full = 0x28,
  aca_active = 0x30,
  task_aborted = 0x40,
};

// The standard's text. "RESERVED STATUS" for other values.
[[nodiscard]] constexpr std::string_view to_text(Status status) {
  switch (status) {
    case Status::good: return "GOOD";
    case Status::check_condition: return "CHECK CONDITION";
    case Status::condition_met: return "CONDITION MET";
    case Status::busy: return "BUSY";
    case Status::reservation_conflict: return "RESERVATION CONFLICT";
    case Status::task_set_full: return "TASK SET FULL";
    case Status::aca_active: return "ACA ACTIVE";
    case Status::task_aborted: return "TASK ABORTED";
  }
  return "RESERVED STATUS";
}

}  // namespace lunar::scsi::spec
