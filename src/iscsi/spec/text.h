// The key=value text of Login and Text PDUs (RFC 7143 §6.1): pairs that each end with one NUL.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "lunar/result.h"

namespace lunar::iscsi::spec {

constexpr std::size_t kMaxKeyLength = 63;      // RFC 7143 §6.1, standard-label
constexpr std::size_t kMaxValueLength = 8192;  // our limit: the longest value that we use
constexpr std::size_t kMaxTextLength = 65536;  // RFC 7143 §6.2: what a peer must accept
constexpr std::size_t kMaxTextPairs = 256;     // our limit: several times the number of keys

// Values that answer a key without negotiating it (RFC 7143 §6.2).
constexpr std::string_view kNotUnderstood = "NotUnderstood";
constexpr std::string_view kIrrelevant = "Irrelevant";
constexpr std::string_view kReject = "Reject";
constexpr std::string_view kYes = "Yes";
constexpr std::string_view kNo = "No";
constexpr std::string_view kNone = "None";

struct KeyValue {
  std::string_view key;
  std::string_view value;

  friend bool operator==(const KeyValue&, const KeyValue&) = default;
};

// The pairs of a whole text (all PDUs of a C-bit sequence joined), in order, as views of it. Skips
// extra NULs between pairs, because some initiators count padding as text. ErrorCode::malformed: no
// '=', an invalid key, no final NUL. ErrorCode::no_resource: a limit above is exceeded.
Result<std::vector<KeyValue>> parse_text(Bytes text);

// Appends "key=value\0".
void append_pair(std::string& text, std::string_view key, std::string_view value);

// A numerical-value: decimal or hexadecimal (0x), below 2**64 (RFC 7143 §6.1).
Result<std::uint64_t> parse_number(std::string_view value);

// Items of a comma-separated list. ErrorCode::malformed: an item, or the list, is empty.
Result<std::vector<std::string_view>> parse_list(std::string_view value);

}  // namespace lunar::iscsi::spec
