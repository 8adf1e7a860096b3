#include "scsi/state/medium_operation.h"

#include <memory>

#include "base/bytes.h"

namespace lunar::scsi {
namespace {

// What of an operation outlives a power loss: one entry.
constexpr std::uint32_t kVersion = 1;
constexpr std::string_view kOperation = "operation";

}  // namespace

void begin_medium_operation(const MediumOperationPlan& plan, UnitCondition& condition) {
  condition.operation = plan.kind;
  condition.progress = std::make_shared<MediumOperationProgress>();
}

void fail_medium_operation(const MediumOperationPlan& plan, UnitCondition& condition) {
  if (plan.kind == MediumOperation::format) {
    condition.format_corrupt = true;
  } else {
    condition.sanitize_failure =
        plan.unrestricted_exit ? SanitizeFailure::unrestricted : SanitizeFailure::restricted;
  }
}

const char* to_string(MediumOperation operation) {
  switch (operation) {
    case MediumOperation::none: return "none";
    case MediumOperation::format: return "format";
    case MediumOperation::sanitize: return "sanitize";
  }
  return "";
}

state::Record to_record(const MediumOperationPlan& plan) {
  state::Record record{.version = kVersion};
  state::Entry& entry = record.add(kOperation);
  entry.set("kind", to_string(plan.kind))
      .set_number("passes", plan.passes)
      .set_number("invert", plan.invert ? 1 : 0)
      .set_number("unrestricted_exit", plan.unrestricted_exit ? 1 : 0)
      .set_hex("pattern", as_text(plan.pattern));
  if (plan.protection) entry.set_number("protection", static_cast<std::uint64_t>(*plan.protection));
  return record;
}

Result<MediumOperationPlan> medium_operation_of(const state::Record& record) {
  LUNAR_TRY(record.check_version(kVersion));
  const auto malformed = [] { return fail(ErrorCode::malformed, "is no operation on a medium"); };
  const state::Entry* entry = record.find(kOperation);
  if (entry == nullptr) return malformed();
  const std::string* kind = entry->find("kind");
  const auto passes = entry->number("passes", kMaxOverwritePasses);
  const auto invert = entry->flag("invert");
  const auto unrestricted_exit = entry->flag("unrestricted_exit");
  const auto pattern = entry->hex("pattern");
  const auto protection = entry->number("protection", 3);
  if (kind == nullptr || !passes || *passes == 0 || !invert || !unrestricted_exit || !pattern ||
      (entry->find("protection") != nullptr && !protection))
    return malformed();
  MediumOperationPlan plan;
  if (*kind == to_string(MediumOperation::sanitize)) {
    plan.kind = MediumOperation::sanitize;
  } else if (*kind != to_string(MediumOperation::format)) {
    return malformed();
  }
  const Bytes bytes = as_bytes(std::string_view(*pattern));
  plan.pattern.assign(bytes.begin(), bytes.end());
  plan.passes = static_cast<std::uint8_t>(*passes);
  plan.invert = *invert;
  plan.unrestricted_exit = *unrestricted_exit;
  if (protection) plan.protection = static_cast<spec::ProtectionType>(*protection);
  return plan;
}

}  // namespace lunar::scsi
