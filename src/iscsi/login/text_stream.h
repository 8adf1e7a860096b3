// Text longer than one PDU, in both directions: the C bit of Login and Text PDUs (RFC 7143 §6.2).
// No I/O. Owned by one connection and used on its shard only.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "iscsi/spec/text.h"
#include "lunar/result.h"

namespace lunar::iscsi {

// Joins the data segments of a sequence.
class TextInput {
 public:
  // ErrorCode::no_resource: the sequence is longer than spec::kMaxTextLength.
  Result<> append(Bytes segment) {
    if (!range_fits(text_.size(), segment.size(), spec::kMaxTextLength)) {
      return fail(ErrorCode::no_resource, "text sequence is too long");
    }
    text_.append(as_text(segment));
    return {};
  }
  [[nodiscard]] bool empty() const { return text_.empty(); }
  // Returns the whole text. The next append() starts a new one.
  [[nodiscard]] std::string take() {
    std::string whole;
    whole.swap(text_);
    return whole;
  }
  void clear() { text_.clear(); }

 private:
  std::string text_;
};

// Splits an answer into pieces that fit the peer's data segments. May split a pair anywhere.
class TextOutput {
 public:
  void add(std::string_view key, std::string_view value) { spec::append_pair(text_, key, value); }

  [[nodiscard]] bool empty() const { return sent_ == text_.size(); }
  [[nodiscard]] std::string take(std::size_t max_length) {
    std::string piece = text_.substr(sent_, max_length);
    sent_ += piece.size();
    if (empty()) clear();
    return piece;
  }
  void clear() {
    text_.clear();
    sent_ = 0;
  }

 private:
  std::string text_;
  std::size_t sent_ = 0;
};

}  // namespace lunar::iscsi
