// The condition of a logical unit: its power condition, its medium, and whether an operation has
// the whole medium for itself (SBC-4 §4.20, §4.31, §4.11).
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "scsi/spec/sense.h"
#include "scsi/state/restrictions.h"

namespace lunar::scsi {

struct SelfTest;

// SPC-5 §5.12. Idle and standby are told by REQUEST SENSE and end with the next access of the
// medium.
enum class PowerCondition : std::uint8_t {
  active,
  idle_a,
  idle_b,
  idle_c,
  standby_z,
  standby_y,
  stopped,  // until START STOP UNIT starts it again
};

enum class MediumOperation : std::uint8_t { none, format, sanitize };

// How far an operation is: written on the unit's home shard, read on all.
struct MediumOperationProgress {
  std::atomic<std::uint16_t> done{0};  // 65536ths
  std::atomic<bool> ended{false};
  std::atomic<bool> failed{false};  // meaningful when it has ended
};

// What remains of a sanitize operation that failed (SBC-4 §4.11.3).
enum class SanitizeFailure : std::uint8_t {
  none,
  restricted,    // only another sanitize operation ends it
  unrestricted,  // EXIT FAILURE MODE ends it, too: AUSE was set
};

// A part of UnitState.
struct UnitCondition {
  PowerCondition power = PowerCondition::active;
  std::uint32_t start_stop_cycles = 0;  // how often it was started again (log page 0Eh)
  bool medium_present = true;
  MediumOperation operation = MediumOperation::none;
  std::shared_ptr<MediumOperationProgress> progress;  // of the operation
  bool format_corrupt = false;                        // a format operation failed
  SanitizeFailure sanitize_failure = SanitizeFailure::none;
  std::shared_ptr<SelfTest> self_test;  // the one that is under way
};

[[nodiscard]] Restrictions restrictions_of(const UnitCondition& condition);
// Why commands that heed kMediumOperation or kNotReady do not run. Only when there is a reason.
[[nodiscard]] spec::Sense not_ready_sense(const UnitCondition& condition);
// What REQUEST SENSE tells when no unit attention is pending (SPC-5 §5.11.2).
[[nodiscard]] spec::Sense pollable_sense(const UnitCondition& condition);

}  // namespace lunar::scsi
