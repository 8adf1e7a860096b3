#include "lunar/uuid.h"

#include <gtest/gtest.h>

#include <set>

namespace lunar {
namespace {

TEST(Uuid, PrintsWhatItParsed) {
  const std::string text = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0";
  const auto uuid = Uuid::parse(text);
  ASSERT_TRUE(uuid);
  EXPECT_EQ(uuid->to_string(), text);
  EXPECT_EQ(uuid->bytes[0], 0x0f);
  EXPECT_EQ(uuid->bytes[15], 0xf0);
}

TEST(Uuid, ParsesEitherCase) {
  EXPECT_EQ(Uuid::parse("ABCDEF01-2345-4789-8BCD-EF0123456789")->to_string(),
            "abcdef01-2345-4789-8bcd-ef0123456789");
}

TEST(Uuid, RefusesWhatIsNone) {
  for (const char* text : {
           "",
           "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f",    // too short
           "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f00",  // too long
           "0f1e2d3c04b5a-6978-8796-a5b4c3d2e1f0",   // a dash missing
           "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1g0",   // no hex digit
           "{0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1}",
       }) {
    const auto uuid = Uuid::parse(text);
    ASSERT_FALSE(uuid) << text;
    EXPECT_EQ(uuid.error().code, ErrorCode::invalid_argument);
    EXPECT_NE(uuid.error().message.find(text), std::string::npos);
  }
}

TEST(Uuid, RandomOneIsVersion4) {
  const std::array<std::uint8_t, 16> zeroes{};
  EXPECT_EQ(Uuid::from_random(zeroes).to_string(), "00000000-0000-4000-8000-000000000000");
  std::array<std::uint8_t, 16> ones;
  ones.fill(0xff);
  EXPECT_EQ(Uuid::from_random(ones).to_string(), "ffffffff-ffff-4fff-bfff-ffffffffffff");
}

TEST(Uuid, NamedOneIsVersion8AndAlwaysTheSame) {
  const Uuid uuid = Uuid::from_name("ram0");
  EXPECT_EQ(uuid, Uuid::from_name("ram0"));
  EXPECT_EQ(uuid.bytes[6] >> 4, 8);
  EXPECT_EQ(uuid.bytes[8] >> 6, 2);  // RFC 9562 §4.1: variant 10
  // Must never change: every device without a place to store its UUID would get a new identity.
  EXPECT_EQ(uuid.to_string(), "549b1f5b-88eb-811c-9ace-f53288e9bdec");
}

TEST(Uuid, NamesThatDifferLittleGiveDifferentOnes) {
  std::set<Uuid> seen;
  for (int i = 0; i < 10'000; ++i) seen.insert(Uuid::from_name("disk" + std::to_string(i)));
  EXPECT_EQ(seen.size(), 10'000U);
  EXPECT_NE(Uuid::from_name(""), Uuid::from_name(std::string_view("\0", 1)));
}

TEST(Uuid, KnowsNil) {
  EXPECT_TRUE(Uuid{}.is_nil());
  EXPECT_TRUE(Uuid::parse("00000000-0000-0000-0000-000000000000")->is_nil());
  EXPECT_FALSE(Uuid::from_name("a").is_nil());
}

}  // namespace
}  // namespace lunar
