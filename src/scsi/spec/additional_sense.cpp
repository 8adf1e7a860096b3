#include "scsi/spec/additional_sense.h"

#include <fmt/format.h>

namespace lunar::scsi::spec {

std::string_view find_text(AdditionalSense code) {
  switch (code) {
#define LUNAR_CASE(name, value, text) \
  case AdditionalSense::name: return text;
    LUNAR_ADDITIONAL_SENSE_LIST(LUNAR_CASE)
#undef LUNAR_CASE
  }
  return {};
}

std::string to_text(AdditionalSense code) {
  const std::string_view text = find_text(code);
  if (text.empty()) return fmt::format("ADDITIONAL SENSE {:02X}h/{:02X}h", asc(code), ascq(code));
  return fmt::format("{} ({:02X}h/{:02X}h)", text, asc(code), ascq(code));
}

}  // namespace lunar::scsi::spec
