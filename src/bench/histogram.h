// Latency histogram with log-linear buckets, like HdrHistogram.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace lunar::bench {

// Counts nanoseconds with an error below 1/64 (1.6 %) of the value. record() increments one element
// of an array that stays in the cache. Not thread-safe.
class Histogram {
 public:
  void record(std::uint64_t value_ns) {
    ++counts_[bucket_of(value_ns)];
    ++count_;
    sum_ns_ += value_ns;
    if (value_ns > max_ns_) max_ns_ = value_ns;
  }
  void clear() { *this = Histogram(); }

  [[nodiscard]] std::uint64_t count() const { return count_; }
  [[nodiscard]] std::uint64_t max_ns() const { return max_ns_; }
  [[nodiscard]] double mean_ns() const {
    return count_ == 0 ? 0 : static_cast<double>(sum_ns_) / static_cast<double>(count_);
  }
  // Upper bound of the smallest `percent` of all values: the end of a bucket, at most max_ns(). 0
  // without values.
  [[nodiscard]] std::uint64_t percentile_ns(double percent) const;

 private:
  static constexpr unsigned kLinearBits = 6;  // 64 buckets per power of two
  static constexpr std::size_t kBuckets = (64 - kLinearBits + 1) << kLinearBits;

  static std::size_t bucket_of(std::uint64_t value) {
    const auto width = static_cast<unsigned>(std::bit_width(value >> kLinearBits));
    // Buckets of one value below 2 * 64, then 64 buckets per power of two.
    if (width <= 1) return static_cast<std::size_t>(value);
    const unsigned shift = width - 1;
    return (std::size_t{shift} << kLinearBits) + static_cast<std::size_t>(value >> shift);
  }
  static std::uint64_t upper_end(std::size_t bucket);

  std::array<std::uint64_t, kBuckets> counts_{};
  std::uint64_t count_ = 0;
  std::uint64_t sum_ns_ = 0;
  std::uint64_t max_ns_ = 0;
};

}  // namespace lunar::bench
