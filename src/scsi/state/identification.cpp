#include "scsi/state/identification.h"

#include <algorithm>

namespace lunar::scsi {

std::string to_text(const IdentifyingInformation& information) {
  return std::to_string(information.bytes.size()) + "\n" + information.bytes + information.text;
}

Result<IdentifyingInformation> parse_identifying_information(std::string_view text) {
  const std::size_t end = text.find('\n');
  const bool number =
      end != std::string_view::npos && end != 0 && end <= 4 &&
      std::ranges::all_of(text.substr(0, end), [](char c) { return c >= '0' && c <= '9'; });
  if (!number) return fail(ErrorCode::invalid_argument, "is no identifying information");
  const std::size_t length = std::stoul(std::string(text.substr(0, end)));
  const std::string_view rest = text.substr(end + 1);
  if (length > rest.size() || length > kMaxIdentifyingBytes ||
      rest.size() - length > kMaxTextIdentifyingBytes) {
    return fail(ErrorCode::invalid_argument, "is no identifying information");
  }
  return IdentifyingInformation{std::string(rest.substr(0, length)),
                                std::string(rest.substr(length))};
}

}  // namespace lunar::scsi
