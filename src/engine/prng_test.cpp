#include "engine/prng.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>

namespace lunar::engine {
namespace {

TEST(Prng, SameSeedSameNumbers) {
  Prng a(42), b(42), c(43);
  bool differs = false;
  for (int i = 0; i < 100; ++i) {
    const std::uint64_t value = a.next();
    EXPECT_EQ(value, b.next());
    differs = differs || value != c.next();
  }
  EXPECT_TRUE(differs);
}

TEST(Prng, BelowStaysBelowAndReachesAll) {
  Prng prng(1);
  std::array<int, 7> seen{};
  for (int i = 0; i < 70'000; ++i) ++seen.at(prng.below(7));
  EXPECT_GT(std::ranges::min(seen), 9'000);
  EXPECT_LT(std::ranges::max(seen), 11'000);
  EXPECT_EQ(prng.below(1), 0U);
  EXPECT_LT(prng.below(UINT64_MAX), UINT64_MAX);
  EXPECT_LT(prng.below((1ULL << 63) + 1), (1ULL << 63) + 1);
}

TEST(Prng, FillsSixteenBytes) {
  Prng prng(1);
  EXPECT_NE(prng.bytes16(), prng.bytes16());
  EXPECT_NE(Prng::system_seed(), Prng::system_seed());
}

}  // namespace
}  // namespace lunar::engine
