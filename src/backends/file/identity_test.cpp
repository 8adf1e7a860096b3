#include "backends/file/identity.h"

#include <gtest/gtest.h>

#include <map>

#include "lunar/types.h"

namespace lunar::backends {
namespace {

// A medium, as far as its identity goes.
class FakeMedium final : public engine::File {
 public:
  engine::FileInfo the_info{.size = kMiB};
  std::map<std::string, std::string> attributes;
  bool has_attributes = true;
  bool takes_attributes = true;
  std::optional<Error> attribute_error;
  std::string other_writes_first;  // between our look at the attribute and our writing it

  [[nodiscard]] const engine::FileInfo& info() const override { return the_info; }
  Result<std::uint64_t> resize(std::uint64_t) override { return the_info.size; }
  [[nodiscard]] std::optional<std::uint64_t> size_now() const override { return std::nullopt; }
  void submit(engine::Shard&, engine::FileOp&) override { FAIL(); }
  [[nodiscard]] Result<engine::FileExtent> extent_at(std::uint64_t, std::uint64_t) const override {
    return engine::FileExtent{};
  }
  [[nodiscard]] Result<std::string> attribute(const std::string& name) const override {
    if (attribute_error) return std::unexpected(*attribute_error);
    if (!has_attributes) return fail(ErrorCode::unsupported, "no attributes");
    const auto found = attributes.find(name);
    if (found == attributes.end()) return fail(ErrorCode::not_found, "none yet");
    return found->second;
  }
  Result<void> set_attribute(const std::string& name, const std::string& value,
                             bool only_new) override {
    if (!has_attributes) return fail(ErrorCode::unsupported, "no attributes");
    if (!takes_attributes) return fail(ErrorCode::permission, "read-only");
    if (!other_writes_first.empty()) attributes[name] = other_writes_first;
    if (only_new && attributes.contains(name)) return fail(ErrorCode::already_exists, name);
    attributes[name] = value;
    return {};
  }
};

class MemoryStore final : public kinds::IdentityStore {
 public:
  std::map<std::string, kinds::KnownMedium, std::less<>> records;
  bool broken = false;
  bool damaged = false;

  Result<std::optional<kinds::KnownMedium>> load_identity(std::string_view key) override {
    if (damaged) return fail(ErrorCode::malformed, "/s/" + std::string(key) + " is damaged");
    const auto found = records.find(key);
    if (found == records.end()) return std::nullopt;
    return found->second;
  }
  Result<std::optional<kinds::KnownDisk>> load_disk(std::string_view /*key*/) override {
    return std::nullopt;
  }
  Result<void> save_disk(std::string_view /*key*/, const kinds::KnownDisk& /*disk*/) override {
    return {};
  }
  Result<void> save_identity(std::string_view key, const kinds::KnownMedium& medium) override {
    if (broken) return fail(ErrorCode::permission, "state /s: cannot be made");
    records[std::string(key)] = medium;
    return {};
  }
  [[nodiscard]] std::string place_of_identity(std::string_view key) const override {
    return "/s/" + std::string(key);
  }
};

class IdentityTest : public ::testing::Test {
 protected:
  Result<Uuid> try_identify(FakeMedium& medium, const std::string& key = "db") {
    return identify(medium, prng_, {.path = path_, .uuid = {}, .store = store_, .key = key});
  }
  Uuid identity_of(FakeMedium& medium, const std::string& key = "db") {
    const auto uuid = try_identify(medium, key);
    EXPECT_TRUE(uuid) << uuid.error().message;
    return uuid.value_or(Uuid());
  }
  static FakeMedium block_device(std::string name = "") {
    FakeMedium medium;
    medium.the_info.block_device = true;
    medium.the_info.name = std::move(name);
    medium.has_attributes = false;
    return medium;
  }
  void expect_error(const Result<Uuid>& result, ErrorCode code, std::string_view part) {
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, code) << result.error().message;
    EXPECT_NE(result.error().message.find(part), std::string::npos) << result.error().message;
  }

  MemoryStore memory_;
  kinds::IdentityStore* store_ = &memory_;
  std::string path_ = "/dev/disk/by-id/one";
  engine::Prng prng_{1};
};

// ---- Block devices

TEST_F(IdentityTest, ABlockDeviceIsItsMediumUnderAnyPath) {
  FakeMedium one = block_device("naa.5000c500a1b2c3d4");
  FakeMedium two = block_device("naa.5000c500a1b2c3d5");
  const Uuid first = identity_of(one);
  const Uuid second = identity_of(two);
  EXPECT_NE(first, second) << "the same path leads to another medium after a swap";
  path_ = "/dev/sdb";
  EXPECT_EQ(identity_of(one, "other"), first);
  EXPECT_TRUE(memory_.records.empty()) << "nothing need be kept";
}

TEST_F(IdentityTest, NamelessDevicesOfOnePathAreDifferentOnEachMachine) {
  FakeMedium medium = block_device();
  const Uuid here = identity_of(medium);
  EXPECT_EQ(identity_of(medium), here) << "kept";
  MemoryStore elsewhere;
  store_ = &elsewhere;
  EXPECT_NE(identity_of(medium), here);
}

TEST_F(IdentityTest, ANamelessDeviceNeedsItsUuidWhereNothingCanBeKept) {
  FakeMedium medium = block_device();
  memory_.broken = true;
  expect_error(try_identify(medium), ErrorCode::invalid_argument, "give it one, uuid=");
  store_ = nullptr;
  expect_error(try_identify(medium), ErrorCode::invalid_argument, "give it one, uuid=");
  const Uuid given = Uuid::from_name("given");
  EXPECT_EQ(identify(medium, prng_, {.path = path_, .uuid = given, .store = nullptr, .key = path_}),
            given);
}

TEST_F(IdentityTest, AnotherMediumInThePlaceOfANamelessOneIsNoticed) {
  FakeMedium medium = block_device();
  medium.the_info.signs = {.object = "", .attachment = "7 since a", .contents = "fs-1"};
  const Uuid uuid = identity_of(medium);
  // Swapped at a start of the machine.
  medium.the_info.signs = {.object = "", .attachment = "7 since b", .contents = "fs-2"};
  expect_error(try_identify(medium), ErrorCode::invalid_argument, "uuid=" + uuid.to_string());
  expect_error(try_identify(medium), ErrorCode::invalid_argument, "held fs-1 and holds fs-2");
  expect_error(try_identify(medium), ErrorCode::invalid_argument, "remove /s/db");
  medium.the_info.signs.contents = "";
  expect_error(try_identify(medium), ErrorCode::invalid_argument, "held fs-1 and holds nothing");
}

TEST_F(IdentityTest, ABlankMediumInThePlaceOfABlankOneIsNoticedWhereItCanBe) {
  FakeMedium medium = block_device();
  medium.the_info.signs = {.object = "", .attachment = "7 since a", .contents = ""};
  const Uuid uuid = identity_of(medium);
  medium.the_info.signs.attachment = "8 since a";
  expect_error(try_identify(medium), ErrorCode::invalid_argument, "was taken away");
  medium.the_info.signs.attachment = "8 since b";
  EXPECT_EQ(identity_of(medium), uuid) << "nothing tells them apart";
  medium.the_info.signs = {.object = "", .attachment = "9 since c", .contents = "fs-1"};
  expect_error(try_identify(medium), ErrorCode::invalid_argument, "held nothing and holds fs-1");
  medium.the_info.signs.contents = "";
  medium.the_info.size = 2 * kMiB;
  expect_error(try_identify(medium), ErrorCode::invalid_argument, "had 1048576 bytes and has");
}

TEST_F(IdentityTest, WhatAnInitiatorWritesOnItDoesNotChangeADevice) {
  FakeMedium medium = block_device();
  medium.the_info.signs = {.object = "", .attachment = "7 since a", .contents = ""};
  const Uuid uuid = identity_of(medium);
  medium.the_info.signs.contents = "fs-1";
  EXPECT_EQ(identity_of(medium), uuid) << "while the machine runs, it is known by its attachment";
  medium.the_info.signs.contents = "fs-2";
  EXPECT_EQ(identity_of(medium), uuid);
  medium.the_info.signs.attachment = "9 since b";
  EXPECT_EQ(identity_of(medium), uuid) << "and then by what was found on it last";
  medium.the_info.size = 2 * kMiB;
  EXPECT_EQ(identity_of(medium), uuid) << "also when it has grown";
}

// ---- Files

TEST_F(IdentityTest, AFileKeepsItsOwn) {
  FakeMedium medium;
  const Uuid uuid = identity_of(medium);
  EXPECT_EQ(medium.attributes.at("user.lunar.uuid"), uuid.to_string());
  path_ = "/elsewhere";
  EXPECT_EQ(identity_of(medium, "other"), uuid);
  EXPECT_TRUE(memory_.records.empty());
}

TEST_F(IdentityTest, AFileThatCouldNotKeepItWritesItDownWhenItCan) {
  FakeMedium medium;
  medium.the_info.signs.object = "made 1";
  medium.takes_attributes = false;
  const Uuid uuid = identity_of(medium);
  EXPECT_EQ(identity_of(medium), uuid);
  medium.takes_attributes = true;
  EXPECT_EQ(identity_of(medium), uuid);
  EXPECT_EQ(medium.attributes.at("user.lunar.uuid"), uuid.to_string());
}

TEST_F(IdentityTest, AnotherFileInThePlaceOfOneIsAnother) {
  FakeMedium medium;
  medium.has_attributes = false;
  medium.the_info.signs.object = "made 1";
  const Uuid uuid = identity_of(medium);
  medium.the_info.signs.object = "made 2";
  const Uuid other = identity_of(medium);
  EXPECT_NE(other, uuid);
  EXPECT_EQ(identity_of(medium), other);
  medium.the_info.created = true;
  EXPECT_NE(identity_of(medium), other) << "one that was made just now";
}

TEST_F(IdentityTest, WhoServesAFileAtTheSameTimeFindsTheSame) {
  FakeMedium medium;
  const Uuid theirs = Uuid::from_name("theirs");
  medium.other_writes_first = theirs.to_string();
  EXPECT_EQ(identity_of(medium), theirs);
}

TEST_F(IdentityTest, AnIdentityThatCannotBeReadIsNotReplaced) {
  FakeMedium medium;
  medium.attributes["user.lunar.uuid"] = "something";
  expect_error(try_identify(medium), ErrorCode::malformed, "setfattr -x user.lunar.uuid");
  medium.attribute_error = Error{ErrorCode::io, "I/O error"};
  expect_error(try_identify(medium), ErrorCode::io, "I/O error");
  FakeMedium device = block_device();
  memory_.damaged = true;
  expect_error(try_identify(device), ErrorCode::malformed, "/s/db is damaged");
}

}  // namespace
}  // namespace lunar::backends
