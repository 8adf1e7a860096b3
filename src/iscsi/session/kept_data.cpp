#include "iscsi/session/kept_data.h"

#include <algorithm>
#include <iterator>
#include <utility>
#include <vector>

#include "base/medium_access.h"

namespace lunar::iscsi {

template <class Visit>
void KeptData::for_each_gap(std::uint32_t from, std::uint32_t to, const Visit& visit) const {
  auto next = pieces_.upper_bound(from);
  if (next != pieces_.begin()) from = std::max(from, std::prev(next)->second.end);
  for (; from < to; ++next) {
    const std::uint32_t gap_end = next == pieces_.end() ? to : std::min(to, next->first);
    if (from < gap_end) visit(from, gap_end);
    if (next == pieces_.end()) return;
    from = next->second.end;
  }
}

bool KeptData::keep(Bytes data, std::uint32_t from, std::uint32_t to, std::size_t limit) {
  std::vector<std::pair<std::uint32_t, std::uint32_t>> gaps;
  std::size_t bytes = 0;
  for_each_gap(from, to, [&](std::uint32_t begin, std::uint32_t end) {
    gaps.emplace_back(begin, end);
    bytes += end - begin;
  });
  if (bytes > limit) return false;
  for (const auto& [begin, end] : gaps) {
    const std::size_t length = end - begin;
    Piece piece{.end = end, .memory = std::make_unique_for_overwrite<std::byte[]>(length)};
    copy_medium(piece.memory.get(), data.data() + begin, length);
    pieces_.emplace(begin, std::move(piece));
    bytes_ += length;
  }
  return true;
}

Bytes KeptData::find(std::uint32_t from, std::uint32_t length) const {
  const auto after = pieces_.upper_bound(from);
  if (after == pieces_.begin()) return {};
  const auto& [begin, piece] = *std::prev(after);
  // Adjacent pieces may have been copied at different times, but each PDU at one.
  if (from + length > piece.end) return {};
  return {piece.memory.get() + (from - begin), length};
}

}  // namespace lunar::iscsi
