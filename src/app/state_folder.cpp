#include "app/state_folder.h"

#include <unistd.h>

#include <cstdlib>
#include <utility>

#include "app/old_state.h"
#include "base/log.h"
#include "state/folder.h"

namespace lunar::app {
namespace {

constexpr std::uint32_t kVersion = 1;
constexpr std::string_view kMedium = "medium";

std::optional<kinds::KnownMedium> medium_of(const state::Record& record) {
  const state::Entry* entry = record.find(kMedium);
  if (entry == nullptr) return std::nullopt;
  const auto size = entry->number("size");
  const std::string* uuid = entry->find("uuid");
  if (!size || uuid == nullptr) return std::nullopt;
  const auto parsed = Uuid::parse(*uuid);
  if (!parsed) return std::nullopt;
  const auto text = [entry](std::string_view field) {
    const std::string* value = entry->find(field);
    return value == nullptr ? std::string() : *value;
  };
  return kinds::KnownMedium{
      *parsed,
      *size,
      {.object = text("object"), .attachment = text("attachment"), .contents = text("contents")}};
}

}  // namespace

std::string default_state_folder() {
  if (geteuid() == 0) return "/var/lib/lunar";
  // As the XDG Base Directory Specification has it; relative paths there count as unset.
  const char* state_home = std::getenv("XDG_STATE_HOME");
  if (state_home != nullptr && state_home[0] == '/') return std::string(state_home) + "/lunar";
  const char* home = std::getenv("HOME");
  if (home != nullptr && home[0] == '/') return std::string(home) + "/.local/state/lunar";
  return {};
}

Result<std::unique_ptr<state::Database>> open_state(const std::string& given) {
  const std::string folder = given.empty() ? default_state_folder() : given;
  if (const auto usable = state::check_usable(folder); !usable) {
    if (!given.empty()) return std::unexpected(usable.error());
    log::warning("{}; reservations and saved settings do not outlive a restart",
                 usable.error().message);
  }
  return state::Database::open(
      {.folder = folder, .given = !given.empty(), .old_files = old_state_files});
}

Result<std::optional<kinds::KnownMedium>> MediaIdentities::load_identity(std::string_view key) {
  LUNAR_TRY_ASSIGN(const auto record, store_.load(media_object(), key));
  if (!record) return std::nullopt;
  if (const auto known = record->check_version(kVersion); !known)
    return wrap(known.error(), place_of_identity(key));
  auto medium = medium_of(*record);
  if (!medium) {
    return fail(ErrorCode::malformed,
                place_of_identity(key) + " is damaged: it is not in the form that lunar writes");
  }
  return medium;
}

Result<void> MediaIdentities::save_identity(std::string_view key,
                                            const kinds::KnownMedium& medium) {
  state::Record record{.version = kVersion};
  record.add(kMedium)
      .set("uuid", medium.uuid.to_string())
      .set_number("size", medium.size_bytes)
      .set("object", medium.signs.object)
      .set("attachment", medium.signs.attachment)
      .set("contents", medium.signs.contents);
  state::Transaction transaction;
  transaction.push_back({media_object(), std::string(key), std::move(record)});
  return store_.commit_blocking(std::move(transaction));
}

std::string MediaIdentities::place_of_identity(std::string_view key) const {
  return store_.place_of(media_object(), key);
}

}  // namespace lunar::app
