#include "block/iov.h"

#include <gtest/gtest.h>

#include <array>
#include <numeric>
#include <string>

namespace lunar::block {
namespace {

struct Pieces {
  std::string text = "abcdefghij";
  std::array<iovec, 3> iov{iovec{text.data(), 3}, iovec{text.data() + 3, 0},
                           iovec{text.data() + 3, 7}};
};

std::string text_of(std::span<const iovec> pieces) {
  std::string out;
  for (const iovec& piece : pieces)
    out.append(static_cast<const char*>(piece.iov_base), piece.iov_len);
  return out;
}

TEST(IovCursor, CopiesAcrossPieces) {
  Pieces pieces;
  IovCursor cursor(pieces.iov);
  std::array<std::byte, 4> out{};
  cursor.copy_to(out);
  EXPECT_EQ(as_text(out), "abcd");
  cursor.copy_from(as_bytes(std::string_view("XYZ")));
  EXPECT_EQ(pieces.text, "abcdXYZhij");
}

TEST(IovCursor, FindsTheFirstDifference) {
  Pieces pieces;
  EXPECT_EQ(IovCursor(pieces.iov).mismatch(as_bytes(std::string_view("abcdefghij"))), std::nullopt);
  EXPECT_EQ(IovCursor(pieces.iov).mismatch(as_bytes(std::string_view("abcdefgXiX"))), 7U);
}

TEST(IovWindow, GivesEveryPartAndLeavesTheArrayWhole) {
  for (std::size_t begin = 0; begin <= 10; ++begin) {
    for (std::size_t length = 0; begin + length <= 10; ++length) {
      Pieces pieces;
      {
        IovWindow window(pieces.iov);
        window.skip(begin);
        EXPECT_EQ(text_of(window.peek(length)), pieces.text.substr(begin, length));
      }
      EXPECT_EQ(text_of(pieces.iov), pieces.text);
      EXPECT_EQ(pieces.iov[0].iov_len, 3U);
    }
  }
}

TEST(IovWindow, WalksInSteps) {
  Pieces pieces;
  IovWindow window(pieces.iov);
  std::string seen;
  for (const std::size_t step : {1U, 2U, 3U, 4U}) {
    seen += text_of(window.peek(step));
    window.skip(step);
  }
  EXPECT_EQ(seen, pieces.text);
}

TEST(IsZero, LooksAtEveryByte) {
  std::array<std::byte, 9> bytes{};
  EXPECT_TRUE(is_zero(bytes));
  bytes[8] = std::byte{1};
  EXPECT_FALSE(is_zero(bytes));
  EXPECT_TRUE(is_zero({}));
}

}  // namespace
}  // namespace lunar::block
