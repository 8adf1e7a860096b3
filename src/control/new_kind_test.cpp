// A kind of its own, as docs/HACKING.md adds one: its declaration is all that there is, and the
// configuration file, --disk, help, errors and the reference page know it.
#include <gtest/gtest.h>

#include "control/config.h"
#include "control/devices_page.h"
#include "kinds/common.h"

namespace lunar::control {
namespace {

// HACKING: the declaration
struct TapeParameters {
  std::string path{};
  std::uint32_t block_size = block::kMinBlockSize;
  std::uint64_t rewind_ns = 1'000'000'000;
};

const kinds::DeviceKind& tape_kind() {
  static const kinds::DeviceKind kind(kinds::Declaration<TapeParameters>{
      .name = "tape",
      .meaning = "A disk on a tape.",
      .parameters = {schema::path("path", &TapeParameters::path, "the drive").required().leading(),
                     kinds::block_size(&TapeParameters::block_size),
                     schema::duration("rewind", &TapeParameters::rewind_ns, 1'000'000,
                                      60'000'000'000, "how long it takes to begin")},
      .make = [](const TapeParameters& given,
                 kinds::Making& making) -> Result<std::unique_ptr<block::Device>> {
        return fail(ErrorCode::unsupported,
                    fmt::format("{}: no tape in {}", making.name, given.path));
      }});
  return kind;
}
// HACKING: end

// A layer, to show the other half.
struct SieveParameters {
  std::uint32_t keeps = 2;
};

const kinds::DeviceKind& sieve_kind() {
  static const kinds::DeviceKind kind(kinds::Declaration<SieveParameters>{
      .name = "sieve",
      .meaning = "Lets something through.",
      .is_layer = true,
      .parameters = {schema::number("keeps", &SieveParameters::keeps, 1, 100, "one in so many")},
      .make = [](const SieveParameters&, kinds::Making&) -> Result<std::unique_ptr<block::Device>> {
        return fail(ErrorCode::unsupported, "a sieve holds no water");
      }});
  return kind;
}

const kinds::DeviceKinds& both() {
  static const kinds::DeviceKinds kinds{&tape_kind(), &sieve_kind()};
  return kinds;
}

TEST(NewKind, IsConfiguredByTheFile) {
  const auto config = parse_config(
      "[[device]]\nname='t'\ntype='tape'\npath='/dev/st0'\nrewind='2s'\nblock_size=4096\n"
      "[[device]]\nname='s'\ntype='sieve'\nbase='t'\nkeeps=3\n",
      "c.toml", both());
  ASSERT_TRUE(config) << config.error().message;
  ASSERT_EQ(config->devices.size(), 2U);
  const auto* tape = config->devices[0].configured.as<TapeParameters>();
  ASSERT_NE(tape, nullptr);
  EXPECT_EQ(tape->path, "/dev/st0");
  EXPECT_EQ(tape->block_size, 4096U);
  EXPECT_EQ(tape->rewind_ns, 2'000'000'000U);
  EXPECT_EQ(config->devices[1].base(), "t");
  EXPECT_EQ(config->devices[1].configured.as<SieveParameters>()->keeps, 3U);
  EXPECT_EQ(config->devices[1].configured.as<TapeParameters>(), nullptr);
}

TEST(NewKind, IsConfiguredByASpec) {
  const auto tape = parse_disk("tape:/dev/st0,rewind=500,block=4096", both());
  ASSERT_TRUE(tape) << tape.error().message;
  EXPECT_EQ(tape->configured.as<TapeParameters>()->rewind_ns, 500'000'000U);
  EXPECT_EQ(tape->configured.as<TapeParameters>()->block_size, 4096U);
  EXPECT_EQ(parse_disk("sieve:t", both())->base(), "t");
}

TEST(NewKind, IsNamedByErrors) {
  const auto message = [](std::string_view toml) {
    const auto config = parse_config(toml, "c.toml", both());
    return config ? std::string("none") : config.error().message;
  };
  EXPECT_EQ(message("[[device]]\nname='t'\ntype='ram'"),
            "c.toml:3: device.type: must be one of tape, sieve, not 'ram'");
  EXPECT_EQ(message("[[device]]\nname='t'\ntype='tape'\npath='p'\nrewnid=1"),
            "c.toml:5: device.rewnid: unknown key (known here: name, type, path, block_size, "
            "rewind); did you mean 'rewind'?");
  EXPECT_EQ(message("[[device]]\nname='t'\ntype='tape'"), "c.toml:1: device.path: is missing");
  EXPECT_EQ(message("[[device]]\nname='t'\ntype='tape'\npath='p'\nrewind='61s'"),
            "c.toml:5: device.rewind: must be from 0 to 60000 ms (1min), not '61s'");
  EXPECT_EQ(message("[[device]]\nname='s'\ntype='sieve'"), "c.toml:1: device.base: is missing");
  EXPECT_EQ(
      message("[[device]]\nname='tape'\ntype='tape'\npath='p'\n"
              "[[device]]\nname='s'\ntype='sieve'\nbase='tpae'"),
      "c.toml:8: device.base: there is no device 'tpae' before this one; did you mean 'tape'?");
  EXPECT_EQ(parse_disk("tape:/dev/st0,rewind", both()).error().message,
            "--disk tape:/dev/st0,rewind: rewind needs a value: rewind=…");
  EXPECT_EQ(parse_disk("disk", both()).error().message,
            "--disk disk: is not tape:PATH or sieve:BASE");
  EXPECT_EQ(parse_disk("/dev/st0", both()).error().message,
            "--disk /dev/st0: is not tape:PATH or sieve:BASE (tape:/dev/st0?)");
}

TEST(NewKind, IsInHelpAndReference) {
  EXPECT_EQ(disk_help(both()),
            "  tape:PATH[,block=512|4096][,rewind=DURATION]\n  sieve:BASE[,keeps=NUMBER]\n");
  EXPECT_EQ(kind_help(tape_kind()),
            "A disk on a tape.\n\n  --disk tape:PATH[,block=512|4096][,rewind=DURATION]\n\n"
            "  PATH             the drive\n"
            "  block=512|4096   bytes of a logical block (default: 512)\n"
            "  rewind=DURATION  how long it takes to begin (default: 1s)\n");
  const std::string page = devices_page(both());
  EXPECT_TRUE(page.contains("| [`tape`](#tape) | A disk on a tape. |\n")) << page;
  EXPECT_TRUE(page.contains("\n## sieve\n\nLets something through.\n\n`--disk sieve:BASE[,keeps="))
      << page;
  EXPECT_TRUE(page.contains(
      "| `rewind` | `rewind=DURATION` | duration, or a number of ms: up to 1min | 1s | "
      "how long it takes to begin |\n"))
      << page;
  EXPECT_TRUE(
      page.contains("| `base` | `BASE` | text | required | the name of the device below |\n"))
      << page;
}

}  // namespace
}  // namespace lunar::control
