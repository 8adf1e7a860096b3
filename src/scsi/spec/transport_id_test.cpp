#include "scsi/spec/transport_id.h"

#include <gtest/gtest.h>

#include <array>
#include <initializer_list>
#include <vector>

namespace lunar::scsi::spec {
namespace {

// A TransportID with the given format and length, a multiple of four or not.
std::vector<std::byte> transport_id(std::uint8_t first, std::string_view text, std::size_t length) {
  std::vector<std::byte> bytes(4 + length);
  bytes[0] = std::byte{first};
  bytes[3] = static_cast<std::byte>(length);
  for (std::size_t i = 0; i < text.size(); ++i) bytes[4 + i] = static_cast<std::byte>(text[i]);
  return bytes;
}

TEST(TransportId, IsWrittenAsTheInitiatorPortPaddedWithNulls) {
  std::array<std::byte, 64> room{};
  ByteWriter out(room);
  append_transport_id(out, "iqn.a:b,i,0x000000000001");
  // 24 characters and a null make 28.
  ASSERT_EQ(out.written(), 32U);
  EXPECT_EQ(transport_id_bytes("iqn.a:b,i,0x000000000001"), 32U);
  EXPECT_EQ(room[0], std::byte{0x45});
  EXPECT_EQ(room[1], std::byte{0});
  EXPECT_EQ(room[2], std::byte{0});
  EXPECT_EQ(room[3], std::byte{28});
  EXPECT_EQ(as_text(Bytes(room).subspan(4, 24)), "iqn.a:b,i,0x000000000001");
  for (std::size_t i = 28; i < 32; ++i) EXPECT_EQ(room[i], std::byte{0});
}

TEST(TransportId, IsAtLeast24Bytes) { EXPECT_EQ(transport_id_bytes("a,i,0x1"), 24U); }

TEST(TransportId, OfAPortIsReadInItsNormalForm) {
  const auto parsed = parse_transport_id(transport_id(0x45, "IQN.a:B,i,0xAbC", 20));
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->id, (TransportId{"iqn.a:b,i,0x000000000abc", true}));
  EXPECT_EQ(parsed->bytes, 24U);
}

TEST(TransportId, WithoutIsidIsThatOfADevice) {
  const auto parsed = parse_transport_id(transport_id(0x05, "iqn.a:b", 20));
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->id, (TransportId{"iqn.a:b", false}));
}

TEST(TransportId, MalformedOnesAreNone) {
  const auto is_none = [](const std::vector<std::byte>& bytes) {
    return !parse_transport_id(bytes).has_value();
  };
  EXPECT_TRUE(is_none({}));
  EXPECT_TRUE(is_none(transport_id(0x00, "iqn.a:b", 20))) << "Fibre Channel";
  EXPECT_TRUE(is_none(transport_id(0x85, "iqn.a:b", 20))) << "a reserved format";
  EXPECT_TRUE(is_none(transport_id(0x45, "iqn.a:b", 20))) << "a port without ISID";
  EXPECT_TRUE(is_none(transport_id(0x45, "iqn.a,i,0x1234567890123", 24))) << "13 digits";
  EXPECT_TRUE(is_none(transport_id(0x45, "iqn.a,i,0xg", 20)));
  EXPECT_TRUE(is_none(transport_id(0x05, "", 20)));
  EXPECT_TRUE(is_none(transport_id(0x05, "iqn.a b", 20)));
  EXPECT_TRUE(is_none(transport_id(0x05, "iqn.a", 16))) << "too short";
  EXPECT_TRUE(is_none(transport_id(0x05, "iqn.a", 22))) << "no multiple of four";
  EXPECT_TRUE(is_none(transport_id(0x05, "aaaaaaaaaaaaaaaaaaaa", 20))) << "no null";
  auto cut = transport_id(0x05, "iqn.a:b", 20);
  cut.pop_back();
  EXPECT_TRUE(is_none(cut));
}

TEST(TransportId, DeviceNameOfAPort) {
  EXPECT_EQ(device_name_of_port("iqn.a,i,0x000000000001"), "iqn.a");
}

}  // namespace
}  // namespace lunar::scsi::spec
