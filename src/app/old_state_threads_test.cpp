// A folder of files, as lunar kept its state before (tests/data/state-files), is taken over. All
// of it end to end: tests/e2e/test_state.py.
#include "app/old_state.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "access/reservations.h"
#include "app/state_folder.h"
#include "base/bytes.h"
#include "base/crc32c.h"
#include "scsi/state/identification.h"
#include "scsi/state/medium_operation.h"
#include "scsi/state/self_test_log.h"
#include "state/database.h"
#include "state/testing/scratch.h"

namespace lunar::app {
namespace {

namespace fs = std::filesystem;

const state::Object kOne = state::Object::exclusive("6b1d7f4e-0000-4000-8000-000000000001");
const state::Object kTwo = state::Object::exclusive("6b1d7f4e-0000-4000-8000-000000000002");

class OldState : public ::testing::Test {
 protected:
  OldState() {
    fs::copy(fs::path(LUNAR_SOURCE_DIR) / "tests/data/state-files", folder(),
             fs::copy_options::recursive);
  }
  [[nodiscard]] fs::path folder() const { return scratch_.path / "state"; }
  [[nodiscard]] fs::path file_of(const state::Object& object, const char* name) const {
    return folder() / object.name() / name;
  }
  std::unique_ptr<state::Database> open() {
    auto database =
        state::Database::open({.folder = folder().string(), .old_files = old_state_files});
    EXPECT_TRUE(database);
    return std::move(*database);
  }
  static state::Record loaded(state::Store& store, const state::Object& object, const char* key) {
    auto record = store.load(object, key);
    EXPECT_TRUE(record) << record.error().message;
    EXPECT_TRUE(record && *record) << key;
    return record && *record ? std::move(**record) : state::Record();
  }
  static void write(const fs::path& path, const std::string& text) {
    fs::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary | std::ios::trunc)
        << fmt::format("lunar state 1 {} {:08x}\n", text.size(),
                       crc32c(as_bytes(std::string_view(text))))
        << text;
  }

  state::testing::Scratch scratch_;
};

TEST_F(OldState, MeansTheSameAsBefore) {
  const auto store = open();
  const auto reservations = access::reservations_of(loaded(*store, kOne, "reservations"));
  ASSERT_TRUE(reservations) << reservations.error().message;
  ASSERT_EQ(reservations->registrations.size(), 2U);
  EXPECT_EQ(reservations->type, access::ReservationType::write_exclusive_registrants_only);
  const access::Registration& second = reservations->registrations[1];
  EXPECT_EQ(second.key, 0xa11ceU);
  EXPECT_TRUE(second.holder);
  EXPECT_EQ(second.registrant.name, "iqn.2026-11.io.lunar:test,i,0x800016cc0001");
  EXPECT_EQ(second.registrant.port, "iqn.2026-11.io.lunar:disks,t,0x0001");
  EXPECT_EQ(second.registrant.port_number, 1);

  const auto tests = scsi::self_test_log_of(loaded(*store, kOne, "self_tests"));
  ASSERT_TRUE(tests && tests->recent.size() == 1);
  EXPECT_EQ(tests->recent[0].code, scsi::spec::SelfTestCode::foreground_short);
  EXPECT_EQ(tests->recent[0].first_failure, std::nullopt);

  const auto known =
      scsi::identifying_information_of(loaded(*store, kOne, "identifying_information"));
  ASSERT_TRUE(known);
  EXPECT_EQ(known->bytes, std::string("a\n\0\xffz", 5));
  EXPECT_EQ(known->text, std::string("a name\0", 7));

  const state::Record pages = loaded(*store, kOne, "mode_pages");
  bool has_control_page = false;
  for (const state::Entry& page : pages.entries) {
    if (page.number("code") != 0x0a || page.number("subpage") != 0) continue;
    has_control_page = true;
    EXPECT_EQ(page.hex("values")->size(), 10U);
    EXPECT_EQ(page.hex("values")->front() & 4, 4) << "D_SENSE";
  }
  EXPECT_TRUE(has_control_page);

  const auto plan = scsi::medium_operation_of(loaded(*store, kTwo, "medium_operation"));
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->kind, scsi::MediumOperation::sanitize);
  EXPECT_EQ(plan->passes, 31);
  EXPECT_EQ(plan->pattern, std::vector<std::byte>{std::byte{0xee}});
}

TEST_F(OldState, IsPutAsideAndStaysTakenOver) {
  {
    const auto store = open();
    loaded(*store, kOne, "reservations");
    EXPECT_FALSE(fs::exists(file_of(kOne, "reservations")));
    EXPECT_TRUE(fs::exists(file_of(kOne, "reservations.old")));
    EXPECT_FALSE(fs::exists(file_of(kOne, "self_tests"))) << "all of the object at once";
    EXPECT_TRUE(fs::exists(file_of(kTwo, "medium_operation"))) << "nobody has asked for it";
    state::Transaction removing;
    removing.push_back({kOne, "reservations", std::nullopt});
    ASSERT_TRUE(store->commit_blocking(std::move(removing)));
  }
  // As a crash before it was put aside would have left it.
  fs::rename(file_of(kOne, "reservations.old"), file_of(kOne, "reservations"));
  const auto store = open();
  EXPECT_EQ(*store->load(kOne, "reservations"), std::nullopt) << "what came later counts";
  EXPECT_FALSE(fs::exists(file_of(kOne, "reservations")));
}

TEST_F(OldState, WhatAnEarlierVersionHasWrittenSinceCounts) {
  loaded(*open(), kOne, "identifying_information");
  write(file_of(kOne, "identifying_information"), "3\nnew");
  EXPECT_EQ(loaded(*open(), kOne, "identifying_information").find("information")->hex("bytes"),
            "new");
}

TEST_F(OldState, AFileThatIsDamagedIsAnErrorThatNamesItAndNothingIsTaken) {
  const fs::path file = file_of(kOne, "reservations");
  fs::resize_file(file, fs::file_size(file) - 1);
  const auto damaged = open()->load(kOne, "self_tests");
  ASSERT_FALSE(damaged);
  EXPECT_EQ(damaged.error().code, ErrorCode::malformed);
  EXPECT_NE(damaged.error().message.find(file.string()), std::string::npos);
  EXPECT_TRUE(fs::exists(file_of(kOne, "self_tests")));
  fs::remove(file);
  loaded(*open(), kOne, "self_tests");
}

TEST_F(OldState, TextOfAnotherFormIsAnError) {
  for (const auto& [name, texts] : std::vector<std::pair<const char*, std::vector<std::string>>>{
           {"reservations",
            {"x", "lunar reservations 1\ntype 5\n", "lunar reservations 1\nkind 5\nend\n",
             "lunar reservations 1\ntype -\nholder\t0\tend\n"}},
           {"self_tests",
            {"x", "lunar self-tests 1\n5 0\n", "lunar self-tests 1\n5 0 0 0 - 0 0 0\n"}},
           {"mode_pages", {std::string("\x0a", 1), std::string("\x0a\x0a\x00", 3)}},
           {"medium_operation", {"", "format", "format x 0 0 "}},
           {"identifying_information", {"", "\n", "5\nabc"}}}) {
    for (const std::string& text : texts) {
      fs::remove_all(folder());
      write(file_of(kOne, name), text);
      const auto strange = open()->load(kOne, name);
      ASSERT_FALSE(strange) << name << ": " << text;
      EXPECT_EQ(strange.error().code, ErrorCode::malformed);
      EXPECT_NE(strange.error().message.find(file_of(kOne, name).string()), std::string::npos);
    }
  }
}

TEST_F(OldState, IdentitiesOfMediaAreTakenOver) {
  const std::string key = "/dev/disk/by-id/one";
  const Uuid uuid = Uuid::from_name("the medium");
  write(folder() / "devices" / Uuid::from_name(key).to_string(),
        fmt::format("device={}\nuuid={}\nsize=1024\nobject=made 1\nattachment=7 since a\n"
                    "contents=\n",
                    key, uuid.to_string()));
  const auto store = open();
  MediaIdentities identities(*store);
  const auto known = identities.load_identity(key);
  ASSERT_TRUE(known && *known);
  EXPECT_EQ(**known,
            (kinds::KnownMedium{
                uuid, 1024, {.object = "made 1", .attachment = "7 since a", .contents = ""}}));
  EXPECT_EQ(*identities.load_identity("other"), std::nullopt);
}

TEST(MediaIdentities, AreReadBack) {
  const state::testing::Scratch scratch;
  const kinds::KnownMedium medium{
      Uuid::from_name("x"), UINT64_MAX, {.object = "o o", .attachment = "", .contents = "c\n"}};
  const std::string key = "name with = and \xff";
  for (const bool first : {true, false}) {
    const auto store = state::Database::open({.folder = (scratch.path / "s").string()});
    ASSERT_TRUE(store);
    MediaIdentities identities(**store);
    if (first) {
      EXPECT_EQ(*identities.load_identity(key), std::nullopt);
      ASSERT_TRUE(identities.save_identity(key, medium));
    }
    EXPECT_EQ(*identities.load_identity(key), medium);
    state::Record nonsense;
    nonsense.add("medium").set("uuid", "nonsense");
    state::Transaction damaging;
    damaging.push_back({media_object(), "damaged", nonsense});
    ASSERT_TRUE((*store)->commit_blocking(std::move(damaging)));
    const auto damaged = identities.load_identity("damaged");
    EXPECT_EQ(damaged.error().code, ErrorCode::malformed);
    EXPECT_NE(damaged.error().message.find(identities.place_of_identity("damaged")),
              std::string::npos);
  }
}

}  // namespace
}  // namespace lunar::app
