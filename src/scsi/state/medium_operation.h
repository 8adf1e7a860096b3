// Operations that have the whole medium for themselves, as values: SANITIZE, FORMAT UNIT. What one
// is to do, and what it means for the condition of the unit. run_medium_operation.h runs them.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "lunar/result.h"
#include "scsi/spec/protection.h"
#include "scsi/state/condition.h"
#include "state/record.h"

namespace lunar::scsi {

constexpr std::uint8_t kMaxOverwritePasses = 31;  // OVERWRITE COUNT, SBC-4 §5.24.2

struct MediumOperationPlan {
  MediumOperation kind = MediumOperation::format;
  // Written to each block, repeated from the block's first byte on. Empty: the blocks read as
  // zeroes afterwards, by whatever way is quickest, which may free them.
  std::vector<std::byte> pattern;
  std::uint8_t passes = 1;         // of the pattern
  bool invert = false;             // the pattern, between passes
  bool unrestricted_exit = false;  // AUSE: EXIT FAILURE MODE may end the failure of a sanitize
  // What the medium is formatted to. Unset: to what it is, as by a sanitize.
  std::optional<spec::ProtectionType> protection;
};

// The condition of a unit while the operation is under way.
void begin_medium_operation(const MediumOperationPlan& plan, UnitCondition& condition);
// Its condition when the operation has ended before its time, also when it cannot go on for now, as
// the medium cannot be written to (SBC-4 §4.11.3, §4.10).
void fail_medium_operation(const MediumOperationPlan& plan, UnitCondition& condition);
[[nodiscard]] const char* to_string(MediumOperation operation);

// As it is kept, and back: malformed, unsupported.
[[nodiscard]] state::Record to_record(const MediumOperationPlan& plan);
[[nodiscard]] Result<MediumOperationPlan> medium_operation_of(const state::Record& record);

// The name in the store.
constexpr std::string_view kMediumOperationKey = "medium_operation";

}  // namespace lunar::scsi
