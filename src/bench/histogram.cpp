#include "bench/histogram.h"

#include <algorithm>
#include <cmath>

namespace lunar::bench {

std::uint64_t Histogram::upper_end(std::size_t bucket) {
  const std::size_t power = bucket >> kLinearBits;
  if (power <= 1) return bucket;
  const std::size_t shift = power - 1;
  const std::uint64_t mantissa = bucket - (shift << kLinearBits);
  return ((mantissa + 1) << shift) - 1;
}

std::uint64_t Histogram::percentile_ns(double percent) const {
  if (count_ == 0) return 0;
  const auto wanted = static_cast<std::uint64_t>(
      std::max(1.0, std::ceil(percent / 100 * static_cast<double>(count_))));
  std::uint64_t seen = 0;
  for (std::size_t bucket = 0; bucket < kBuckets; ++bucket) {
    seen += counts_[bucket];
    if (seen >= wanted) return std::min(upper_end(bucket), max_ns_);
  }
  return max_ns_;
}

}  // namespace lunar::bench
