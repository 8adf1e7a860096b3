#include "scsi/state/condition.h"

#include "scsi/state/self_test_log.h"

namespace lunar::scsi {
namespace {

using spec::AdditionalSense;
using spec::Sense;

spec::ProgressIndication progress_of(const UnitCondition& condition) {
  return {condition.progress->done.load(std::memory_order_relaxed)};
}

bool is_tested_in_foreground(const UnitCondition& condition) {
  return condition.self_test != nullptr && condition.self_test->in_foreground();
}

}  // namespace

Restrictions restrictions_of(const UnitCondition& condition) {
  Restrictions restrictions = 0;
  const bool stopped = condition.power == PowerCondition::stopped;
  if (stopped || !condition.medium_present) restrictions |= kNotReady;
  if (condition.format_corrupt) restrictions |= kFormatCorrupt;
  if (!stopped && condition.power != PowerCondition::active) restrictions |= kLowPower;
  if (condition.operation != MediumOperation::none ||
      condition.sanitize_failure != SanitizeFailure::none || is_tested_in_foreground(condition)) {
    restrictions |= kMediumOperation;
  }
  return restrictions;
}

Sense not_ready_sense(const UnitCondition& condition) {
  if (is_tested_in_foreground(condition)) return condition.self_test->in_progress();
  switch (condition.operation) {
    case MediumOperation::format:
      return Sense::not_ready(AdditionalSense::format_in_progress, progress_of(condition));
    case MediumOperation::sanitize:
      return Sense::not_ready(AdditionalSense::sanitize_in_progress, progress_of(condition));
    case MediumOperation::none: break;
  }
  if (condition.sanitize_failure != SanitizeFailure::none)
    return Sense::of(spec::SenseKey::medium_error, AdditionalSense::sanitize_command_failed);
  if (!condition.medium_present) return Sense::not_ready(AdditionalSense::medium_not_present);
  if (condition.power == PowerCondition::stopped)
    return Sense::not_ready(AdditionalSense::initializing_command_required);
  return Sense::of(spec::SenseKey::medium_error, AdditionalSense::medium_format_corrupted);
}

Sense pollable_sense(const UnitCondition& condition) {
  if ((restrictions_of(condition) & (kNotReady | kMediumOperation | kFormatCorrupt)) != 0)
    return not_ready_sense(condition);
  // SPC-5 §5.15.4: also of one in the background, which lets other commands pass.
  if (condition.self_test != nullptr) return condition.self_test->in_progress();
  AdditionalSense additional = AdditionalSense::no_additional_sense_information;
  switch (condition.power) {
    case PowerCondition::active:
    case PowerCondition::stopped: break;
    case PowerCondition::idle_a: additional = AdditionalSense::idle_condition_by_command; break;
    case PowerCondition::idle_b: additional = AdditionalSense::idle_b_condition_by_command; break;
    case PowerCondition::idle_c: additional = AdditionalSense::idle_c_condition_by_command; break;
    case PowerCondition::standby_z:
      additional = AdditionalSense::standby_condition_by_command;
      break;
    case PowerCondition::standby_y:
      additional = AdditionalSense::standby_y_condition_by_command;
      break;
  }
  return Sense::of(spec::SenseKey::no_sense, additional);
}

}  // namespace lunar::scsi
