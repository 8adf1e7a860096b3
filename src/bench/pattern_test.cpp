#include "bench/pattern.h"

#include <gtest/gtest.h>

#include <array>

namespace lunar::bench {
namespace {

TEST(Pattern, NamesRunAndPlace) {
  std::array<std::byte, 4096> block{};
  fill_pattern(7, 8192, block);
  EXPECT_EQ(find_mismatch(7, 8192, block), std::nullopt);
  EXPECT_EQ(find_mismatch(8, 8192, block), 8192U) << "another run";
  EXPECT_EQ(find_mismatch(7, 4096, block), 4096U) << "another place";
  block[1000] ^= std::byte{1};
  EXPECT_EQ(find_mismatch(7, 8192, block), 8192U + 1000);
}

}  // namespace
}  // namespace lunar::bench
