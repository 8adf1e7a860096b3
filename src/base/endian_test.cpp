#include "base/endian.h"

#include <gtest/gtest.h>

#include <vector>

#include "base/bytes.h"

namespace lunar {
namespace {

// Usable in constant expressions, with the same bytes.
static_assert(be16(0x1234).raw[0] == 0x12 && be16(0x1234).raw[1] == 0x34);
static_assert(be24(0x123456).raw[0] == 0x12 && be24(0x123456).value() == 0x123456);
static_assert(be64(0x0102030405060708ULL).value() == 0x0102030405060708ULL);
static_assert(le32(0x12345678).raw[0] == 0x78 && le32(0x12345678).value() == 0x12345678);
static_assert(be48(0xffff'1234'5678'9abcULL).value() == 0x1234'5678'9abcULL, "the low 48 bits");

// The bytes on the wire.
template <class T>
std::vector<int> bytes_of(const T& value) {
  std::vector<int> out;
  for (const std::byte b : as_bytes(value)) out.push_back(static_cast<int>(b));
  return out;
}

TEST(WireInteger, LaysOutBigEndian) {
  EXPECT_EQ(bytes_of(be16(0x0102)), (std::vector{1, 2}));
  EXPECT_EQ(bytes_of(be24(0x010203)), (std::vector{1, 2, 3}));
  EXPECT_EQ(bytes_of(be32(0x01020304)), (std::vector{1, 2, 3, 4}));
  EXPECT_EQ(bytes_of(be48(0x010203040506)), (std::vector{1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(bytes_of(be64(0x0102030405060708)), (std::vector{1, 2, 3, 4, 5, 6, 7, 8}));
}

TEST(WireInteger, LaysOutLittleEndian) {
  EXPECT_EQ(bytes_of(le16(0x0102)), (std::vector{2, 1}));
  EXPECT_EQ(bytes_of(le32(0x01020304)), (std::vector{4, 3, 2, 1}));
  EXPECT_EQ(bytes_of(le64(0x0102030405060708)), (std::vector{8, 7, 6, 5, 4, 3, 2, 1}));
}

template <class T>
class WireIntegerOf : public testing::Test {};
using All = testing::Types<be16, be24, be32, be48, be64, le16, le32, le64>;
TYPED_TEST_SUITE(WireIntegerOf, All);

TYPED_TEST(WireIntegerOf, GivesBackEveryBit) {
  using Integer = decltype(TypeParam().value());
  EXPECT_EQ(TypeParam().value(), 0U);
  for (std::size_t bit = 0; bit < 8 * sizeof(TypeParam); ++bit) {
    const auto value = static_cast<Integer>(Integer{1} << bit);
    TypeParam wire;
    wire = value;
    EXPECT_EQ(wire.value(), value) << bit;
    const auto complement = static_cast<Integer>(~value);
    const auto mask = static_cast<Integer>(~Integer{0} >> (8 * (sizeof(Integer) - sizeof(wire))));
    EXPECT_EQ(TypeParam(complement).value(), complement & mask) << bit;
  }
}

TEST(WireInteger, StandsAtAnyAddress) {
  struct Header {
    std::uint8_t opcode;
    be32 length;
    be16 tag;
  };
  static_assert(sizeof(Header) == 7 && WireStruct<Header>);
  const std::uint8_t raw[] = {0xee, 0x9a, 0, 0, 1, 2, 0xff, 0xfe};
  const auto header = load<Header>(Bytes(reinterpret_cast<const std::byte*>(raw + 1), 7));
  ASSERT_TRUE(header);
  EXPECT_EQ(header->length, 0x00000102U);
  EXPECT_EQ(header->tag, 0xfffeU);
}

}  // namespace
}  // namespace lunar
