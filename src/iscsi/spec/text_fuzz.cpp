// For any bytes, parsing ends and keeps its bounds, and accepted text is written back unchanged.
#include <cstdlib>

#include "iscsi/spec/ahs.h"
#include "iscsi/spec/names.h"
#include "iscsi/spec/text.h"

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace lunar;
  using namespace lunar::iscsi::spec;
  const Bytes bytes = std::as_bytes(std::span(data, size));
  if (const auto pairs = parse_text(bytes)) {
    require(pairs->size() <= kMaxTextPairs);
    std::string written;
    for (const KeyValue& pair : *pairs) {
      append_pair(written, pair.key, pair.value);
      (void)parse_number(pair.value);
      (void)parse_list(pair.value);
      (void)parse_name(pair.value);
      if (const auto address = parse_portal_address(pair.value)) {
        require(parse_portal_address(address->to_string()) == *address);
      }
      if (const auto name = normalize_peer_name(pair.value)) {
        require(normalize_peer_name(*name).value() == *name);
      }
    }
    const auto again = parse_text(as_bytes(std::string_view(written)));
    require(again.has_value() && *again == *pairs);
  }
  (void)parse_ahs(bytes);
  return 0;
}
