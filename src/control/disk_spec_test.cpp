#include <gtest/gtest.h>

#include "control/config.h"

namespace lunar::control {
namespace {

DeviceConfig parsed(std::string_view spec) {
  auto device = parse_disk(spec);
  EXPECT_TRUE(device) << device.error().message;
  return device.value_or(DeviceConfig{});
}

TEST(DiskSpec, RamAndNullHaveASize) {
  const DeviceConfig ram = parsed("ram:1GiB");
  EXPECT_EQ(ram.type, DeviceType::ram);
  EXPECT_EQ(ram.size, kGiB);
  EXPECT_EQ(ram.block_size, std::nullopt);
  EXPECT_EQ(ram.origin, "--disk ram:1GiB");
  EXPECT_EQ(ram.name, "");
  const DeviceConfig null = parsed("null:1TiB,block=4096");
  EXPECT_EQ(null.type, DeviceType::null);
  EXPECT_EQ(null.size, kTiB);
  EXPECT_EQ(null.block_size, 4096U);
}

TEST(DiskSpec, FileIsAPathAlone) {
  const DeviceConfig file = parsed("file:/srv/a b:c=d.img");
  EXPECT_EQ(file.type, DeviceType::file);
  EXPECT_EQ(file.path, "/srv/a b:c=d.img");
  EXPECT_EQ(file.size, std::nullopt);
  EXPECT_FALSE(file.buffered);
  EXPECT_FALSE(file.read_only);
  EXPECT_EQ(file.uuid, std::nullopt);
}

TEST(DiskSpec, FileTakesItsOptionsInAnyOrder) {
  const DeviceConfig file = parsed(
      "file:d.img,readonly,cache=buffered,uuid=00112233-4455-6677-8899-aabbccddeeff,block=4096,"
      "size=10GiB");
  EXPECT_EQ(file.path, "d.img");
  EXPECT_EQ(file.size, 10 * kGiB);
  EXPECT_EQ(file.block_size, 4096U);
  EXPECT_TRUE(file.buffered);
  EXPECT_TRUE(file.read_only);
  EXPECT_EQ(file.uuid->to_string(), "00112233-4455-6677-8899-aabbccddeeff");
  EXPECT_FALSE(parsed("file:d.img,cache=direct").buffered);
  EXPECT_EQ(parsed("file:d.img,block=512").block_size, 512U);
}

TEST(DiskSpec, RamAndFilesMayHaveProtectionInformation) {
  EXPECT_EQ(parsed("ram:1MiB").huge_pages, std::nullopt);
  EXPECT_EQ(parsed("ram:1MiB,pages=huge").huge_pages, true);
  EXPECT_EQ(parsed("ram:1MiB,pages=small").huge_pages, false);
  EXPECT_EQ(parsed("ram:1MiB").protection, 0);
  EXPECT_EQ(parsed("ram:1MiB,protection=1").protection, 1);
  EXPECT_EQ(parsed("file:d.img,protection=3,block=4096").protection, 3);
}

TEST(DiskSpec, NamesTheSpecAndWhatIsWrongWithIt) {
  struct Case {
    std::string_view spec;
    std::string_view why;
  };
  constexpr Case kCases[] = {
      {"", "is not ram:SIZE"},
      {"ram", "has no size: ram:1GiB"},
      {"null", "has no size: null:1GiB"},
      {"file", "has no path: file:PATH"},
      {"disk", "is not ram:SIZE"},
      {"/srv/d.img", "(file:/srv/d.img?)"},
      {"floppy:1MiB", "unknown kind 'floppy'"},
      {":1MiB", "unknown kind ''"},
      {"ram:", "has no size: ram:1GiB"},
      {"ram:,block=512", "has no size: ram:1GiB"},
      {"ram:1GiBB", "'1GiBB' is not a size"},
      {"ram:-1", "'-1' is not a size"},
      {"null:99999999999TiB", "too large"},
      {"ram:0", "0 bytes are not"},
      {"ram:1000", "1000 bytes are not one or more whole blocks of 512"},
      {"ram:512,block=4096", "512 bytes are not one or more whole blocks of 4096"},
      {"file:", "has no path"},
      {"file:,size=1MiB", "has no path"},
      {"file:d,size=0", "0 bytes are not"},
      {"file:d,size=muchMiB", "'muchMiB' is not a size"},
      {"file:d,size", "size needs a value"},
      {"file:d,size=1MiB,size=1MiB", "size is given twice"},
      {"file:d,readonly,readonly", "readonly is given twice"},
      {"file:d,readonly=yes", "readonly takes no value"},
      {"file:d,block=1000", "block=1000 is neither"},
      {"file:d,block=", "block= is neither"},
      {"file:d,cache=sometimes", "cache=sometimes is neither"},
      {"file:d,uuid=1", "'1' is not a UUID"},
      {"file:d,frobnicate=1", "file has no option 'frobnicate'"},
      {"file:d,", "file has no option ''"},
      {"file:d,,readonly", "file has no option ''"},
      {"ram:1MiB,cache=direct",
       "ram has no option 'cache' (it has block, uuid, protection, pages)"},
      {"ram:1MiB,pages=4k", "pages=4k is neither huge nor small"},
      {"null:1MiB,pages=huge", "null has no option 'pages' (it has block, uuid)"},
      {"ram:1MiB,size=1MiB", "ram has no option 'size'"},
      {"null:1MiB,readonly", "null has no option 'readonly'"},
      {"null:1MiB,protection=1", "null has no option 'protection' (it has block, uuid)"},
      {"ram:1MiB,protection=0", "protection=0 is not 1, 2 or 3"},
      {"ram:1MiB,protection=12", "protection=12 is not 1, 2 or 3"},
      {"file:d,protection", "protection needs a value"},
  };
  for (const auto& [spec, why] : kCases) {
    const auto device = parse_disk(spec);
    ASSERT_FALSE(device) << spec;
    EXPECT_EQ(device.error().code, ErrorCode::invalid_argument) << spec;
    const std::string& message = device.error().message;
    EXPECT_TRUE(message.starts_with("--disk " + std::string(spec) + ": ")) << message;
    EXPECT_NE(message.find(why), std::string::npos) << message;
  }
}

}  // namespace
}  // namespace lunar::control
