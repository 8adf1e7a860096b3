#include "base/bytes.h"

#include <gtest/gtest.h>

#include <array>

#include "base/endian.h"

namespace lunar {
namespace {

TEST(RangeFits, IsSafeFromOverflow) {
  EXPECT_TRUE(range_fits(0, 0, 0));
  EXPECT_TRUE(range_fits(10, 0, 10));
  EXPECT_TRUE(range_fits(3, 7, 10));
  EXPECT_FALSE(range_fits(4, 7, 10));
  EXPECT_FALSE(range_fits(11, 0, 10));
  EXPECT_FALSE(range_fits(UINT64_MAX, 2, 10));
  EXPECT_FALSE(range_fits(2, UINT64_MAX, 10));
  EXPECT_TRUE(range_fits(0, UINT64_MAX, UINT64_MAX));
}

TEST(RoundUp, GoesToTheNextMultiple) {
  static_assert(round_up(0, 4) == 0 && round_up(1, 4) == 4 && round_up(4, 4) == 4);
  static_assert(round_up(10, 3) == 12);
  static_assert(is_power_of_two(1) && is_power_of_two(1ULL << 63));
  static_assert(!is_power_of_two(0) && !is_power_of_two(6));
}

TEST(AsBytes, TakesALiteralWithoutItsTerminator) {
  EXPECT_EQ(as_bytes("abc").size(), 3U);
  EXPECT_EQ(as_bytes(be24(1)).size(), 3U);
}

TEST(ByteReader, ReadsForwardAndKeepsWhatIsTooShort) {
  ByteReader reader(
      as_bytes(std::string_view("\x01\x02\x03"
                                "abcd")));
  EXPECT_EQ(reader.read<be16>()->value(), 0x0102);
  EXPECT_FALSE(reader.read<be64>());
  EXPECT_FALSE(reader.read_bytes(6));
  EXPECT_EQ(reader.remaining(), 5U);
  EXPECT_EQ(as_text(*reader.read_bytes(5)),
            "\x03"
            "abcd");
  EXPECT_TRUE(reader.read_bytes(0));
  EXPECT_FALSE(reader.read<be16>());
  EXPECT_EQ(reader.remaining(), 0U);
}

TEST(ByteReader, HasNothingInNothing) {
  ByteReader reader({});
  EXPECT_FALSE(reader.read<be16>());
  EXPECT_FALSE(reader.read_bytes(SIZE_MAX));
  EXPECT_TRUE(reader.rest().empty());
}

TEST(ByteWriter, CountsWhatItHasNoRoomFor) {
  std::array<std::byte, 6> out{};
  out[5] = std::byte{0xaa};
  ByteWriter writer(MutableBytes(out).first(5));
  writer.write_u8(7);
  writer.write(be32(0x01020304));
  EXPECT_EQ(writer.written(), 5U);
  writer.write_text("cut");
  writer.write_zeroes(3);
  EXPECT_EQ(writer.written(), 11U);
  EXPECT_EQ(writer.stored(), 5U);
  EXPECT_EQ(as_text(writer.bytes()), "\x07\x01\x02\x03\x04");
  EXPECT_EQ(out[5], std::byte{0xaa}) << "wrote past its end";
}

TEST(ByteWriter, CutsInTheMiddleOfAValue) {
  std::array<std::byte, 3> out{};
  ByteWriter writer(out);
  writer.write(be32(0x01020304));
  EXPECT_EQ(writer.written(), 4U);
  EXPECT_EQ(as_text(writer.bytes()), "\x01\x02\x03");
}

TEST(ByteWriter, PadsAndCutsText) {
  std::array<std::byte, 32> out{};
  ByteWriter writer(out);
  writer.write_padded("LUNAR", 8);
  writer.write_padded("toolong", 4);
  writer.write_padded("", 2, '.');
  EXPECT_EQ(as_text(writer.bytes()), "LUNAR   tool..");
}

TEST(ByteWriter, WritesNowhereWithoutHarm) {
  ByteWriter writer({});
  writer.write_text("abc");
  EXPECT_EQ(writer.written(), 3U);
  EXPECT_EQ(writer.stored(), 0U);
  EXPECT_TRUE(writer.bytes().empty());
}

}  // namespace
}  // namespace lunar
