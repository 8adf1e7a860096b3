// A run of blocks.
#pragma once

#include "lunar/types.h"

namespace lunar::block {

struct Range {
  Lba lba;
  BlockCount count;

  // Cannot overflow: a range lies within a device.
  [[nodiscard]] bool overlaps(const Range& other) const {
    return lba < other.lba + other.count && other.lba < lba + count;
  }
  bool operator==(const Range&) const = default;
};

}  // namespace lunar::block
