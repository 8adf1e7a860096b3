#include "base/size.h"

#include <gtest/gtest.h>

#include "lunar/types.h"

namespace lunar {
namespace {

TEST(ParseSize, TakesWhatPeopleWrite) {
  const std::pair<const char*, std::uint64_t> cases[] = {
      {"0", 0},
      {"512", 512},
      {"512B", 512},
      {"4k", 4 * kKiB},
      {"4K", 4 * kKiB},
      {"4KiB", 4 * kKiB},
      {"10G", 10 * kGiB},
      {"1GiB", kGiB},
      {"1gib", kGiB},
      {"1.5TiB", kTiB + kTiB / 2},
      {"0.5k", 512},
      {"2P", 2048 * kTiB},
      {"64 GiB", 64 * kGiB},
      {"64 G", 64 * kGiB},
      {"512 B", 512},
      {"1.5 TiB", kTiB + kTiB / 2},
      {"18446744073709551615", UINT64_MAX},
      {"16383P", 16383ULL * 1024 * kTiB},
  };
  for (const auto& [text, bytes] : cases) {
    const auto size = parse_size(text);
    ASSERT_TRUE(size) << text;
    EXPECT_EQ(*size, bytes) << text;
  }
}

TEST(ParseSize, RefusesTheRestAndNamesIt) {
  for (const char* text : {"",
                           " ",
                           "G",
                           "-1",
                           "+1",
                           "1  GiB",
                           "1 ",
                           "1\tGiB",
                           "1 GiB ",
                           "1GiBs",
                           "1XiB",
                           "1..5G",
                           ".",
                           "1.5.2M",
                           "0x10",
                           "1e3",
                           "18446744073709551616",
                           "16384P",
                           "99999999999999999999G",
                           "9000000.5T",
                           "1GB "}) {
    const auto size = parse_size(text);
    ASSERT_FALSE(size) << text;
    EXPECT_EQ(size.error().code, ErrorCode::invalid_argument);
    EXPECT_NE(size.error().message.find(std::string("'") + text + "'"), std::string::npos);
  }
}

TEST(ParseSize, RefusesWhatIsAPowerOf1000ToSome) {
  for (const char* text : {"1kB", "1KB", "64MB", "64 GB", "1.5TB", "1mb"}) {
    const auto size = parse_size(text);
    ASSERT_FALSE(size) << text;
    EXPECT_NE(size.error().message.find("to others: write "), std::string::npos)
        << size.error().message;
  }
  EXPECT_NE(parse_size("64mb").error().message.find("write MiB"), std::string::npos);
  EXPECT_NE(parse_size("64 XB").error().message.find("unknown unit 'XB'"), std::string::npos);
}

TEST(FormatSize, PicksTheLargestExactUnit) {
  EXPECT_EQ(format_size(0), "0 B");
  EXPECT_EQ(format_size(513), "513 B");
  EXPECT_EQ(format_size(kGiB), "1 GiB");
  EXPECT_EQ(format_size(1536 * kMiB), "1536 MiB");
  EXPECT_EQ(format_size(UINT64_MAX), "18446744073709551615 B");
  EXPECT_EQ(format_size(1ULL << 63), "8192 PiB");
}

}  // namespace
}  // namespace lunar
