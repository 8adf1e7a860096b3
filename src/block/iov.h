// Walking over scattered buffers.
#pragma once

#include <sys/uio.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <optional>
#include <span>

#include "base/bytes.h"

namespace lunar::block {

[[nodiscard]] inline std::size_t total_bytes(std::span<const iovec> pieces) {
  std::size_t total = 0;
  for (const iovec& piece : pieces) total += piece.iov_len;
  return total;
}

[[nodiscard]] inline bool is_zero(Bytes bytes) {
  return bytes.empty() || (bytes.front() == std::byte{0} &&
                           std::memcmp(bytes.data(), bytes.data() + 1, bytes.size() - 1) == 0);
}

// Reads or fills the pieces in order.
class IovCursor {
 public:
  explicit IovCursor(std::span<const iovec> pieces) : rest_(pieces) {}

  // The next contiguous bytes, at most `limit`; empty at the end.
  MutableBytes next(std::size_t limit) {
    while (!rest_.empty() && offset_ == rest_.front().iov_len) {
      rest_ = rest_.subspan(1);
      offset_ = 0;
    }
    if (rest_.empty()) return {};
    const iovec& piece = rest_.front();
    const std::size_t count = std::min(limit, piece.iov_len - offset_);
    const MutableBytes bytes(static_cast<std::byte*>(piece.iov_base) + offset_, count);
    offset_ += count;
    return bytes;
  }
  void copy_to(MutableBytes out) {
    for_each(out.size(), [&](MutableBytes bytes, std::size_t at) {
      std::memcpy(out.data() + at, bytes.data(), bytes.size());
    });
  }
  void copy_from(Bytes in) {
    for_each(in.size(), [&](MutableBytes bytes, std::size_t at) {
      std::memcpy(bytes.data(), in.data() + at, bytes.size());
    });
  }
  // Consumes `other.size()` bytes; the offset of the first that differs.
  std::optional<std::size_t> mismatch(Bytes other) {
    std::optional<std::size_t> found;
    for_each(other.size(), [&](MutableBytes bytes, std::size_t at) {
      const std::byte* there = other.data() + at;
      if (found || std::memcmp(bytes.data(), there, bytes.size()) == 0) return;
      const auto different = std::mismatch(bytes.begin(), bytes.end(), there).first;
      found = at + static_cast<std::size_t>(different - bytes.begin());
    });
    return found;
  }

 private:
  template <class Visit>
  void for_each(std::size_t count, Visit visit) {
    std::size_t at = 0;
    while (at < count) {
      const MutableBytes bytes = next(count - at);
      if (bytes.empty()) return;
      visit(bytes, at);
      at += bytes.size();
    }
  }

  std::span<const iovec> rest_;
  std::size_t offset_ = 0;
};

// Hands out consecutive parts of an iovec array as arrays of their own, without a second array: the
// two pieces at the edges are trimmed in place, and put right again by restore() or destruction.
class IovWindow {
 public:
  explicit IovWindow(std::span<iovec> pieces) : pieces_(pieces) {}
  IovWindow(const IovWindow&) = delete;
  IovWindow& operator=(const IovWindow&) = delete;
  ~IovWindow() { restore(); }

  // Moves the start forward, from the last start.
  void skip(std::size_t bytes) {
    restore();
    offset_ += bytes;
    while (first_ < pieces_.size() && offset_ >= pieces_[first_].iov_len) {
      offset_ -= pieces_[first_++].iov_len;
    }
  }
  // The pieces of the next `bytes`, valid until the next call. Does not move the start.
  [[nodiscard]] std::span<iovec> peek(std::size_t bytes) {
    restore();
    if (first_ == pieces_.size() || bytes == 0) return {};
    saved_first_ = pieces_[first_];
    pieces_[first_].iov_base = static_cast<std::byte*>(pieces_[first_].iov_base) + offset_;
    pieces_[first_].iov_len -= offset_;
    last_ = first_;
    while (last_ + 1 < pieces_.size() && bytes > pieces_[last_].iov_len) {
      bytes -= pieces_[last_++].iov_len;
    }
    saved_last_ = pieces_[last_];
    pieces_[last_].iov_len = std::min(bytes, pieces_[last_].iov_len);
    trimmed_ = true;
    return pieces_.subspan(first_, last_ - first_ + 1);
  }
  void restore() {
    if (!trimmed_) return;
    // In this order: both may be the same piece, trimmed at its front first.
    pieces_[last_] = saved_last_;
    pieces_[first_] = saved_first_;
    trimmed_ = false;
  }

 private:
  std::span<iovec> pieces_;
  std::size_t first_ = 0;
  std::size_t last_ = 0;
  std::size_t offset_ = 0;  // into pieces_[first_]
  iovec saved_first_{};
  iovec saved_last_{};
  bool trimmed_ = false;
};

}  // namespace lunar::block
