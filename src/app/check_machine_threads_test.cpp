#include "app/check_machine.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "app/device_kinds.h"
#include "lunar/server.h"

namespace lunar::app {
namespace {

class CheckMachine : public ::testing::Test {
 protected:
  CheckMachine() {
    std::string pattern = (std::filesystem::temp_directory_path() / "lunar.XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
    path_ = folder_ + "/d.img";
  }
  ~CheckMachine() override { std::filesystem::remove_all(folder_); }

  void make(std::uintmax_t bytes) const {
    std::ofstream(path_).close();
    std::filesystem::resize_file(path_, bytes);
  }
  void disk(const std::string& spec) {
    auto device = control::parse_disk(spec, device_kinds());
    ASSERT_TRUE(device) << device.error().message;
    config_.devices.push_back(std::move(*device));
  }
  // That of one disk.
  void expect_wrong(const std::string& spec, ErrorCode code, std::string_view part) {
    config_.devices.clear();
    disk(spec);
    expect_wrong(code, "--disk " + spec + ": ", part);
  }
  void expect_wrong(ErrorCode code, std::string_view begin, std::string_view part) const {
    const auto result = check_machine(config_);
    ASSERT_FALSE(result) << part;
    EXPECT_EQ(result.error().code, code) << result.error().message;
    EXPECT_TRUE(result.error().message.starts_with(begin)) << result.error().message;
    EXPECT_NE(result.error().message.find(part), std::string::npos) << result.error().message;
    EXPECT_FALSE(std::filesystem::exists(folder_ + "/new.img")) << "nothing is made";
  }

  std::string folder_;
  std::string path_;
  control::Config config_;
};

TEST_F(CheckMachine, SaysWhatAFileLacks) {
  expect_wrong("file:" + path_, ErrorCode::not_found, "it does not exist; give its size");
  expect_wrong("file:" + path_ + ",size=1MiB,readonly", ErrorCode::not_found, "is not made");
  expect_wrong("file:" + folder_ + "/none/d.img,size=1MiB", ErrorCode::not_found,
               "cannot make it in " + folder_ + "/none");
  expect_wrong("file:" + folder_, ErrorCode::invalid_argument, "it is a folder");
  expect_wrong("file:/dev/null", ErrorCode::invalid_argument, "neither a regular file nor");
  make(0);
  expect_wrong("file:" + path_, ErrorCode::invalid_argument, "it is empty: give its size");
  make(1000);
  expect_wrong("file:" + path_, ErrorCode::invalid_argument, "1000 bytes is no multiple");
  make(512);
  expect_wrong("file:" + path_ + ",block=4096", ErrorCode::invalid_argument, "block size 4096");
}

TEST_F(CheckMachine, KnowsAFileByAnyName) {
  make(512);
  std::filesystem::create_hard_link(path_, folder_ + "/hard.img");
  std::filesystem::create_symlink("d.img", folder_ + "/soft.img");
  for (const char* name : {"/d.img", "/./d.img", "/hard.img", "/soft.img"}) {
    config_.devices.clear();
    disk("file:" + path_);
    disk("file:" + folder_ + name);
    expect_wrong(ErrorCode::invalid_argument, "--disk file:" + folder_ + name + ": ",
                 "it is the disk of --disk file:" + path_ + " already");
  }
  config_.devices.clear();
  disk("file:" + folder_ + "/new.img,size=1MiB");
  disk("file:" + folder_ + "/./new.img,size=1MiB");
  expect_wrong(ErrorCode::invalid_argument, "--disk", "already");
  config_.devices.clear();
  disk("file:" + path_ + ",readonly");
  disk("file:" + path_ + ",readonly");
  EXPECT_TRUE(check_machine(config_)) << "what is only read may be several";
}

TEST_F(CheckMachine, RemarksOnASizeBelowThatOfTheFile) {
  make(2 << 20);
  disk("file:" + path_ + ",size=1MiB");
  const auto remarks = check_machine(config_);
  ASSERT_TRUE(remarks) << remarks.error().message;
  ASSERT_EQ(remarks->size(), 1U);
  EXPECT_NE(remarks->front().find("larger than size says, 2 MiB instead of 1 MiB"),
            std::string::npos)
      << remarks->front();
}

TEST_F(CheckMachine, NamesTheProtectionThatADiskWasMadeWith) {
  {
    auto server = Server::create({.shards = "1"});
    ASSERT_TRUE(server);
    ASSERT_TRUE((*server)->add_file("d", path_, ByteCount(1 << 20), {.protection = 2}));
    ASSERT_TRUE((*server)->add_target("iqn.2026-11.io.lunar:t"));
    ASSERT_TRUE((*server)->add_portal("127.0.0.1:0"));
    ASSERT_TRUE((*server)->map("iqn.2026-11.io.lunar:t", Lun(0), "d"));
    ASSERT_TRUE((*server)->start());
  }
  expect_wrong("file:" + path_, ErrorCode::invalid_argument,
               "serve it with protection=2, or remove");
  expect_wrong("file:" + path_ + ",protection=1", ErrorCode::invalid_argument,
               "was made with protection=2, not with protection=1");
  config_.devices.clear();
  disk("file:" + path_ + ",protection=2");
  EXPECT_TRUE(check_machine(config_));
}

TEST_F(CheckMachine, NamesAnAddressOfNoInterface) {
  config_.portals.push_back({.origin = "c.toml:7", .listen = "192.0.2.1:0"});
  expect_wrong(ErrorCode::invalid_argument,
               "c.toml:7: ", "192.0.2.1:0: no interface of this machine has this address");
  config_.portals[0].listen = "127.0.0.1:0";
  EXPECT_TRUE(check_machine(config_));
}

}  // namespace
}  // namespace lunar::app
