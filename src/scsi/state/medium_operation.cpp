#include "scsi/state/medium_operation.h"

#include <fmt/format.h>

#include <memory>
#include <sstream>

namespace lunar::scsi {

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

std::string to_text(const MediumOperationPlan& plan) {
  std::string text = fmt::format("{} {} {} {} ", to_string(plan.kind), plan.passes,
                                 plan.invert ? 1 : 0, plan.unrestricted_exit ? 1 : 0);
  if (plan.protection)
    text += fmt::format("protection={} ", static_cast<unsigned>(*plan.protection));
  for (const std::byte b : plan.pattern) text += fmt::format("{:02x}", static_cast<unsigned>(b));
  return text;
}

Result<MediumOperationPlan> parse_medium_operation(std::string_view text) {
  std::istringstream words{std::string(text)};
  std::string kind;
  std::string pattern;
  unsigned passes = 0;
  unsigned invert = 0;
  unsigned unrestricted = 0;
  words >> kind >> passes >> invert >> unrestricted;
  const bool well_formed = !words.fail() && (kind == "format" || kind == "sanitize") &&
                           passes >= 1 && passes <= 31 && invert <= 1 && unrestricted <= 1;
  words >> pattern;
  MediumOperationPlan plan;
  constexpr std::string_view kProtection = "protection=";
  if (pattern.starts_with(kProtection)) {
    const std::string type = pattern.substr(kProtection.size());
    if (type.size() != 1 || type[0] < '0' || type[0] > '3')
      return fail(ErrorCode::invalid_argument, "is no operation on a medium");
    plan.protection = static_cast<spec::ProtectionType>(type[0] - '0');
    pattern.clear();
    words >> pattern;
  }
  plan.kind = kind == "format" ? MediumOperation::format : MediumOperation::sanitize;
  plan.passes = static_cast<std::uint8_t>(passes);
  plan.invert = invert != 0;
  plan.unrestricted_exit = unrestricted != 0;
  const bool hex = pattern.find_first_not_of("0123456789abcdef") == std::string::npos;
  if (!well_formed || !hex || pattern.size() % 2 != 0)
    return fail(ErrorCode::invalid_argument, "is no operation on a medium");
  for (std::size_t i = 0; i < pattern.size(); i += 2) {
    plan.pattern.push_back(static_cast<std::byte>(std::stoul(pattern.substr(i, 2), nullptr, 16)));
  }
  return plan;
}

}  // namespace lunar::scsi
