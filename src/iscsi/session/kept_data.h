// Copies of pieces of a READ's data that the medium has lent and is about to change.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>

#include "base/bytes.h"

namespace lunar::iscsi {

// By offset in the data. Pieces begin and end where PDUs do, so that a PDU is either in a copy or
// in the medium's memory. One shard.
class KeptData {
 public:
  // Copies [from, to) of `data`, but for what has been copied before: that shows an earlier write.
  // False when it would be more than `limit` bytes; then nothing is copied.
  [[nodiscard]] bool keep(Bytes data, std::uint32_t from, std::uint32_t to, std::size_t limit);
  // [from, from + length) as it was; empty: it has not been copied.
  [[nodiscard]] Bytes find(std::uint32_t from, std::uint32_t length) const;
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

 private:
  struct Piece {
    std::uint32_t end = 0;
    std::unique_ptr<std::byte[]> memory;
  };
  // Calls visit(from, to) for each part of [from, to) that has no copy.
  template <class Visit>
  void for_each_gap(std::uint32_t from, std::uint32_t to, const Visit& visit) const;

  std::map<std::uint32_t, Piece> pieces_;  // by where they begin; they do not overlap
  std::size_t bytes_ = 0;
};

}  // namespace lunar::iscsi
