#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "app/serve.h"
#include "engine/medium_name.h"

namespace lunar::app {
namespace {

using control::Config;

constexpr const char* kTarget = "iqn.2026-11.io.lunar:disks";
constexpr std::string_view kFile = R"(
log_level = "error"
device = [{name = "disk0", type = "ram", size = "1MiB"}]
target = [{name = "iqn.2026-11.io.lunar:disks", lun = [{lun = 4, device = "disk0"}]}]
portal = [{listen = "127.0.0.1:1", tag = 3}]
)";

class Merge : public ::testing::Test {
 protected:
  Merge() {
    std::string pattern = (std::filesystem::temp_directory_path() / "lunar.XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
    path_ = folder_ / "lunar.toml";
    write(kFile);
  }
  ~Merge() override { std::filesystem::remove_all(folder_); }

  void write(std::string_view text) const { std::ofstream(path_) << text; }

  static Config merged(const ServeOptions& options) {
    auto config = merge(options);
    EXPECT_TRUE(config) << config.error().message;
    return config.value_or(Config{});
  }
  static void expect_error(const ServeOptions& options, std::string_view message) {
    const auto config = merge(options);
    ASSERT_FALSE(config) << message;
    EXPECT_TRUE(config.error().message.starts_with(message)) << config.error().message;
    EXPECT_EQ(exit_status(config.error().code), 2) << config.error().message;
  }

  std::filesystem::path folder_;
  std::string path_;
};

TEST_F(Merge, MakesOneTargetOfTheDisks) {
  const Config config = merged({.disks = {"ram:1MiB", "null:2MiB"}, .target = kTarget});
  ASSERT_EQ(config.targets.size(), 1U);
  const control::TargetConfig& target = config.targets[0];
  EXPECT_EQ(target.name, kTarget);
  ASSERT_EQ(target.luns.size(), 2U);
  for (std::uint16_t lun = 0; lun < 2; ++lun) {
    EXPECT_EQ(target.luns[lun].lun, lun);
    EXPECT_EQ(target.luns[lun].device, config.devices.at(lun).name);
    EXPECT_EQ(target.luns[lun].origin, config.devices.at(lun).origin);
  }
  EXPECT_NE(config.devices[0].name, config.devices[1].name);
  EXPECT_TRUE(config.devices[0].name_is_made_up);
  ASSERT_EQ(config.portals.size(), 1U);
  EXPECT_EQ(config.portals[0].listen, control::kDefaultListen);
}

TEST_F(Merge, TakesNameShardsLevelAndPortalsFromTheCommandLine) {
  const Config config = merged({.disks = {"ram:1MiB"},
                                .listen = {"127.0.0.1:1", "[::1]:2"},
                                .target = "iqn.2026-11.IO.lunar:Mine",
                                .shards = "1",
                                .log_level = "debug"});
  EXPECT_EQ(config.targets.at(0).name, "iqn.2026-11.io.lunar:mine");
  EXPECT_EQ(config.shards, "1");
  EXPECT_EQ(config.log_level, log::Level::debug);
  ASSERT_EQ(config.portals.size(), 2U) << "and not the default one";
  EXPECT_EQ(config.portals[1].listen, "[::1]:2");
  EXPECT_EQ(config.portals[1].tag, 1);
}

TEST_F(Merge, AddsToTheFile) {
  const Config config = merged(
      {.disks = {"ram:2MiB"}, .listen = {"127.0.0.1:2"}, .target = kTarget, .config_path = path_});
  ASSERT_EQ(config.targets.size(), 1U);
  ASSERT_EQ(config.targets[0].luns.size(), 2U);
  EXPECT_EQ(config.targets[0].luns[1].lun, 5) << "after the highest";
  ASSERT_EQ(config.devices.size(), 2U);
  EXPECT_EQ(config.devices[1].name, "disk1") << "disk0 is the file's";
  EXPECT_FALSE(config.devices[0].name_is_made_up);
  ASSERT_EQ(config.portals.size(), 2U);
  EXPECT_EQ(config.log_level, log::Level::error);
}

TEST_F(Merge, PutsDisksIntoAnotherTargetBesideThatOfTheFile) {
  const Config config =
      merged({.disks = {"ram:2MiB"}, .target = "iqn.2026-11.io.lunar:other", .config_path = path_});
  ASSERT_EQ(config.targets.size(), 2U);
  EXPECT_EQ(config.targets[1].name, "iqn.2026-11.io.lunar:other");
  EXPECT_EQ(config.targets[1].luns.at(0).lun, 0);
}

TEST_F(Merge, ServesAFileAlone) {
  const Config config = merged({.log_level = "info", .config_path = path_});
  EXPECT_EQ(config.targets.size(), 1U);
  EXPECT_EQ(config.portals.size(), 1U);
  EXPECT_EQ(config.log_level, log::Level::info) << "the command line decides";
  write(R"(
    device = [{name = "d", type = "ram", size = "1MiB"}]
    target = [{name = "iqn.2026-11.io.lunar:disks", lun = [{device = "d"}]}])");
  EXPECT_EQ(merged({.config_path = path_}).portals.at(0).listen, control::kDefaultListen);
}

TEST_F(Merge, NamesTheOptionThatIsWrong) {
  expect_error({.disks = {"ram:1MiB", "ram:0"}, .target = kTarget}, "--disk ram:0: ");
  expect_error({.disks = {"ram:1MiB"}, .listen = {"300.0.0.1:3260"}, .target = kTarget},
               "--listen 300.0.0.1:3260: ");
  expect_error(
      {.disks = {"ram:1MiB"}, .listen = {"127.0.0.1:1"}, .target = kTarget, .config_path = path_},
      "--listen 127.0.0.1:1: 127.0.0.1:1 is taken by the portal on 127.0.0.1:1");
  expect_error({.disks = {"ram:1MiB"}, .target = "mine"}, "--target: iSCSI name \"mine\"");
  expect_error({.disks = {"ram:1MiB"}, .shards = "none"}, "--shards: 'none'");
  expect_error({.disks = {"ram:1MiB"}, .log_level = "loud"},
               "--log-level: unknown log level 'loud'");
  expect_error({.config_path = "/nonexistent.toml"}, "cannot read /nonexistent.toml");
  write("wrong = 1");
  expect_error({.disks = {"ram:1MiB"}, .config_path = path_}, path_ + ":1: wrong: unknown key");
}

// Two machines of one default name would look like two ways to one target.
TEST_F(Merge, NamesTheTargetAfterTheMachine) {
  EXPECT_EQ(default_target("0123456789ab"), "iqn.2026-11.io.lunar:disks-0123456789ab");
  EXPECT_NE(*default_target("0123456789ac"), *default_target("0123456789ab"));
  const auto nameless = default_target("");
  ASSERT_FALSE(nameless);
  EXPECT_EQ(nameless.error().code, ErrorCode::invalid_argument);
  EXPECT_NE(nameless.error().message.find("give --target"), std::string::npos);

  const auto expected = default_target(engine::machine_token());
  const auto config = merge({.disks = {"ram:1MiB"}});
  ASSERT_EQ(config.has_value(), expected.has_value());
  if (config) {
    EXPECT_EQ(config->targets.at(0).name, *expected);
  }
}

TEST_F(Merge, RefusesToServeNothing) {
  expect_error({}, "nothing to serve: add a disk (--disk ram:1GiB)");
  expect_error({.target = "iqn.2026-11.io.lunar:t", .config_path = path_},
               "--target iqn.2026-11.io.lunar:t: it says where --disk goes");
  write("target = [{name = \"iqn.2026-11.io.lunar:t\"}]");
  expect_error({.config_path = path_}, path_ + ": nothing to serve");
}

TEST_F(Merge, RefusesADiskWhereNoLunIsLeft) {
  write(R"(
    device = [{name = "d", type = "ram", size = "1MiB"}]
    target = [{name = "iqn.2026-11.io.lunar:disks", lun = [{lun = 16383, device = "d"}]}])");
  expect_error({.disks = {"ram:1MiB"}, .target = kTarget, .config_path = path_},
               "--disk ram:1MiB: no LUN is left");
}

TEST(ExitStatus, TellsTheUsersFaultsFromTheMachines) {
  EXPECT_EQ(exit_status(ErrorCode::invalid_argument), 2);
  EXPECT_EQ(exit_status(ErrorCode::not_found), 2);
  EXPECT_EQ(exit_status(ErrorCode::permission), 2);
  EXPECT_EQ(exit_status(ErrorCode::busy), 1);
  EXPECT_EQ(exit_status(ErrorCode::no_resource), 1);
}

}  // namespace
}  // namespace lunar::app
