// Integer types that cannot be mixed up. `.value` reads one. Arithmetic exists only where it has a
// meaning: an address plus a count is an address.
#pragma once

#include <compare>
#include <cstdint>

namespace lunar {

template <class Tag, class T>
struct Strong {
  T value{};

  constexpr Strong() = default;
  constexpr explicit Strong(T v) : value(v) {}
  friend constexpr auto operator<=>(const Strong&, const Strong&) = default;
};

using Lba = Strong<struct LbaTag, std::uint64_t>;                // logical block address
using BlockCount = Strong<struct BlockCountTag, std::uint64_t>;  // in logical blocks
using ByteCount = Strong<struct ByteCountTag, std::uint64_t>;
using Lun = Strong<struct LunTag,
                   std::uint16_t>;  // logical unit number, 0..16383, without addressing format

constexpr Lba operator+(Lba a, BlockCount n) { return Lba(a.value + n.value); }
constexpr BlockCount operator-(Lba a, Lba b) { return BlockCount(a.value - b.value); }
constexpr BlockCount operator+(BlockCount a, BlockCount b) { return BlockCount(a.value + b.value); }
constexpr BlockCount operator-(BlockCount a, BlockCount b) { return BlockCount(a.value - b.value); }
constexpr ByteCount operator+(ByteCount a, ByteCount b) { return ByteCount(a.value + b.value); }
constexpr ByteCount operator-(ByteCount a, ByteCount b) { return ByteCount(a.value - b.value); }

constexpr std::uint64_t kKiB = 1024;
constexpr std::uint64_t kMiB = 1024 * kKiB;
constexpr std::uint64_t kGiB = 1024 * kMiB;
constexpr std::uint64_t kTiB = 1024 * kGiB;

}  // namespace lunar
