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
constexpr std::string_view kDisk = "disk";

state::Object disks_object() { return state::Object::shared("disks"); }

std::optional<kinds::KnownDisk> disk_of(const state::Record& record) {
  const state::Entry* entry = record.find(kDisk);
  const std::string* uuid = entry == nullptr ? nullptr : entry->find("uuid");
  if (uuid == nullptr) return std::nullopt;
  const auto parsed = Uuid::parse(*uuid);
  const auto block_size = entry->number("block_size", block::kMaxBlockSize);
  const auto physical = entry->number("physical_block_size", UINT32_MAX);
  const auto capacity = entry->number("capacity");
  const auto alignment = entry->number("buffer_alignment", UINT32_MAX);
  const auto max_unmap = entry->number("max_unmap");
  const auto granularity = entry->number("unmap_granularity");
  const auto rotational = entry->flag("rotational");
  if (!parsed || !block_size || !physical || !capacity || !alignment || !max_unmap ||
      !granularity || !rotational) {
    return std::nullopt;
  }
  kinds::KnownDisk disk{*parsed, {}};
  disk.limits.block_size = static_cast<std::uint32_t>(*block_size);
  disk.limits.physical_block_size = static_cast<std::uint32_t>(*physical);
  disk.limits.capacity = BlockCount(*capacity);
  disk.limits.buffer_alignment = static_cast<std::uint32_t>(*alignment);
  disk.limits.max_unmap = BlockCount(*max_unmap);
  disk.limits.unmap_granularity = BlockCount(*granularity);
  disk.limits.rotational = *rotational;
  return disk;
}

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

Result<std::optional<kinds::KnownDisk>> MediaIdentities::load_disk(std::string_view key) {
  LUNAR_TRY_ASSIGN(const auto record, store_.load(disks_object(), key));
  if (!record) return std::nullopt;
  const std::string place = store_.place_of(disks_object(), key);
  if (const auto known = record->check_version(kVersion); !known) return wrap(known.error(), place);
  auto disk = disk_of(*record);
  if (!disk) return fail(ErrorCode::malformed, place + " is damaged");
  return disk;
}

Result<void> MediaIdentities::save_disk(std::string_view key, const kinds::KnownDisk& disk) {
  const block::Limits& limits = disk.limits;
  state::Record record{.version = kVersion};
  record.add(kDisk)
      .set("uuid", disk.uuid.to_string())
      .set_number("block_size", limits.block_size)
      .set_number("physical_block_size", limits.physical_block_size)
      .set_number("capacity", limits.capacity.value)
      .set_number("buffer_alignment", limits.buffer_alignment)
      .set_number("max_unmap", limits.max_unmap.value)
      .set_number("unmap_granularity", limits.unmap_granularity.value)
      .set_number("rotational", limits.rotational ? 1 : 0);
  state::Transaction transaction;
  transaction.push_back({disks_object(), std::string(key), std::move(record)});
  return store_.commit_blocking(std::move(transaction));
}

std::string MediaIdentities::place_of_identity(std::string_view key) const {
  return store_.place_of(media_object(), key);
}

}  // namespace lunar::app
