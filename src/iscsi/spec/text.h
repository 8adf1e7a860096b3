// The key=value text of Login and Text PDUs (RFC 7143 §6.1): pairs, each ended by one NUL.
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
constexpr std::size_t kMaxValueLength = 8192;  // the longest value we have a use for
constexpr std::size_t kMaxTextLength = 65536;  // RFC 7143 §6.2: what a peer must be able to take
constexpr std::size_t kMaxTextPairs = 256;     // ours: several times the number of keys there are

// The values that answer a key instead of negotiating it (RFC 7143 §6.2).
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

// The pairs of a whole text (all PDUs of a C-bit sequence put together), in order, as views into
// it. Surplus NULs between pairs are skipped, since initiators are seen to count padding as text.
// ErrorCode::malformed: no '=', a key that is no label, no final NUL; ErrorCode::no_resource: a
// bound above is passed.
Result<std::vector<KeyValue>> parse_text(Bytes text);

// Appends "key=value\0".
void append_pair(std::string& text, std::string_view key, std::string_view value);

// A numerical-value: decimal or 0x hexadecimal, below 2**64 (RFC 7143 §6.1).
Result<std::uint64_t> parse_number(std::string_view value);

// The items of a comma separated list; at least one, none of them empty, else ErrorCode::malformed.
Result<std::vector<std::string_view>> parse_list(std::string_view value);

}  // namespace lunar::iscsi::spec
