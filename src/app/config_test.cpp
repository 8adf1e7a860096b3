#include "control/config.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "app/device_kinds.h"
#include "backends/file/file_kind.h"
#include "backends/null/null_kind.h"
#include "backends/ram/ram_kind.h"
#include "layers/delay/delay_kind.h"
#include "layers/error/error_kind.h"

namespace lunar::control {
namespace {

Config parsed(std::string_view toml) {
  auto config = parse_config(toml, "c.toml", app::device_kinds());
  EXPECT_TRUE(config) << config.error().message << "\nin\n" << toml;
  return config.value_or(Config{});
}

struct Fault {
  std::string_view toml;
  std::string_view message;  // how the error begins
};

void expect_faults(std::span<const Fault> faults) {
  for (const auto& [toml, message] : faults) {
    const auto config = parse_config(toml, "c.toml", app::device_kinds());
    ASSERT_FALSE(config) << toml;
    EXPECT_EQ(config.error().code, ErrorCode::invalid_argument) << toml;
    EXPECT_TRUE(config.error().message.starts_with(message))
        << config.error().message << "\ninstead of\n"
        << message;
  }
}

constexpr std::string_view kWhole = R"(
shards = 1
log_level = "warning"

[[device]]
name = "scratch"
type = "ram"
size = "1GiB"
block_size = 4096
uuid = "00112233-4455-6677-8899-aabbccddeeff"

[[device]]
name = "void"
type = "null"
size = 1099511627776

[[device]]
name = "kept"
type = "file"
path = "/srv/kept.img"
size = "10GiB"
cache = "buffered"
readonly = true

[[device]]
name = "slow"
type = "delay"
base = "scratch"
read_delay_us = 100
write_delay_us = "2 ms"

[[device]]
name = "same"
type = "passthru"
base = "slow"

[[device]]
name = "bad"
type = "error"
base = "same"
[[device.inject]]
op = "read"
action = "corrupt"
lba = 1
count = 2
offset = 3
times = 4
[[device.inject]]
op = "any"
action = "fail"
status = "no_space"
[[device.inject]]
action = "hang"

[[target]]
name = "iqn.2026-11.io.lunar:One"
alias = "the first"
[[target.lun]]
lun = 7
device = "bad"
readonly = true
removable = true
[[target.lun]]
device = "kept"

[[target]]
name = "eui.0123456789abcdef"

[[portal]]
listen = "127.0.0.1:3261"
tag = 9
advertise = "192.0.2.1:860"
[[portal]]
listen = "[::]"
ipv4 = true
advertise = ["192.0.2.2", "[2001:db8::2]"]
)";

TEST(ConfigFile, ReadsDevices) {
  const Config config = parsed(kWhole);
  EXPECT_EQ(config.shards, "1");
  EXPECT_EQ(config.log_level, log::Level::warning);
  ASSERT_EQ(config.devices.size(), 6U);
  EXPECT_EQ(config.devices[0].name, "scratch");
  EXPECT_EQ(config.devices[0].kind->name(), "ram");
  EXPECT_EQ(config.devices[0].origin, "c.toml:5");
  const auto* ram = config.devices[0].configured.as<backends::RamParameters>();
  ASSERT_NE(ram, nullptr);
  EXPECT_EQ(ram->size, ByteCount(kGiB));
  EXPECT_EQ(ram->block_size, 4096U);
  EXPECT_EQ(ram->uuid->to_string(), "00112233-4455-6677-8899-aabbccddeeff");
  const auto* null = config.devices[1].configured.as<backends::NullParameters>();
  ASSERT_NE(null, nullptr);
  EXPECT_EQ(null->size, ByteCount(kTiB));
  EXPECT_EQ(null->block_size, 512U);
  const auto* file = config.devices[2].configured.as<backends::FileBackendOptions>();
  ASSERT_NE(file, nullptr);
  EXPECT_EQ(file->path, "/srv/kept.img");
  EXPECT_EQ(file->size, ByteCount(10 * kGiB));
  EXPECT_EQ(file->cache, backends::FileCache::buffered);
  EXPECT_TRUE(file->read_only);
  EXPECT_TRUE(config.devices[2].facts().read_only);
}

TEST(ConfigFile, ReadsLayers) {
  const Config config = parsed(kWhole);
  ASSERT_EQ(config.devices.size(), 6U);
  EXPECT_EQ(config.devices[3].base(), "scratch");
  const auto* delay = config.devices[3].configured.as<layers::DelayParameters>();
  ASSERT_NE(delay, nullptr);
  EXPECT_EQ(delay->read_ns, 100'000U) << "a number counts microseconds";
  EXPECT_EQ(delay->write_ns, 2'000'000U) << "text has its unit";
  EXPECT_EQ(config.devices[4].kind->name(), "passthru");
  EXPECT_EQ(config.devices[4].base(), "slow");
  const auto* error = config.devices[5].configured.as<layers::ErrorParameters>();
  ASSERT_NE(error, nullptr);
  ASSERT_EQ(error->inject.size(), 3U);
  const auto& inject = error->inject;
  EXPECT_EQ(inject[0].ops, layers::op_bit(block::Op::read));
  EXPECT_EQ(inject[0].action, layers::ErrorAction::corrupt);
  EXPECT_EQ(inject[0].first, Lba(1));
  EXPECT_EQ(inject[0].count, BlockCount(2));
  EXPECT_EQ(inject[0].offset_bytes, 3U);
  EXPECT_EQ(inject[0].times, 4U);
  EXPECT_EQ(inject[1].ops, layers::kEveryOp);
  EXPECT_EQ(inject[1].status, block::Status::no_space);
  EXPECT_EQ(inject[2].action, layers::ErrorAction::hang);
  EXPECT_EQ(inject[2].ops, layers::kEveryOp);
  EXPECT_EQ(inject[2].count, BlockCount(UINT64_MAX));
}

TEST(ConfigFile, ReadsTargetsAndPortals) {
  const Config config = parsed(kWhole);
  ASSERT_EQ(config.targets.size(), 2U);
  const TargetConfig& target = config.targets[0];
  EXPECT_EQ(target.name, "iqn.2026-11.io.lunar:one") << "names have one form, in lower case";
  EXPECT_EQ(target.alias, "the first");
  ASSERT_EQ(target.luns.size(), 2U);
  EXPECT_EQ(target.luns[0].lun, 7);
  EXPECT_EQ(target.luns[0].device, "bad");
  EXPECT_TRUE(target.luns[0].read_only);
  EXPECT_TRUE(target.luns[0].removable);
  EXPECT_EQ(target.luns[1].lun, 8) << "without a number: the next";
  EXPECT_FALSE(target.luns[1].read_only);
  ASSERT_EQ(config.portals.size(), 2U);
  EXPECT_EQ(config.portals[0].listen, "127.0.0.1:3261");
  EXPECT_EQ(config.portals[0].tag, 9);
  EXPECT_EQ(config.portals[1].listen, "[::]");
  EXPECT_EQ(config.portals[1].tag, 1);
  EXPECT_TRUE(config.portals[1].ipv4_too);
  EXPECT_EQ(config.portals[0].advertise, std::vector<std::string>{"192.0.2.1:860"});
  EXPECT_EQ(config.portals[1].advertise, (std::vector<std::string>{"192.0.2.2", "[2001:db8::2]"}));
}

TEST(ConfigFile, MayBeEmpty) {
  const Config config = parsed("");
  EXPECT_TRUE(config.devices.empty() && config.targets.empty() && config.portals.empty());
  EXPECT_EQ(config.shards, "");
  EXPECT_EQ(config.log_level, std::nullopt);
}

TEST(ConfigFile, TakesInlineTablesAndAnyOrderOfSections) {
  const Config config = parsed(R"(
target = [{name = "iqn.2026-11.io.lunar:t", lun = [{device = "d"}]}]
device = [{type = "ram", name = "d", size = 512}]
)");
  ASSERT_EQ(config.targets.size(), 1U);
  EXPECT_EQ(config.targets[0].luns.at(0).lun, 0);
  EXPECT_EQ(config.targets[0].luns.at(0).origin, "c.toml:2");
}

TEST(ConfigFile, SaysWhereItIsNoToml) {
  const auto config =
      parse_config("shards = 1\nthis is = = no TOML\n", "c.toml", app::device_kinds());
  ASSERT_FALSE(config);
  EXPECT_EQ(config.error().code, ErrorCode::malformed);
  EXPECT_TRUE(config.error().message.starts_with("c.toml:2: ")) << config.error().message;
}

TEST(ConfigFile, SurvivesWhatTomlppDoesNot) {
  for (const std::string_view line :
       {"[[[", "[=]", "[[ *]]", "\t[.a]", "\ufc7f = 1", "a = 1\u00e9"}) {
    const auto config =
        parse_config("shards = 1\n" + std::string(line) + "\n", "c.toml", app::device_kinds());
    ASSERT_FALSE(config) << line;
    EXPECT_EQ(config.error().code, ErrorCode::malformed);
    EXPECT_TRUE(config.error().message.starts_with("c.toml:2: ")) << config.error().message;
  }
}

TEST(ConfigFile, TakesAnyCharacterInStringsAndComments) {
  constexpr std::string_view kAliases[] = {
      "\"\u00e9 \\\" \u4e2d # no comment\" # \ufe0f",
      "'\u4e2d \\'",
      "\"\"\"\ufc7f \"\" \\\"\n\"\" \ufc7f\"\"\"\"\"",
      "'''\ufb00 ''\n'' \ufc7f''''",
  };
  for (const std::string_view alias : kAliases) {
    const Config config = parsed(
        "\xef\xbb\xbf# \u00e9\n[[target]]\nname = 'eui.0123456789abcdef'\n"
        "alias = " +
        std::string(alias) + "\n");
    ASSERT_EQ(config.targets.size(), 1U);
    EXPECT_NE(config.targets[0].alias, "");
  }
}

TEST(ConfigFile, ReadsPortGroups) {
  const Config config = parsed(
      "[[target]]\nname = 'eui.0123456789abcdef'\n"
      "port_group = [{tag = 2}, {tag = 7, state = 'standby', preferred = true, implicit = false, "
      "explicit = true}]\n");
  const auto& groups = config.targets.at(0).port_groups;
  ASSERT_EQ(groups.size(), 2U);
  EXPECT_EQ(groups[0].tag, 2);
  EXPECT_EQ(groups[0].state, AluaState::active_optimized);
  EXPECT_FALSE(groups[0].preferred);
  EXPECT_TRUE(groups[0].implicit_changes);
  EXPECT_FALSE(groups[0].explicit_changes);
  EXPECT_EQ(groups[1].tag, 7);
  EXPECT_EQ(groups[1].state, AluaState::standby);
  EXPECT_TRUE(groups[1].preferred);
  EXPECT_FALSE(groups[1].implicit_changes);
  EXPECT_TRUE(groups[1].explicit_changes);
}

TEST(ConfigFile, NamesUnknownKeysWithTheirLine) {
  constexpr Fault kFaults[] = {
      {"\nfrobnicate = 1\n", "c.toml:2: frobnicate: unknown key (known here: log_level, shards, "},
      {"portel = 1\n",
       "c.toml:1: portel: unknown key (known here: log_level, shards, state, device, target, "
       "portal); did you mean 'portal'?"},
      {"[[device]]\nname = \"d\"\ntype = \"fiel\"\n",
       "c.toml:3: device.type: must be one of ram, null, file, passthru, delay, error, not "
       "'fiel'; did you mean 'file'?"},
      {"[[device]]\nname = \"d\"\ntype = \"ram\"\nsise = 1\n",
       "c.toml:4: device.sise: unknown key (known here: name, type, size, block_size, uuid, "
       "protection, pages)"},
      // A key of another type of device.
      {"[[device]]\nname = \"d\"\ntype = \"ram\"\nsize = 512\npath = \"x\"\n",
       "c.toml:5: device.path: unknown key"},
      {"[[device]]\nname = \"d\"\ntype = \"ram\"\nsize = 512\nbase = \"x\"\n",
       "c.toml:5: device.base: unknown key"},
      {"[[target]]\nname = \"iqn.2026-11.io.lunar:t\"\nluns = []\n",
       "c.toml:3: target.luns: unknown key (known here: name, alias, lun, host, port_group)"},
      {"[[target]]\nname = \"iqn.2026-11.io.lunar:t\"\n[[target.lun]]\ndevise = \"d\"\n",
       "c.toml:4: target.lun.devise: unknown key (known here: lun, device, readonly, removable)"},
      {"[[portal]]\nport = 1\n",
       "c.toml:2: portal.port: unknown key (known here: listen, tag, ipv4, advertise)"},
      {"[[device]]\nname='r'\ntype='ram'\nsize=512\n[[device]]\nname='e'\ntype='error'\nbase='r'\n"
       "[[device.inject]]\naction='hang'\nstatus='gone'\n",
       "c.toml:11: device.inject.status: goes with action = \"fail\""},
  };
  expect_faults(kFaults);
}

TEST(ConfigFile, NamesMissingKeysWithTheLineOfTheirTable) {
  constexpr Fault kFaults[] = {
      {"\n[[device]]\ntype = \"ram\"\n", "c.toml:2: device.name: is missing"},
      {"[[device]]\nname = \"d\"\n", "c.toml:1: device.type: is missing"},
      {"[[device]]\nname = \"d\"\ntype = \"ram\"\n", "c.toml:1: device.size: is missing"},
      {"[[device]]\nname = \"d\"\ntype = \"null\"\n", "c.toml:1: device.size: is missing"},
      {"[[device]]\nname = \"d\"\ntype = \"file\"\n", "c.toml:1: device.path: is missing"},
      {"[[device]]\nname = \"d\"\ntype = \"passthru\"\n", "c.toml:1: device.base: is missing"},
      {"[[target]]\n", "c.toml:1: target.name: is missing"},
      {"[[target]]\nname = \"iqn.2026-11.io.lunar:t\"\n\n[[target.lun]]\nlun = 1\n",
       "c.toml:4: target.lun.device: is missing"},
      {"[[target]]\nname = \"iqn.2026-11.io.lunar:t\"\n[[target.port_group]]\nstate='standby'\n",
       "c.toml:3: target.port_group.tag: is missing"},
      {"[[portal]]\n", "c.toml:1: portal.listen: is missing"},
  };
  expect_faults(kFaults);
}

TEST(ConfigFile, NamesWrongTypesAndValues) {
  constexpr Fault kFaults[] = {
      {"log_level = \"loud\"", "c.toml:1: log_level: unknown log level 'loud'"},
      {"log_level = 3", "c.toml:1: log_level: must be a string, not 3"},
      {"shards = 0", "c.toml:1: shards: must be a whole number from 1"},
      {"shards = \"none\"", "c.toml:1: shards: 'none' is no number of shards"},
      {"shards = 1.5", "c.toml:1: shards: must be a string, not a number with a fraction"},
      {"device = 1", "c.toml:1: device: must be an array of tables (device = [{…}]), not 1"},
      {"[device]\nname = \"d\"", "c.toml:1: device: must be an array of tables"},
      {"device = [1]", "c.toml:1: device: must be an array of tables"},
      {"[[device]]\nname = 1", "c.toml:2: device.name: must be a string, not 1"},
      {"[[device]]\nname = \"\"", "c.toml:2: device.name: must not be empty"},
      {"[[device]]\nname = \"d\"\ntype = \"tape\"",
       "c.toml:3: device.type: must be one of ram, null, file, passthru, delay, error, not 'tape'"},
      {"[[device]]\nname='d'\ntype='ram'\nsize='1GiBB'", "c.toml:4: device.size: '1GiBB' is not"},
      {"[[device]]\nname='d'\ntype='ram'\nsize=-1", "c.toml:4: device.size: must be a size"},
      {"[[device]]\nname='d'\ntype='ram'\nsize=0", "c.toml:4: device.size: 0 bytes are not"},
      {"[[device]]\nname='d'\ntype='ram'\nsize=1000", "c.toml:4: device.size: 1000 bytes are not"},
      {"[[device]]\nname='d'\ntype='ram'\nsize=4096\nblock_size=1000",
       "c.toml:5: device.block_size: must be 512 or 4096, not 1000"},
      {"[[device]]\nname='d'\ntype='ram'\nsize=4096\nblock_size=8192",
       "c.toml:5: device.block_size: must be 512 or 4096, not 8192"},
      {"[[device]]\nname='d'\ntype='ram'\nsize='17TiB'",
       "c.toml:4: device.size: must be at most 16 TiB, not 17 TiB"},
      {"[[device]]\nname='d'\ntype='ram'\nsize=512\nprotection=4",
       "c.toml:5: device.protection: must be 1, 2 or 3, not 4"},
      {"[[device]]\nname='d'\ntype='ram'\nsize=512\nuuid='x'", "c.toml:5: device.uuid: 'x' is not"},
      {"[[device]]\nname='d'\ntype='file'\npath='p'\ncache='some'",
       "c.toml:5: device.cache: must be one of direct, buffered, not 'some'"},
      {"[[device]]\nname='d'\ntype='file'\npath='p'\nreadonly=1",
       "c.toml:5: device.readonly: must be true or false, not 1"},
      {"[[target]]\nname = 'not an iqn'", "c.toml:2: target.name: iSCSI name \"not an iqn\""},
      {"[[target]]\nname = 'eui.0123456789abcdef'\nport_group = [{tag = 0}]",
       "c.toml:3: target.port_group.tag: must be a whole number "},
      {"[[target]]\nname = 'eui.0123456789abcdef'\nport_group = [{tag = 1}, {tag = 1}]",
       "c.toml:3: target.port_group.tag: there is a port group 1 already"},
      {"[[target]]\nname = 'eui.0123456789abcdef'\nport_group = [{tag = 1, state = 'fast'}]",
       "c.toml:3: target.port_group.state: must be one of active/optimized, "
       "active/non-optimized, "},
      {"[[portal]]\nlisten = 'nowhere'", "c.toml:2: portal.listen: \"nowhere\" is not an address"},
      {"[[portal]]\nlisten = '127.0.0.1'\ntag = 0",
       "c.toml:3: portal.tag: must be a whole number "},
      {"[[portal]]\nlisten = '127.0.0.1'\ntag = 65536", "c.toml:3: portal.tag: must be a whole"},
      {"[[portal]]\nlisten = '0.0.0.0'\nipv4 = true", "c.toml:3: portal.ipv4: 0.0.0.0 cannot take"},
      {"[[portal]]\nlisten = '0.0.0.0'\nadvertise = 'here'",
       "c.toml:3: portal.advertise: \"here\" is not an address"},
      {"[[portal]]\nlisten = '0.0.0.0'\nadvertise = ['192.0.2.1', '192.0.2.1']",
       "c.toml:3: portal.advertise: 192.0.2.1 is advertised twice"},
      {"[[portal]]\nlisten = '0.0.0.0'\n[[portal]]\nlisten = '192.0.2.1'",
       "c.toml:4: portal.listen: 192.0.2.1:3260 is taken by the portal on 0.0.0.0:3260"},
      {"[[portal]]\nlisten = '192.0.2.1:1'\nadvertise = '192.0.2.9:3'\n"
       "[[portal]]\nlisten = '192.0.2.1:2'\ntag = 2\nadvertise = '192.0.2.9:3'",
       "c.toml:7: portal.advertise: 192.0.2.9:3 would lead to portal group 1 and to portal group "
       "2"},
  };
  expect_faults(kFaults);
}

TEST(ConfigFile, NamesWrongLayers) {
  const auto with = [](std::string_view layer) {
    return "[[device]]\nname='r'\ntype='ram'\nsize=512\n[[device]]\nname='l'\n" +
           std::string(layer);
  };
  const std::string no_base = with("type='delay'\nbase='x'\n");
  const std::string itself = with("type='delay'\nbase='l'\n");
  const std::string slow = with("type='delay'\nbase='r'\nread_delay_us=60000001\n");
  const std::string no_action = with("type='error'\nbase='r'\n[[device.inject]]\nop='read'\n");
  const std::string action = with("type='error'\nbase='r'\ninject=[{action='explode'}]\n");
  const std::string op = with("type='error'\nbase='r'\ninject=[{op='wipe', action='fail'}]\n");
  const std::string count = with("type='error'\nbase='r'\ninject=[{action='fail', count=0}]\n");
  const std::string status =
      with("type='error'\nbase='r'\ninject=[{action='fail', status='ok'}]\n");
  const std::string corrupt =
      with("type='error'\nbase='r'\ninject=[{op='write', action='corrupt'}]\n");
  const Fault faults[] = {
      {no_base, "c.toml:8: device.base: there is no device 'x' before this one"},
      {itself, "c.toml:8: device.base: there is no device 'l' before this one"},
      {slow, "c.toml:9: device.read_delay_us: must be from 0 to 60000000 us (1min), not 60000001"},
      {no_action, "c.toml:9: device.inject.action: is missing"},
      {action, "c.toml:9: device.inject.action: must be one of fail, corrupt, hang, not 'explode'"},
      {op, "c.toml:9: device.inject.op: must be one of any, read, write, "},
      {count, "c.toml:9: device.inject.count: must be a whole number from 1"},
      {status, "c.toml:9: device.inject.status: must be one of aborted, "},
      {corrupt, "c.toml:9: device.inject.action: corrupt goes with op = \"read\""},
  };
  expect_faults(faults);
}

TEST(ConfigFile, NamesDuplicatesAndReferencesToNothing) {
  const auto with = [](std::string_view rest) {
    return "[[device]]\nname='r'\ntype='ram'\nsize=512\n" + std::string(rest);
  };
  const std::string target = "[[target]]\nname='iqn.2026-11.io.lunar:t'\n";
  const std::string device = with("[[device]]\nname='r'\ntype='null'\nsize=512\n");
  const std::string twice = target + "[[target]]\nname='iqn.2026-11.IO.lunar:T'\n";
  const std::string lun = with(target + "lun=[{device='r'},\n{lun=0, device='r'}]\n");
  const std::string no_device = with(target + "lun=[{device='nobody'}]\n");
  const std::string high = with(target + "lun=[{lun=16384, device='r'}]\n");
  const std::string none_left = with(target + "lun=[{lun=16383, device='r'},\n{device='r'}]\n");
  const Fault faults[] = {
      {device, "c.toml:6: device.name: there is a device 'r' already"},
      {twice, "c.toml:4: target.name: there is a target iqn.2026-11.io.lunar:t already"},
      {lun, "c.toml:8: target.lun.lun: there is a LUN 0 already"},
      {no_device, "c.toml:7: target.lun.device: there is no device 'nobody'"},
      {high, "c.toml:7: target.lun.lun: must be a whole number from 0 to 16383, not 16384"},
      {none_left, "c.toml:8: target.lun.lun: no LUN is left above 16383"},
  };
  expect_faults(faults);
}

class LoadConfig : public ::testing::Test {
 protected:
  LoadConfig() {
    std::string pattern = (std::filesystem::temp_directory_path() / "lunar.XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
  }
  ~LoadConfig() override { std::filesystem::remove_all(folder_); }

  std::filesystem::path folder_;
};

TEST_F(LoadConfig, ReadsAFileAndNamesItInErrors) {
  const std::string path = folder_ / "lunar.toml";
  std::ofstream(path) << kWhole;
  const auto config = load_config(path, app::device_kinds());
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->devices.size(), 6U);
  std::ofstream(path) << "wrong = 1\n";
  EXPECT_TRUE(load_config(path, app::device_kinds())
                  .error()
                  .message.starts_with(path + ":1: wrong: unknown key"));
  std::ofstream(path) << "";
  EXPECT_TRUE(load_config(path, app::device_kinds())) << "an empty file is a document";
}

TEST_F(LoadConfig, NamesWhatCannotBeRead) {
  const std::string missing = folder_ / "missing.toml";
  const auto none = load_config(missing, app::device_kinds());
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, ErrorCode::not_found);
  EXPECT_EQ(none.error().message, "cannot read " + missing + ": No such file or directory");
  const auto folder = load_config(folder_, app::device_kinds());
  ASSERT_FALSE(folder);
  EXPECT_EQ(folder.error().message, "cannot read " + folder_.string() + ": Is a directory");
}

constexpr std::string_view kDiskAndTarget =
    "device = [{name = 'd', type = 'ram', size = 512}]\n"
    "[[target]]\nname = 'iqn.2026-11.io.lunar:t'\n";

TEST(ConfigFile, ReadsHostsWithNumbersOfTheirOwn) {
  const Config config = parsed(std::string(kDiskAndTarget) + R"(
lun = [{device = "d"}]
[[target.host]]
name = "db"
initiator = "iqn.2026-11.example:db?"
lun = [{device = "d"}, {lun = 300, device = "d"}, {device = "d"}]
[[target.host]]
name = "web"
initiator = ["iqn.2026-11.example:web*", "iqn.2026-11.example:www"]
address = ["192.0.2.0/24", "::1"]
)");
  ASSERT_EQ(config.targets.size(), 1U);
  const TargetConfig& target = config.targets[0];
  EXPECT_EQ(target.luns.size(), 1U);
  ASSERT_EQ(target.hosts.size(), 2U);
  const HostConfig& db = target.hosts[0];
  EXPECT_EQ(db.name, "db");
  EXPECT_EQ(db.origin, "c.toml:6");
  EXPECT_EQ(db.initiators, (std::vector<std::string>{"iqn.2026-11.example:db?"}));
  EXPECT_TRUE(db.addresses.empty());
  ASSERT_EQ(db.luns.size(), 3U);
  EXPECT_EQ(db.luns[0].lun, 0) << "the target's own numbers are others";
  EXPECT_EQ(db.luns[1].lun, 300);
  EXPECT_EQ(db.luns[2].lun, 301);
  EXPECT_EQ(target.hosts[1].initiators.size(), 2U);
  EXPECT_EQ(target.hosts[1].addresses.size(), 2U);
}

TEST(ConfigFile, NamesTheFaultOfAHost) {
  const std::string begin = std::string(kDiskAndTarget) + "[[target.host]]\n";
  const std::string whole = begin + "name = 'h'\ninitiator = 'i'\n";
  const std::string texts[] = {
      begin + "initiator = 'i'",
      begin + "name = 'h'",
      begin + "name = 'h'\ninitiator = []",
      begin + "name = 'h'\ninitiator = ['a', 7]",
      begin + "name = 'h'\naddress = '192.0.2.1/24'",
      whole + "[[target.host]]\nname = 'h'\ninitiator = 'j'",
      whole + "lun = [{device = 'd'}, {lun = 0, device = 'd'}]",
      whole + "lun = [{lun = 16383, device = 'd'}, {device = 'd'}]",
      whole + "lun = [{device = 'e'}]",
  };
  const std::string_view messages[] = {
      "c.toml:4: target.host.name: is missing",
      "c.toml:4: target.host.initiator: a host is told by names",
      "c.toml:6: target.host.initiator: must not be empty",
      "c.toml:6: target.host.initiator: must be a string that is not empty, or an array of them",
      "c.toml:6: target.host.address: '192.0.2.1/24' has bits set behind",
      "c.toml:8: target.host.name: there is a host 'h' already",
      "c.toml:7: target.host.lun.lun: there is a LUN 0 already",
      "c.toml:7: target.host.lun.lun: no LUN is left above 16383",
      "c.toml:7: target.host.lun.device: there is no device 'e'",
  };
  for (std::size_t i = 0; i < std::size(texts); ++i) {
    const Fault fault{texts[i], messages[i]};
    expect_faults({&fault, 1});
  }
}

}  // namespace
}  // namespace lunar::control
