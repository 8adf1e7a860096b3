#include "base/crc32c.h"

#include <gtest/gtest.h>

#include <array>
#include <vector>

namespace lunar {
namespace {

template <class Make>
std::array<std::byte, 32> thirty_two(Make make) {
  std::array<std::byte, 32> bytes;
  for (std::size_t i = 0; i < 32; ++i) bytes[i] = static_cast<std::byte>(make(i));
  return bytes;
}

// RFC 3720 §B.4 prints the bytes in wire order, least significant first.
TEST(Crc32c, GivesTheVectorsOfTheStandard) {
  EXPECT_EQ(crc32c(thirty_two([](std::size_t) { return 0; })), 0x8a9136aaU);
  EXPECT_EQ(crc32c(thirty_two([](std::size_t) { return 0xff; })), 0x62a8ab43U);
  EXPECT_EQ(crc32c(thirty_two([](std::size_t i) { return i; })), 0x46dd794eU);
  EXPECT_EQ(crc32c(thirty_two([](std::size_t i) { return 31 - i; })), 0x113fdb5cU);
  // "An iSCSI - SCSI Read (10) Command PDU".
  const std::uint8_t read10[48] = {0x01, 0xc0, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
                                   0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x14, 0x00, 0x00, 0x00,
                                   0x00, 0x00, 0x04, 0x00, 0x00, 0x00, 0x00, 0x14, 0x00, 0x00,
                                   0x00, 0x18, 0x28, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
                                   0x02, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00};
  EXPECT_EQ(crc32c(std::as_bytes(std::span(read10))), 0xd9963a56U);
}

TEST(Crc32c, CheckValue) { EXPECT_EQ(crc32c(as_bytes("123456789")), 0xe3069283U); }

TEST(Crc32c, OfNothingIsZero) { EXPECT_EQ(crc32c({}), 0U); }

// Bit by bit, according to the polynomial.
std::uint32_t slow(Bytes bytes) {
  std::uint32_t state = 0xffffffffU;
  for (const std::byte b : bytes) {
    state ^= static_cast<std::uint32_t>(b);
    for (int bit = 0; bit < 8; ++bit) state = (state >> 1) ^ ((state & 1) != 0 ? 0x82f63b78U : 0);
  }
  return ~state;
}

TEST(Crc32c, TakesPiecesOfAnyLengthAtAnyAlignment) {
  std::vector<std::byte> data(5000);
  std::uint32_t x = 1;
  for (auto& b : data) b = static_cast<std::byte>((x = x * 1664525 + 1013904223) >> 24);
  for (std::size_t from = 0; from < 9; ++from) {
    for (std::size_t length = 0; length < 700; length += 1 + length / 8) {
      const Bytes all = Bytes(data).subspan(from, length);
      ASSERT_EQ(crc32c(all), slow(all)) << from << '+' << length;
      const Bytes head = all.first(length / 3);
      const std::uint32_t state = crc32c_update(kCrc32cSeed, head);
      ASSERT_EQ(crc32c_finish(crc32c_update(state, all.subspan(head.size()))), slow(all));
    }
  }
}

}  // namespace
}  // namespace lunar
