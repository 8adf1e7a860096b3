#include "base/crc16.h"

#include <gtest/gtest.h>

#include <array>

namespace lunar {
namespace {

// SBC-3, table "CRC test cases": 32 bytes each.
TEST(Crc16T10Dif, GivesTheVectorsOfTheStandard) {
  std::array<std::byte, 32> bytes{};
  EXPECT_EQ(crc16_t10dif(bytes), 0x0000);
  bytes.fill(std::byte{0xff});
  EXPECT_EQ(crc16_t10dif(bytes), 0xa293);
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::byte>(i);
  EXPECT_EQ(crc16_t10dif(bytes), 0x0224);
  bytes.fill(std::byte{0});
  bytes[0] = bytes[1] = std::byte{0xff};
  EXPECT_EQ(crc16_t10dif(bytes), 0x21b8);
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::byte>(0xff - i);
  EXPECT_EQ(crc16_t10dif(bytes), 0xa0b7);
}

// The check value of CRC-16/T10-DIF.
TEST(Crc16T10Dif, GivesTheCheckValueOfItsCatalogue) {
  EXPECT_EQ(crc16_t10dif(as_bytes(std::string_view("123456789"))), 0xd0db);
}

}  // namespace
}  // namespace lunar
