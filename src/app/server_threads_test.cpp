// A Server as an embedding program sees it, on real shards and loopback.
#include "lunar/server.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <mutex>
#include <thread>
#include <vector>

#include "app/server_internals.h"

namespace lunar {
namespace {

constexpr const char* kTarget = "iqn.2026-11.io.lunar:test";

std::unique_ptr<Server> one_shard() {
  auto server = Server::create({.shards = "1"});
  EXPECT_TRUE(server) << server.error().message;
  return std::move(*server);
}

// With a disk of 1 MiB as LUN 0.
std::unique_ptr<Server> with_disk() {
  auto server = one_shard();
  EXPECT_TRUE(server->add_portal("127.0.0.1:0"));
  EXPECT_TRUE(server->add_ram("d", ByteCount(kMiB)));
  EXPECT_TRUE(server->add_target(kTarget));
  EXPECT_TRUE(server->map(kTarget, Lun(0), "d"));
  return server;
}

std::uint16_t port_of(std::string_view listening) {
  const std::string_view digits = listening.substr(listening.rfind(':') + 1);
  std::uint16_t port = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), port);
  return port;
}

// Whether something listens there on 127.0.0.1.
bool connects(std::uint16_t port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const bool good = connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  close(fd);
  return good;
}

template <class T>
void expect_error(const Result<T>& result, ErrorCode code, std::string_view part) {
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, code) << result.error().message;
  EXPECT_NE(result.error().message.find(part), std::string::npos) << result.error().message;
}

TEST(Server, ListensFromStartToStop) {
  const auto server = with_disk();
  ASSERT_TRUE(server->add_portal("127.0.0.1:0", {.portal_group_tag = 2}));
  EXPECT_TRUE(server->listening().empty());
  const auto started = server->start();
  ASSERT_TRUE(started) << started.error().message;
  ASSERT_EQ(server->listening().size(), 2U);
  const std::uint16_t first = port_of(server->listening()[0]);
  const std::uint16_t second = port_of(server->listening()[1]);
  EXPECT_NE(first, 0);
  EXPECT_NE(first, second);
  EXPECT_TRUE(connects(first));
  EXPECT_TRUE(connects(second));
  server->stop();
  EXPECT_TRUE(server->listening().empty());
  EXPECT_FALSE(connects(first));
  EXPECT_FALSE(connects(second));
}

TEST(Server, IsDestroyedInAnyState) {
  one_shard();
  with_disk();
  const auto stopped = with_disk();
  ASSERT_TRUE(stopped->start());
  stopped->stop();
  stopped->stop();
  std::uint16_t port = 0;
  {
    const auto running = with_disk();
    ASSERT_TRUE(running->start());
    port = port_of(running->listening()[0]);
  }
  EXPECT_FALSE(connects(port));
}

TEST(Server, HasOneLife) {
  const auto server = with_disk();
  ASSERT_TRUE(server->start());
  expect_error(server->start(), ErrorCode::busy, "start(): the server runs already");
  server->stop();
  expect_error(server->start(), ErrorCode::busy, "start(): the server has ended: make another");
  expect_error(server->add_ram("late", ByteCount(kMiB)), ErrorCode::busy, "add_ram()");
  expect_error(server->add_file("late", "/nonexistent"), ErrorCode::busy, "add_file()");
  expect_error(server->add_target("iqn.2026-11.io.lunar:late"), ErrorCode::busy, "add_target()");
  expect_error(server->remove_target(kTarget), ErrorCode::busy, "remove_target()");
  expect_error(server->add_portal("127.0.0.1:0"), ErrorCode::busy, "add_portal()");
  expect_error(server->remove_portal("127.0.0.1:0"), ErrorCode::busy, "remove_portal()");
  expect_error(server->set_port_group(kTarget, 1, {}), ErrorCode::busy, "set_port_group()");
  expect_error(server->add_device(nullptr), ErrorCode::busy, "add_device(): the server has ended");
  expect_error(server->map(kTarget, Lun(1), "d"), ErrorCode::busy, "map()");
  expect_error(server->unmap(kTarget, Lun(0)), ErrorCode::busy, "unmap()");
  expect_error(server->resize("d", ByteCount(kMiB)), ErrorCode::busy, "resize()");
}

// Of any shape, and with no channel.
class OddDevice : public block::Device {
 public:
  OddDevice(std::uint32_t block_size, std::uint64_t blocks)
      : Device("odd", Uuid::from_name("odd")) {
    limits_.block_size = limits_.physical_block_size = block_size;
    limits_.capacity = BlockCount(blocks);
  }
  [[nodiscard]] const char* kind() const override { return "odd"; }
  [[nodiscard]] const block::Limits& limits() const override { return limits_; }
  [[nodiscard]] const block::Capabilities& capabilities() const override { return capabilities_; }
  Result<std::unique_ptr<block::Channel>> open_channel(engine::Shard& /*shard*/) override {
    return nullptr;
  }

 private:
  block::Limits limits_;
  block::Capabilities capabilities_;
};

TEST(Server, RefusesToStartWhatNobodyCouldReach) {
  const auto server = one_shard();
  ASSERT_TRUE(server->add_target(kTarget));
  expect_error(server->start(), ErrorCode::invalid_argument, "add_portal() comes first");
  ASSERT_TRUE(server->add_portal("127.0.0.1:0", {.portal_group_tag = 7}));
  ASSERT_TRUE(server->set_port_group(kTarget, 3, {}));
  expect_error(server->start(), ErrorCode::invalid_argument,
               "no portal has the portal group tag 3");
  ASSERT_TRUE(server->add_portal("127.0.0.1:0", {.portal_group_tag = 3}));
  EXPECT_TRUE(server->start()) << "it is as it was before";
}

TEST(Server, GivesAnErrorForADeviceWithoutChannels) {
  const auto server = with_disk();
  ASSERT_TRUE(server->add_device(std::make_unique<OddDevice>(512, 8)));
  ASSERT_TRUE(server->start());
  expect_error(server->map(kTarget, Lun(1), "odd"), ErrorCode::invalid_argument, "null channel");
}

TEST(Server, NamesBothDisksOfOneIdentity) {
  const auto server = with_disk();
  ASSERT_TRUE(server->add_device(std::make_unique<OddDevice>(512, 8)));
  ASSERT_TRUE(server->rename_device("odd", "first"));
  ASSERT_TRUE(server->add_device(std::make_unique<OddDevice>(512, 8)));
  ASSERT_TRUE(server->map(kTarget, Lun(1), "first"));
  const auto mapped = server->map(kTarget, Lun(2), "odd");
  expect_error(mapped, ErrorCode::already_exists, "has the identity of device");
  expect_error(mapped, ErrorCode::already_exists, "setfattr -x user.lunar.uuid");
}

// A device that calls the server from a shard, which would wait for itself.
class CallingDevice : public OddDevice {
 public:
  explicit CallingDevice(Server& server) : OddDevice(512, 8), server_(server) {}
  Result<std::unique_ptr<block::Channel>> open_channel(engine::Shard& /*shard*/) override {
    LUNAR_TRY(server_.remove_device("d"));
    return nullptr;
  }

 private:
  Server& server_;
};

TEST(ServerDeathTest, IsNotCalledOnAShard) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        const auto server = with_disk();
        (void)server->add_device(std::make_unique<CallingDevice>(*server));
        (void)server->start();
        (void)server->map(kTarget, Lun(1), "odd");
      },
      ::testing::KilledBySignal(SIGABRT), "a method of lunar::Server on a shard's thread");
}

// The same before start() and after it.
class ServerLuns : public ::testing::TestWithParam<bool> {
 protected:
  ServerLuns() {
    EXPECT_TRUE(server_->add_ram("e", ByteCount(kMiB)));
    if (GetParam()) {
      EXPECT_TRUE(server_->start());
    }
  }
  std::unique_ptr<Server> server_ = with_disk();
};
INSTANTIATE_TEST_SUITE_P(SetUpAndRunning, ServerLuns, ::testing::Bool(),
                         [](const auto& running) { return running.param ? "Running" : "SetUp"; });

TEST_P(ServerLuns, AreMappedSwappedAndUnmapped) {
  EXPECT_TRUE(server_->map(kTarget, Lun(16383), "e"));
  expect_error(server_->remove_device("e"), ErrorCode::busy, kTarget);
  EXPECT_TRUE(server_->swap(kTarget, Lun(16383), "d"));
  EXPECT_TRUE(server_->remove_device("e")) << "nothing leads to it any more";
  EXPECT_TRUE(server_->unmap(kTarget, Lun(16383)));
  expect_error(server_->remove_device("d"), ErrorCode::busy, "d");
  EXPECT_TRUE(server_->unmap(kTarget, Lun(0)));
  EXPECT_TRUE(server_->remove_device("d"));
  expect_error(server_->unmap(kTarget, Lun(0)), ErrorCode::not_found, "LUN 0");
  expect_error(server_->swap(kTarget, Lun(0), "d"), ErrorCode::not_found, "d");
}

TEST_P(ServerLuns, AFailureLeavesNothingBehind) {
  expect_error(server_->map(kTarget, Lun(0), "e"), ErrorCode::already_exists, "0");
  expect_error(server_->map(kTarget, Lun(1), "e", {.host = "h"}), ErrorCode::not_found, "host h");
  expect_error(server_->swap(kTarget, Lun(1), "e"), ErrorCode::not_found, "LUN 1");
  EXPECT_TRUE(server_->remove_device("e")) << "it is not mapped";
}

TEST_P(ServerLuns, HostsHaveNumbersOfTheirOwn) {
  ASSERT_TRUE(server_->add_host(kTarget, "h", {.initiators = {"IQN.a*"}}));
  expect_error(server_->add_host(kTarget, "h", {.initiators = {"b"}}), ErrorCode::already_exists,
               "h");
  expect_error(server_->add_host(kTarget, "", {.initiators = {"b"}}), ErrorCode::invalid_argument,
               "name");
  expect_error(server_->add_host(kTarget, "i", {}), ErrorCode::invalid_argument, "host i");
  expect_error(server_->add_host(kTarget, "i", {.initiators = {"a b"}}),
               ErrorCode::invalid_argument, "host i");
  expect_error(server_->add_host(kTarget, "i", {.addresses = {"here"}}),
               ErrorCode::invalid_argument, "here");
  EXPECT_TRUE(server_->map(kTarget, Lun(0), "e", {.host = "h"}));
  EXPECT_TRUE(server_->map(kTarget, Lun(7), "d", {.host = "h"}));
  EXPECT_TRUE(server_->unmap(kTarget, Lun(7), "h"));
  expect_error(server_->unmap(kTarget, Lun(7), "h"), ErrorCode::not_found, "LUN 7");
  expect_error(server_->remove_device("e"), ErrorCode::busy, kTarget);
  EXPECT_TRUE(server_->remove_host(kTarget, "h"));
  EXPECT_TRUE(server_->remove_device("e"));
  expect_error(server_->remove_host(kTarget, "h"), ErrorCode::not_found, "h");
}

TEST_P(ServerLuns, DevicesAreResizedRenamedAndProtected) {
  const block::Device& device = server_->internals().registry->find("d")->device();
  EXPECT_TRUE(server_->resize("d", ByteCount(2 * kMiB)));
  EXPECT_EQ(device.limits().capacity, BlockCount(4096));
  EXPECT_TRUE(server_->resize("d", ByteCount(kMiB / 2)));
  EXPECT_EQ(device.limits().capacity, BlockCount(1024));
  EXPECT_TRUE(server_->resize("e", ByteCount(2 * kMiB))) << "mapped or not";
  expect_error(server_->resize("d", ByteCount(1000)), ErrorCode::invalid_argument, "device d");
  expect_error(server_->resize("d", ByteCount(64 * kMiB)), ErrorCode::no_resource, "4 MiB");
  EXPECT_EQ(device.limits().capacity, BlockCount(1024));
  expect_error(server_->resize("x", ByteCount(kMiB)), ErrorCode::not_found, "x");
  EXPECT_TRUE(server_->rename_device("d", "f"));
  EXPECT_TRUE(server_->map(kTarget, Lun(1), "f"));
  EXPECT_TRUE(server_->set_write_protected("f", true));
  expect_error(server_->map(kTarget, Lun(2), "f"), ErrorCode::invalid_argument, "other options");
  EXPECT_TRUE(server_->map(kTarget, Lun(2), "f", {.read_only = true}));
  EXPECT_TRUE(server_->set_write_protected("f", false));
  expect_error(server_->set_write_protected("e", true), ErrorCode::not_found, "no logical unit");
  EXPECT_EQ(server_->commands_in_flight("f"), 0U);
  EXPECT_EQ(server_->commands_in_flight(), 0U);
}

TEST_P(ServerLuns, WhatHasTwoUsersIsNotResized) {
  ASSERT_TRUE(server_->map(kTarget, Lun(1), "e", {.read_only = true}));
  const auto other = server_->internals().registry->claim("e", block::Access::exclusive, "a layer");
  ASSERT_TRUE(other);
  expect_error(server_->resize("e", ByteCount(2 * kMiB)), ErrorCode::busy, "a layer");
}

TEST_P(ServerLuns, ProtectionThatIsLiftedClaimsTheDevice) {
  ASSERT_TRUE(server_->map(kTarget, Lun(1), "e", {.read_only = true}));
  {
    const auto other =
        server_->internals().registry->claim("e", block::Access::exclusive, "a layer");
    ASSERT_TRUE(other);
    expect_error(server_->set_write_protected("e", false), ErrorCode::busy, "a layer");
  }
  EXPECT_TRUE(server_->set_write_protected("e", false));
  expect_error(server_->internals().registry->claim("e", block::Access::exclusive, "a layer"),
               ErrorCode::busy, std::string("by target ") + kTarget);
}

TEST(Server, GivesADiskTheUuidThatItIsTold) {
  const auto server = one_shard();
  const Uuid given = Uuid::from_name("given");
  ASSERT_TRUE(server->add_ram("d", ByteCount(kMiB), {.uuid = given}));
  const block::Device& device = server->internals().registry->find("d")->device();
  EXPECT_EQ(device.uuid(), given);
  EXPECT_TRUE(device.capabilities().keeps_uuid);
}

TEST(Server, AddsADiskOfAnyKindByItsSpec) {
  auto server = std::move(*Server::create({.shards = "1"}));
  ASSERT_TRUE(server->add_disk("medium", "ram:1MiB,block=4096"));
  ASSERT_TRUE(server->add_disk("slow", "delay:medium,read_delay_us=1ms"));
  const block::Disk* slow = server->internals().registry->find("slow");
  ASSERT_NE(slow, nullptr);
  EXPECT_STREQ(slow->device().kind(), "delay");
  EXPECT_EQ(slow->device().limits().size(), ByteCount(kMiB));
  EXPECT_EQ(slow->device().limits().block_size, 4096U);
  expect_error(server->add_disk("medium", "null:1MiB"), ErrorCode::already_exists, "'medium'");
  expect_error(server->add_disk("e", "ram:1000"), ErrorCode::invalid_argument, "ram:1000: size: ");
  expect_error(server->add_disk("e", "delay:none"), ErrorCode::not_found, "none");
  expect_error(server->add_disk("e", "delay:medium"), ErrorCode::busy, "delay slow");
  expect_error(server->add_disk("e", "file:/nonexistent/d.img"), ErrorCode::not_found,
               "give its size");
}

TEST(Server, NamesWhatCannotBeAdded) {
  const auto server = with_disk();
  expect_error(server->add_ram("d", ByteCount(kMiB)), ErrorCode::already_exists, "'d'");
  expect_error(server->add_ram("", ByteCount(kMiB)), ErrorCode::invalid_argument, "name");
  expect_error(server->add_ram("e", ByteCount(1000)), ErrorCode::invalid_argument, "1000");
  expect_error(server->add_ram("e", ByteCount(kMiB), {.protection = 4}),
               ErrorCode::invalid_argument, "protection");
  expect_error(server->add_file("e", "/nonexistent/e"), ErrorCode::not_found, "/nonexistent/e");
  expect_error(server->add_device(nullptr), ErrorCode::invalid_argument, "null");
  expect_error(server->add_device(std::make_unique<OddDevice>(1000, 8)),
               ErrorCode::invalid_argument, "512 nor 4096");
  expect_error(server->add_device(std::make_unique<OddDevice>(512, 0)), ErrorCode::invalid_argument,
               "capacity is 0");
  expect_error(server->add_target(kTarget), ErrorCode::already_exists, kTarget);
  expect_error(server->add_target("IQN.2026-11.io.lunar:TEST"), ErrorCode::already_exists, kTarget);
  expect_error(server->add_target("not an iqn"), ErrorCode::invalid_argument, "not an iqn");
  expect_error(server->add_portal("nowhere"), ErrorCode::invalid_argument, "nowhere");
  expect_error(server->add_portal("0.0.0.0", {.advertise = {"somewhere"}}),
               ErrorCode::invalid_argument, "somewhere");
  expect_error(server->add_portal("127.0.0.1", {.portal_group_tag = 0}),
               ErrorCode::invalid_argument, "tag");
}

TEST(Server, DisksHaveRoomForProtectionInformationWhereItIsWanted) {
  const auto server = one_shard();
  std::string folder = (std::filesystem::temp_directory_path() / "lunar-disks.XXXXXX").string();
  ASSERT_NE(mkdtemp(folder.data()), nullptr);
  const std::string path = folder + "/disk";
  ASSERT_TRUE(server->add_ram("plain", ByteCount(kMiB)));
  ASSERT_TRUE(server->add_ram("ram", ByteCount(kMiB), {.protection = 1}));
  ASSERT_TRUE(server->add_file("file", path, ByteCount(kMiB), {.protection = 3}));
  const auto room_of = [&](std::string_view name) {
    return server->internals().registry->find(name)->device().protection_room();
  };
  EXPECT_EQ(room_of("plain").area, nullptr);
  EXPECT_NE(room_of("ram").area, nullptr);
  EXPECT_EQ(room_of("ram").type, 1);
  EXPECT_NE(room_of("file").area, nullptr);
  EXPECT_EQ(room_of("file").type, 3);
  EXPECT_TRUE(std::filesystem::exists(path + ".protection"));
  expect_error(server->add_file("again", folder + "/./disk", {}, {.protection = 3}),
               ErrorCode::busy, "it is the disk of device file already");
  ASSERT_TRUE(server->remove_device("file"));
  expect_error(server->add_file("file", path), ErrorCode::invalid_argument, ".protection");
  std::filesystem::remove_all(folder);
}

TEST(Server, NamesWhatCannotBeMapped) {
  const auto server = with_disk();
  expect_error(server->map(kTarget, Lun(1), "nobody"), ErrorCode::not_found, "nobody");
  expect_error(server->map("iqn.2026-11.io.lunar:none", Lun(1), "d"), ErrorCode::not_found,
               "iqn.2026-11.io.lunar:none");
  expect_error(server->map(kTarget, Lun(0), "d"), ErrorCode::already_exists, "0");
  expect_error(server->map(kTarget, Lun(16384), "d"), ErrorCode::out_of_range, "16384");
  expect_error(server->map(kTarget, Lun(1), "d", {.read_only = true}), ErrorCode::invalid_argument,
               "d is one logical unit");
}

TEST(Server, MapsOneDeviceTwiceAsOneLogicalUnit) {
  const auto server = with_disk();
  ASSERT_TRUE(server->add_target("iqn.2026-11.io.lunar:other"));
  EXPECT_TRUE(server->map("iqn.2026-11.IO.lunar:other", Lun(9), "d")) << "names have no case";
  EXPECT_TRUE(server->map(kTarget, Lun(1), "d"));
  EXPECT_TRUE(server->start());
}

TEST(Server, ChangesTheStateOfAPortalGroupWhileItRuns) {
  const auto server = with_disk();
  ASSERT_TRUE(server->add_portal("127.0.0.1:0", {.portal_group_tag = 2}));
  ASSERT_TRUE(server->set_port_group(kTarget, 2, {.implicit_changes = false}));
  expect_error(server->set_port_group(kTarget, 0, {}), ErrorCode::invalid_argument, "tag");
  expect_error(server->set_port_group("iqn.2026-11.io.lunar:none", 1, {}), ErrorCode::not_found,
               "none");
  expect_error(server->set_alua_state(kTarget, 1, AluaState::standby), ErrorCode::busy, "runs");
  ASSERT_TRUE(server->start());
  EXPECT_TRUE(server->set_alua_state(kTarget, 1, AluaState::standby));
  EXPECT_TRUE(server->set_alua_state(kTarget, 1, AluaState::active_optimized, true));
  expect_error(server->set_alua_state(kTarget, 2, AluaState::standby), ErrorCode::unsupported,
               "keeps its state");
  expect_error(server->set_alua_state(kTarget, 3, AluaState::standby), ErrorCode::not_found, "3");
  EXPECT_TRUE(server->set_port_group(kTarget, 1, {.implicit_changes = false}));
  expect_error(server->set_alua_state(kTarget, 1, AluaState::standby), ErrorCode::unsupported,
               "keeps its state");
  server->stop();
  expect_error(server->set_alua_state(kTarget, 1, AluaState::standby), ErrorCode::busy, "runs");
}

TEST_P(ServerLuns, TargetsAreRemovedWithTheirNumbers) {
  const std::string other = "iqn.2026-11.io.lunar:other";
  ASSERT_TRUE(server_->add_target(other));
  ASSERT_TRUE(server_->add_host(other, "h", {.initiators = {"iqn.a*"}}));
  ASSERT_TRUE(server_->map(other, Lun(0), "e"));
  ASSERT_TRUE(server_->map(other, Lun(1), "d"));
  ASSERT_TRUE(server_->map(other, Lun(0), "e", {.host = "h"}));
  expect_error(server_->remove_device("e"), ErrorCode::busy, other);
  EXPECT_TRUE(server_->remove_target(other));
  EXPECT_TRUE(server_->remove_device("e")) << "nothing leads to it any more";
  expect_error(server_->remove_device("d"), ErrorCode::busy, kTarget);
  expect_error(server_->remove_target(other), ErrorCode::not_found, other);
  EXPECT_TRUE(server_->add_target(other)) << "its name is free";
  EXPECT_TRUE(server_->map(other, Lun(0), "d"));
}

TEST_P(ServerLuns, PortalsAreAddedAndRemoved) {
  expect_error(server_->remove_portal("127.0.0.1:1"), ErrorCode::not_found, "127.0.0.1:1");
  ASSERT_TRUE(server_->add_portal("127.0.0.2:0", {.portal_group_tag = 2}));
  if (!GetParam()) {
    EXPECT_TRUE(server_->remove_portal("127.0.0.2:0"));
    ASSERT_TRUE(server_->start());
    EXPECT_EQ(server_->listening().size(), 1U);
    return;
  }
  const std::vector<std::string> both = server_->listening();
  ASSERT_EQ(both.size(), 2U);
  EXPECT_TRUE(server_->set_alua_state(kTarget, 2, AluaState::standby));
  expect_error(server_->add_portal(both[0]), ErrorCode::invalid_argument, "is taken by");
  EXPECT_TRUE(server_->remove_portal(both[1]));
  EXPECT_EQ(server_->listening(), std::vector<std::string>{both[0]});
  expect_error(server_->set_alua_state(kTarget, 2, AluaState::standby), ErrorCode::not_found, "2");
  EXPECT_TRUE(server_->remove_portal(both[0])) << "also the last";
  EXPECT_FALSE(connects(port_of(both[0])));
  ASSERT_TRUE(server_->add_portal("127.0.0.1:0"));
  EXPECT_TRUE(connects(port_of(server_->listening()[0])));
  const auto other = with_disk();
  ASSERT_TRUE(other->start());
  expect_error(server_->add_portal(other->listening()[0]), ErrorCode::busy, other->listening()[0]);
}

TEST(Server, FailsToStartOnAnAddressInUse) {
  const auto first = with_disk();
  ASSERT_TRUE(first->start());
  const std::string taken = first->listening()[0];
  const auto second = with_disk();
  ASSERT_TRUE(second->add_portal(taken));
  expect_error(second->start(), ErrorCode::busy, taken);
  EXPECT_TRUE(second->listening().empty()) << "the first portal is closed again";
  expect_error(second->start(), ErrorCode::busy, "the server has ended, as start() failed");
  expect_error(second->add_ram("e", ByteCount(kMiB)), ErrorCode::busy, "as start() failed");
  EXPECT_TRUE(connects(port_of(taken))) << "the other server goes on";
}

// Opens so many channels, then none.
class ScarceDevice : public block::Device {
 public:
  explicit ScarceDevice(int channels) : Device("scarce", Uuid::from_name("s")), left_(channels) {
    limits_.capacity = BlockCount(8);
  }
  [[nodiscard]] const char* kind() const override { return "scarce"; }
  [[nodiscard]] const block::Limits& limits() const override { return limits_; }
  [[nodiscard]] const block::Capabilities& capabilities() const override { return capabilities_; }
  Result<std::unique_ptr<block::Channel>> open_channel(engine::Shard& /*shard*/) override {
    if (left_-- <= 0) return fail(ErrorCode::no_resource, "no channel is left");
    return std::make_unique<Nothing>();
  }

 private:
  struct Nothing : block::Channel {
    void submit(block::Request& request) override { request.complete(block::Status::ok); }
  };
  block::Limits limits_;
  block::Capabilities capabilities_;
  int left_;
};

TEST(Server, FailsToStartWhenADeviceDoes) {
  auto made = Server::create({});
  ASSERT_TRUE(made);
  Server& server = **made;
  // Fails on the last shard, after the others have opened it.
  const int channels = static_cast<int>(server.shard_count()) - 1;
  ASSERT_TRUE(server.add_device(std::make_unique<ScarceDevice>(channels)));
  ASSERT_TRUE(server.add_target(kTarget));
  ASSERT_TRUE(server.map(kTarget, Lun(0), "scarce"));
  ASSERT_TRUE(server.add_portal("127.0.0.1:0"));
  const auto started = server.start();
  expect_error(started, ErrorCode::no_resource, "no channel is left");
  expect_error(started, ErrorCode::no_resource, "device scarce");
  EXPECT_TRUE(server.listening().empty());
}

// Answers what it is asked when the test says so.
class SlowDevice : public block::Device {
 public:
  explicit SlowDevice(const std::string& name) : Device(name, Uuid::from_name(name)) {
    limits_.capacity = BlockCount(8);
  }
  [[nodiscard]] const char* kind() const override { return "slow"; }
  [[nodiscard]] const block::Limits& limits() const override { return limits_; }
  [[nodiscard]] const block::Capabilities& capabilities() const override { return capabilities_; }
  void begin_open_channel(engine::Shard& /*shard*/,
                          block::Reply<std::unique_ptr<block::Channel>> reply) override {
    const std::scoped_lock lock(mutex_);
    opens_.push_back(std::move(reply));
  }
  void begin_close(block::Reply<void> reply) override {
    ++closes;
    reply.send({});
  }
  std::size_t answer_all() {
    const std::scoped_lock lock(mutex_);
    const std::size_t count = opens_.size();
    for (auto& reply : opens_) reply.send(std::make_unique<Nothing>());
    opens_.clear();
    return count;
  }
  static inline std::atomic<int> closes{0};

 private:
  struct Nothing : block::Channel {
    void submit(block::Request& request) override { request.complete(block::Status::ok); }
  };
  block::Limits limits_;
  block::Capabilities capabilities_;
  std::mutex mutex_;
  std::vector<block::Reply<std::unique_ptr<block::Channel>>> opens_;
};

TEST(Server, ServesWhileADeviceIsStillBeingOpened) {
  SlowDevice::closes = 0;
  {
    const auto server = one_shard();
    auto made = std::make_unique<SlowDevice>("slow");
    SlowDevice& device = *made;
    ASSERT_TRUE(server->add_device(std::move(made)));
    ASSERT_TRUE(server->add_target(kTarget));
    ASSERT_TRUE(server->map(kTarget, Lun(0), "slow"));
    ASSERT_TRUE(server->add_portal("127.0.0.1:0"));
    ASSERT_TRUE(server->start());
    EXPECT_TRUE(connects(port_of(server->listening()[0])));
    ASSERT_TRUE(server->unmap(kTarget, Lun(0)));
    expect_error(server->remove_device("slow"), ErrorCode::busy, "gives no answer");
    EXPECT_EQ(device.answer_all(), 1U);
    while (!server->remove_device("slow")) std::this_thread::yield();  // until it has arrived
    EXPECT_EQ(SlowDevice::closes, 1);
    ASSERT_TRUE(server->add_device(std::make_unique<SlowDevice>("second")));
  }
  EXPECT_EQ(SlowDevice::closes, 2) << "with the server";
}

TEST(Server, LeavesBehindADeviceThatMayStillAnswer) {
  SlowDevice* device = nullptr;
  {
    const auto server = one_shard();
    auto made = std::make_unique<SlowDevice>("slow");
    device = made.get();
    ASSERT_TRUE(server->add_device(std::move(made)));
    ASSERT_TRUE(server->add_target(kTarget));
    ASSERT_TRUE(server->map(kTarget, Lun(0), "slow"));
    ASSERT_TRUE(server->add_portal("127.0.0.1:0"));
    ASSERT_TRUE(server->start());
  }
  EXPECT_EQ(device->answer_all(), 1U);
}

TEST(Server, RefusesWrongOptions) {
  expect_error(Server::create({.shards = "many"}), ErrorCode::invalid_argument, "many");
  expect_error(Server::create({.shards = "1", .max_spin = std::chrono::microseconds(-1)}),
               ErrorCode::invalid_argument, "max_spin");
  for (const auto patience :
       {std::chrono::milliseconds(-1), kMaxDevicePatience + std::chrono::milliseconds(1)}) {
    expect_error(Server::create({.shards = "1", .device_patience = patience}),
                 ErrorCode::invalid_argument, "device_patience");
  }
  EXPECT_TRUE(Server::create({.shards = "1", .device_patience = kMaxDevicePatience}));
  expect_error(set_log_level("loud"), ErrorCode::invalid_argument, "loud");
}

}  // namespace
}  // namespace lunar
