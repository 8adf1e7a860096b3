#include <gtest/gtest.h>

#include "app/device_kinds.h"
#include "backends/file/file_kind.h"
#include "backends/null/null_kind.h"
#include "backends/ram/ram_kind.h"
#include "control/config.h"
#include "layers/delay/delay_kind.h"

namespace lunar::control {
namespace {

DeviceConfig parsed(std::string_view spec) {
  auto device = parse_disk(spec, app::device_kinds());
  EXPECT_TRUE(device) << device.error().message;
  return device.value_or(DeviceConfig{});
}

template <class Parameters>
Parameters parsed_as(std::string_view spec) {
  const DeviceConfig device = parsed(spec);
  const auto* parameters = device.configured.as<Parameters>();
  EXPECT_NE(parameters, nullptr) << spec;
  return parameters == nullptr ? Parameters() : *parameters;
}

TEST(DiskSpec, RamAndNullHaveASize) {
  const DeviceConfig device = parsed("ram:1GiB");
  EXPECT_EQ(device.kind->name(), "ram");
  EXPECT_EQ(device.origin, "--disk ram:1GiB");
  EXPECT_EQ(device.name, "");
  const auto ram = parsed_as<backends::RamParameters>("ram:1GiB");
  EXPECT_EQ(ram.size, ByteCount(kGiB));
  EXPECT_EQ(ram.block_size, 512U);
  const auto null = parsed_as<backends::NullParameters>("null:1TiB,block=4096");
  EXPECT_EQ(null.size, ByteCount(kTiB));
  EXPECT_EQ(null.block_size, 4096U);
}

TEST(DiskSpec, FileIsAPathAlone) {
  const auto file = parsed_as<backends::FileBackendOptions>("file:/srv/a b:c=d.img");
  EXPECT_EQ(file.path, "/srv/a b:c=d.img");
  EXPECT_EQ(file.size, std::nullopt);
  EXPECT_EQ(file.cache, backends::FileCache::direct);
  EXPECT_FALSE(file.read_only);
  EXPECT_EQ(file.uuid, std::nullopt);
}

TEST(DiskSpec, FileTakesItsOptionsInAnyOrder) {
  const auto file = parsed_as<backends::FileBackendOptions>(
      "file:d.img,readonly,cache=buffered,uuid=00112233-4455-6677-8899-aabbccddeeff,block=4096,"
      "size=10GiB");
  EXPECT_EQ(file.path, "d.img");
  EXPECT_EQ(file.size, ByteCount(10 * kGiB));
  EXPECT_EQ(file.block_size, 4096U);
  EXPECT_EQ(file.cache, backends::FileCache::buffered);
  EXPECT_TRUE(file.read_only);
  EXPECT_EQ(file.uuid->to_string(), "00112233-4455-6677-8899-aabbccddeeff");
  using Options = backends::FileBackendOptions;
  EXPECT_EQ(parsed_as<Options>("file:d.img,cache=direct").cache, backends::FileCache::direct);
  EXPECT_EQ(parsed_as<Options>("file:d.img,block=512").block_size, 512U);
  EXPECT_FALSE(parsed_as<Options>("file:d.img,readonly=false").read_only);
}

TEST(DiskSpec, RamAndFilesMayHaveProtectionInformation) {
  using backends::RamPages;
  using backends::RamParameters;
  EXPECT_EQ(parsed_as<RamParameters>("ram:1MiB").pages, RamPages::automatic);
  EXPECT_EQ(parsed_as<RamParameters>("ram:1MiB,pages=huge").pages, RamPages::huge);
  EXPECT_EQ(parsed_as<RamParameters>("ram:1MiB,pages=small").pages, RamPages::small);
  EXPECT_EQ(parsed_as<RamParameters>("ram:1MiB").protection, 0);
  EXPECT_EQ(parsed_as<RamParameters>("ram:1MiB,protection=1").protection, 1);
  EXPECT_EQ(
      parsed_as<backends::FileBackendOptions>("file:d.img,protection=3,block=4096").protection, 3);
}

TEST(DiskSpec, LayersStandOnADevice) {
  const DeviceConfig delay = parsed("delay:scratch,read_delay_us=200,write_delay_us=1.5ms");
  EXPECT_TRUE(delay.is_layer());
  EXPECT_EQ(delay.base(), "scratch");
  EXPECT_EQ(delay.configured.as<layers::DelayParameters>()->read_ns, 200'000U);
  EXPECT_EQ(delay.configured.as<layers::DelayParameters>()->write_ns, 1'500'000U);
  EXPECT_EQ(parsed("passthru:scratch").base(), "scratch");
}

TEST(DiskSpec, NamesTheSpecAndWhatIsWrongWithIt) {
  struct Case {
    std::string_view spec;
    std::string_view why;
  };
  constexpr Case kCases[] = {
      {"", "is not ram:SIZE"},
      {"ram", "has no size: ram:1GiB"},
      {"delay", "has no base: delay:BASE"},
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
      {"file:d,readonly=yes", "readonly: must be true or false, not 'yes'"},
      {"file:d,block=1000", "block: must be 512 or 4096, not '1000'"},
      {"file:d,block=", "block: must be 512 or 4096, not ''"},
      {"file:d,cache=sometimes", "cache: must be one of direct, buffered, not 'sometimes'"},
      {"file:d,uuid=1", "'1' is not a UUID"},
      {"file:d,frobnicate=1", "file has no option 'frobnicate'"},
      {"file:d,", "file has no option ''"},
      {"file:d,,readonly", "file has no option ''"},
      {"ram:1MiB,cache=direct",
       "ram has no option 'cache' (it has block, uuid, protection, pages)"},
      {"ram:1MiB,pages=4k", "pages: must be one of huge, small, not '4k'"},
      {"null:1MiB,pages=huge", "null has no option 'pages' (it has block, uuid)"},
      {"ram:1MiB,size=1MiB", "ram has no option 'size'"},
      {"null:1MiB,readonly", "null has no option 'readonly'"},
      {"null:1MiB,protection=1", "null has no option 'protection' (it has block, uuid)"},
      {"ram:1MiB,protection=0", "protection: must be 1, 2 or 3, not '0'"},
      {"ram:1MiB,protection=12", "protection: must be 1, 2 or 3, not '12'"},
      {"ram:17TiB", "size: must be at most 16 TiB, not 17 TiB"},
      {"rma:1MiB",
       "unknown kind 'rma', not ram:SIZE, null:SIZE, file:PATH, passthru:BASE, "
       "delay:BASE or error:BASE; did you mean 'ram'?"},
      {"file:d,readolny",
       "file has no option 'readolny' (it has size, block, cache, missing, readonly, uuid, "
       "protection); did you mean 'readonly'?"},
      {"passthru:d,x", "passthru has no option 'x', nor any other"},
      {"error:d,inject=1", "error has no option 'inject', nor any other"},
      {"delay:d,read_delay_us=2h", "read_delay_us: '2h' is not a duration: unknown unit 'h'"},
      {"file:d,protection", "protection needs a value"},
  };
  for (const auto& [spec, why] : kCases) {
    const auto device = parse_disk(spec, app::device_kinds());
    ASSERT_FALSE(device) << spec;
    EXPECT_EQ(device.error().code, ErrorCode::invalid_argument) << spec;
    const std::string& message = device.error().message;
    EXPECT_TRUE(message.starts_with("--disk " + std::string(spec) + ": ")) << message;
    EXPECT_NE(message.find(why), std::string::npos) << message;
  }
}

}  // namespace
}  // namespace lunar::control
