#include "iscsi/spec/text.h"

#include <algorithm>
#include <charconv>

namespace lunar::iscsi::spec {
namespace {

constexpr bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
constexpr bool is_label_character(char c) {
  return is_upper(c) || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
         std::string_view(".-+@_").contains(c);
}

// A standard-label. '#' occurs in public extension keys (X#NodeArchitecture). The RFC's only key
// that starts with a small letter is iSCSIProtocolLevel (RFC 7143 §13.24).
bool is_key(std::string_view key) {
  if (key.empty()) return false;
  if (!is_upper(key.front()) && !key.starts_with("iSCSI")) return false;
  return std::ranges::all_of(key, [](char c) { return is_label_character(c) || c == '#'; });
}

Result<KeyValue> parse_pair(std::string_view pair) {
  const std::size_t equals = pair.find('=');
  if (equals == std::string_view::npos) return fail(ErrorCode::malformed, "text pair without '='");
  const KeyValue result{pair.substr(0, equals), pair.substr(equals + 1)};
  if (!is_key(result.key)) return fail(ErrorCode::malformed, "text key is not a label");
  if (result.key.size() > kMaxKeyLength) {
    return fail(ErrorCode::no_resource, "text key longer than 63 bytes");
  }
  if (result.value.size() > kMaxValueLength) {
    return fail(ErrorCode::no_resource, "value of " + std::string(result.key) + " is too long");
  }
  return result;
}

}  // namespace

Result<std::vector<KeyValue>> parse_text(Bytes text) {
  if (text.size() > kMaxTextLength) return fail(ErrorCode::no_resource, "text is too long");
  std::string_view rest = as_text(text);
  std::vector<KeyValue> pairs;
  while (!rest.empty()) {
    const std::size_t end = rest.find('\0');
    if (end == std::string_view::npos) {
      return fail(ErrorCode::malformed, "text pair not ended by NUL");
    }
    if (end != 0) {
      if (pairs.size() == kMaxTextPairs) return fail(ErrorCode::no_resource, "too many text pairs");
      LUNAR_TRY_ASSIGN(const KeyValue pair, parse_pair(rest.substr(0, end)));
      pairs.push_back(pair);
    }
    rest.remove_prefix(end + 1);
  }
  return pairs;
}

void append_pair(std::string& text, std::string_view key, std::string_view value) {
  text.append(key).append(1, '=').append(value).append(1, '\0');
}

Result<std::uint64_t> parse_number(std::string_view value) {
  int base = 10;
  if (value.starts_with("0x") || value.starts_with("0X")) {
    base = 16;
    value.remove_prefix(2);
  }
  std::uint64_t number = 0;
  const char* const end = value.data() + value.size();
  const auto [at, error] = std::from_chars(value.data(), end, number, base);
  if (error == std::errc::result_out_of_range) {
    return fail(ErrorCode::out_of_range, "number of 2**64 or more");
  }
  if (error != std::errc{} || at != end) return fail(ErrorCode::malformed, "not a number");
  return number;
}

Result<std::vector<std::string_view>> parse_list(std::string_view value) {
  std::vector<std::string_view> items;
  for (;;) {
    const std::size_t comma = value.find(',');
    const std::string_view item = value.substr(0, comma);
    if (item.empty()) return fail(ErrorCode::malformed, "empty item in a list");
    items.push_back(item);
    if (comma == std::string_view::npos) return items;
    value.remove_prefix(comma + 1);
  }
}

}  // namespace lunar::iscsi::spec
