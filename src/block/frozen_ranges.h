// The ranges of a device that somebody has for himself, as one shard knows them. See range_lock.h.
#pragma once

#include <algorithm>
#include <cassert>
#include <vector>

#include "block/range.h"
#include "lunar/block/request.h"

namespace lunar::block {

// Whom an exclusive range keeps out.
enum class Exclusion : std::uint8_t {
  writes,  // others may read meanwhile
  all,     // nobody else sees anything between before and after
};

class FrozenRanges {
 public:
  // All that a plain request looks at.
  [[nodiscard]] bool any() const { return any_; }

  void add(const Range& range, Exclusion exclusion) {
    frozen_.push_back({range, exclusion});
    any_ = true;
  }
  void remove(const Range& range, Exclusion exclusion) {
    const auto at = std::ranges::find(frozen_, Frozen{range, exclusion});
    assert(at != frozen_.end());
    frozen_.erase(at);
    any_ = !frozen_.empty();
  }
  [[nodiscard]] bool contains(const Range& range, Exclusion exclusion) const {
    return std::ranges::find(frozen_, Frozen{range, exclusion}) != frozen_.end();
  }
  [[nodiscard]] bool holds(const Request& request) const {
    if (!request.has_range()) return false;
    const Range wanted{request.lba, request.count};
    return std::ranges::any_of(frozen_, [&](const Frozen& frozen) {
      const bool meant = request.is_write() || frozen.exclusion == Exclusion::all;
      return meant && frozen.range.overlaps(wanted);
    });
  }
  [[nodiscard]] bool overlaps(const Range& wanted) const {
    return std::ranges::any_of(frozen_,
                               [&](const Frozen& frozen) { return frozen.range.overlaps(wanted); });
  }

 private:
  struct Frozen {
    Range range;
    Exclusion exclusion;
    bool operator==(const Frozen&) const = default;
  };
  bool any_ = false;
  std::vector<Frozen> frozen_;
};

}  // namespace lunar::block
