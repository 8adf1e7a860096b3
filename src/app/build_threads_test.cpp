// From a configuration to a server that runs, and what it says about itself.
#include "app/build.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "app/announce.h"
#include "app/device_kinds.h"
#include "app/serve.h"
#include "app/server_internals.h"

namespace lunar::app {
namespace {

class Build : public ::testing::Test {
 protected:
  Build() {
    std::string pattern = (std::filesystem::temp_directory_path() / "lunar.XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
  }
  ~Build() override {
    server_.reset();
    std::filesystem::remove_all(folder_);
  }

  // The result of build() with a new server.
  Result<void> build_from(std::string_view toml) {
    auto config = control::parse_config(toml, "c.toml", device_kinds());
    EXPECT_TRUE(config) << config.error().message;
    if (!config) return {};
    config_ = std::move(*config);
    server_ = std::move(*Server::create({.shards = "1"}));
    return build(*server_, config_);
  }

  void expect_error(std::string_view toml, ErrorCode code, std::string_view begin,
                    std::string_view part) {
    const auto built = build_from(toml);
    ASSERT_FALSE(built) << toml;
    EXPECT_EQ(built.error().code, code) << built.error().message;
    EXPECT_TRUE(built.error().message.starts_with(begin)) << built.error().message;
    EXPECT_NE(built.error().message.find(part), std::string::npos) << built.error().message;
  }

  [[nodiscard]] const block::Device& device(std::string_view name) const {
    return server_->internals().registry->find(name)->device();
  }

  std::filesystem::path folder_;
  control::Config config_;
  std::unique_ptr<Server> server_;
};

constexpr std::string_view kWhole = R"(
portal = [{listen = "127.0.0.1:0"}, {listen = "127.0.0.1:0", tag = 2, advertise = "192.0.2.9"}]
[[device]]
name = "scratch"
type = "ram"
size = "1GiB"
uuid = "00112233-4455-6677-8899-aabbccddeeff"
[[device]]
name = "void"
type = "null"
size = "1536MiB"
block_size = 4096
[[device]]
name = "slow"
type = "delay"
base = "scratch"
read_delay_us = 10
[[device]]
name = "through"
type = "passthru"
base = "slow"
[[device]]
name = "bad"
type = "error"
base = "through"
inject = [{op = "read", action = "fail", lba = 1}, {action = "hang", lba = 2, count = 1}]
[[target]]
name = "iqn.2026-11.io.lunar:one"
lun = [{device = "bad"}, {device = "void", readonly = true}]
port_group = [{tag = 1, state = "active/non-optimized", preferred = true}]
[[target]]
name = "iqn.2026-11.io.lunar:two"
lun = [{lun = 300, device = "bad"}]
)";

TEST_F(Build, MakesWhatTheFileSays) {
  const auto built = build_from(kWhole);
  ASSERT_TRUE(built) << built.error().message;
  EXPECT_EQ(device("scratch").uuid().to_string(), "00112233-4455-6677-8899-aabbccddeeff");
  EXPECT_EQ(device("bad").uuid(), device("scratch").uuid()) << "a layer shows what it stands on";
  EXPECT_EQ(device("void").limits().block_size, 4096U);
  EXPECT_EQ(device("void").limits().size(), ByteCount(1536 * kMiB));
  const auto started = server_->start();
  ASSERT_TRUE(started) << started.error().message;
  EXPECT_EQ(server_->listening().size(), 2U);
}

TEST_F(Build, SaysWhatIsServedAndHowToTryIt) {
  ASSERT_TRUE(build_from(kWhole));
  ASSERT_TRUE(server_->start());
  const std::string first = server_->listening()[0];
  EXPECT_EQ(announcement(*server_, config_),
            "lunar serves on " + first + ", " + server_->listening()[1] +
                " advertised as 192.0.2.9 in portal group 2, 1 shard\n"
                "iqn.2026-11.io.lunar:one\n"
                "  portal group 1: active/non-optimized, preferred\n"
                "  portal group 2: active/optimized\n"
                "  LUN 0: error over through 1 GiB\n"
                "  LUN 1: null 1536 MiB, 4096-byte blocks, read-only\n"
                "iqn.2026-11.io.lunar:two\n"
                "  portal group 1: active/optimized\n"
                "  portal group 2: active/optimized\n"
                "  LUN 300: error over through 1 GiB\n"
                "Try it: iscsi-ls -s iscsi://" +
                first + "/\n");
}

TEST_F(Build, DescribesAFileByItsPathAndHowItIsOpen) {
  const std::string path = folder_ / "d.img";
  const auto built = build_from(
      "[[device]]\nname='w'\ntype='file'\nsize='1MiB'\ncache='buffered'\n"
      "path='" +
      path + "'\n");
  ASSERT_TRUE(built) << built.error().message;
  EXPECT_EQ(describe(config_.devices[0], device("w")), "file " + path + " 1 MiB, buffered");
  server_.reset();
  ASSERT_TRUE(
      build_from("[[device]]\nname='r'\ntype='file'\nreadonly=true\ncache='buffered'\n"
                 "path='" +
                 path + "'\n"));
  EXPECT_EQ(describe(config_.devices[0], device("r")),
            "file " + path + " 1 MiB, buffered, read-only");
}

TEST_F(Build, NamesTheLineOfWhatCannotBeBuilt) {
  const std::string ram = "[[device]]\nname='d'\ntype='ram'\nsize=512\n";
  const std::string target = "[[target]]\nname='iqn.2026-11.io.lunar:t'\n";
  const std::string twice = ram +
                            "[[device]]\nname='a'\ntype='passthru'\nbase='d'\n"
                            "[[device]]\nname='b'\ntype='passthru'\nbase='d'\n";
  expect_error(twice, ErrorCode::busy,
               "c.toml:9: ", "device 'd' is claimed for writing by passthru a");
  const std::string mapped = ram + "[[device]]\nname='a'\ntype='passthru'\nbase='d'\n" + target +
                             "[[target.lun]]\ndevice='d'\n";
  expect_error(mapped, ErrorCode::busy, "c.toml:11: ", "claimed for writing by passthru a");
  const std::string options = ram + target + "lun=[{device='d'},\n{device='d', readonly=true}]\n";
  expect_error(options, ErrorCode::invalid_argument, "c.toml:8: ", "with other options");
  expect_error("[[device]]\nname='f'\ntype='file'\npath='/nonexistent/d.img'\nsize=512\n",
               ErrorCode::not_found, "c.toml:1: ", "/nonexistent/d.img");
}

TEST(Reachable, TakesLoopbackForAnyAddress) {
  EXPECT_EQ(reachable("0.0.0.0:3260"), "127.0.0.1:3260");
  EXPECT_EQ(reachable("[::]:3260"), "[::1]:3260");
  EXPECT_EQ(reachable("192.0.2.1:3260"), "192.0.2.1:3260");
}

}  // namespace
}  // namespace lunar::app
