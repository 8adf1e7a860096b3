#include "state/keeper.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <ranges>
#include <utility>

#include "base/log.h"
#include "state/folder.h"

namespace lunar::state {

Keeper::Keeper(const DatabaseOptions& options)
    : options_(options),
      path_(options.folder + "/state.db"),
      locks_(options.folder, options.patience) {}

std::string Keeper::place_of(const Object& object, std::string_view key) const {
  return fmt::format("the record {} of {} in {}", key, object.name(), path_);
}

// ---- The file

Result<bool> Keeper::open(bool may_make) {
  struct stat info{};
  const bool there = stat(path_.c_str(), &info) == 0;
  if (!there && errno != ENOENT && errno != ENOTDIR) {
    if (errno == EACCES && !options_.given && !may_make) return false;
    return system_error(path_, "cannot be used");
  }
  // Somebody may have removed or replaced the file.
  if (tables_ != nullptr && (!there || info.st_dev != device_ || info.st_ino != inode_)) close();
  if (tables_ != nullptr) return true;
  if (!there && !may_make) return false;
  LUNAR_TRY(make_folder(options_.folder));
  LUNAR_TRY_ASSIGN(auto tables, Tables::open(path_, may_make, options_.vfs));
  if (stat(path_.c_str(), &info) != 0) return system_error(path_, "cannot be used");
  device_ = info.st_dev;
  inode_ = info.st_ino;
  tables_ = std::move(tables);
  return true;
}

Result<void> Keeper::open_to_write() {
  LUNAR_TRY(open(true));
  if (is_name_durable_) return {};
  LUNAR_TRY(sync_folder(options_.folder));
  is_name_durable_ = true;
  return {};
}

void Keeper::close() {
  tables_.reset();
  is_name_durable_ = false;
}

Result<void> Keeper::commit_or_close() {
  Result<void> committed = tables_->commit();
  if (committed) return committed;
  tables_->roll_back();
  close();  // opening it again shows what it holds
  return committed;
}

// ---- Changes

Result<void> Keeper::prepare(const Transaction& transaction) {
  if (options_.folder.empty()) return no_folder();
  LUNAR_TRY(make_folder(options_.folder));
  for (const Change& change : transaction) {
    if (change.object.is_exclusive()) LUNAR_TRY(locks_.lock(change.object.name()));
    if (has_old_file(change.object, change.key)) LUNAR_TRY(take_over(change.object, change.key));
  }
  return {};
}

void Keeper::commit(std::span<Work> group) {
  std::vector<Work*> members;
  for (Work& work : group) {
    work.outcome = settle();
    if (work.outcome) work.outcome = prepare(*work.transaction);
    if (work.outcome) members.push_back(&work);
  }
  if (members.empty()) return;
  const Result<void> together = write(members);
  for (Work* work : members) {
    Work* const alone[] = {work};
    work->outcome = together || members.size() == 1 ? together : write(alone);
  }
}

Result<void> Keeper::write(std::span<Work* const> members) {
  LUNAR_TRY(settle());
  LUNAR_TRY(open_to_write());
  Result<void> written = tables_->begin();
  for (Work* work : members) {
    work->before.clear();
    if (written) written = put_all(*work);
  }
  if (!written) {
    tables_->roll_back();
    close();
    return written;
  }
  Result<void> committed = commit_or_close();
  if (committed) return committed;
  // The callers continue without the change, so the next start must not find it.
  for (Work* work : members) take_back(std::exchange(work->before, {}));
  return committed;
}

Result<void> Keeper::put_all(Work& work) {
  for (const Change& change : *work.transaction) {
    std::optional<std::string> value;
    if (change.record) value = to_text(*change.record);
    LUNAR_TRY_ASSIGN(auto before, tables_->find(change.object.name(), change.key));
    LUNAR_TRY(tables_->put(change.object.name(), change.key, value));
    work.before.push_back({change.object.name(), change.key, std::move(value), std::move(before)});
  }
  return {};
}

// ---- Pending undo

void Keeper::take_back(std::vector<Before> before) {
  std::ranges::move(before, std::back_inserter(owed_));
  const Result<void> settled = settle();
  if (settled) return;
  log::limited(log::Level::error, path_, "state",
               "{}: a change that has failed could not be taken back: whether it is there after a "
               "power loss is not known",
               settled.error().message);
}

Result<void> Keeper::settle() {
  if (owed_.empty()) return {};
  LUNAR_TRY(open_to_write());
  Result<void> undone = tables_->begin();
  if (undone) undone = undo_owed();
  if (undone) {
    undone = commit_or_close();
  } else {
    tables_->roll_back();
    close();
  }
  if (undone) owed_.clear();
  return undone;
}

Result<void> Keeper::undo_owed() {
  for (const Before& each : std::views::reverse(owed_)) {
    LUNAR_TRY_ASSIGN(const auto now, tables_->find(each.object, each.key));
    // Another value is not ours. The file may have been restored, for example.
    if (now == each.written) LUNAR_TRY(tables_->put(each.object, each.key, each.before));
  }
  return {};
}

// ---- Reading

Result<std::optional<Record>> Keeper::load(const Object& object, std::string_view key) {
  if (options_.folder.empty()) return std::nullopt;
  LUNAR_TRY(settle());
  const bool old = has_old_file(object, key);
  if (!old) {
    LUNAR_TRY_ASSIGN(const bool there, open(false));
    if (!there) return std::nullopt;
    LUNAR_TRY_ASSIGN(const bool any, tables_->has_any(object.name()));
    if (!any) return std::nullopt;
  }
  if (object.is_exclusive()) LUNAR_TRY(locks_.lock(object.name()));
  if (old) LUNAR_TRY(take_over(object, key));
  LUNAR_TRY_ASSIGN(const bool there, open(false));
  if (!there) return std::nullopt;
  LUNAR_TRY_ASSIGN(const auto text, tables_->find(object.name(), key));
  if (!text) return std::nullopt;
  if (text->size() > kMaxRecordBytes)
    return fail(ErrorCode::malformed, fmt::format("state: {}: too long", place_of(object, key)));
  auto record = parse_record(*text);
  if (!record) return wrap(record.error(), fmt::format("state: {}", place_of(object, key)));
  return std::move(*record);
}

// ---- Files of earlier versions

bool Keeper::has_old_file(const Object& object, std::string_view key) const {
  if (!options_.old_files) return false;
  for (const OldFile& file : options_.old_files(object, key)) {
    if (is_there(fmt::format("{}/{}", options_.folder, file.name))) return true;
  }
  return false;
}

// Takes over all files of the object in one transaction. After a crash before they are renamed, the
// database knows that it has them. A file that an earlier version has written since is different.
Result<void> Keeper::take_over(const Object& object, std::string_view key) {
  LUNAR_TRY(open_to_write());
  std::vector<std::string> taken;
  Result<void> done = tables_->begin();
  const auto take_one = [&](const OldFile& file) -> Result<void> {
    const std::string path = fmt::format("{}/{}", options_.folder, file.name);
    LUNAR_TRY_ASSIGN(const auto old, read_old_file(path));
    if (!old) return {};
    taken.push_back(path);
    LUNAR_TRY_ASSIGN(const std::string known, tables_->taken_over(file.name));
    if (known == old->header) return {};
    const Result<Record> record = file.convert(old->text);
    if (!record) {
      return wrap(
          record.error(),
          fmt::format("state {}: it cannot be understood; remove it to start without", path));
    }
    LUNAR_TRY(tables_->put(file.object, file.key, to_text(*record)));
    return tables_->note_taken_over(file.name, old->header);
  };
  for (const OldFile& file : options_.old_files(object, key)) {
    if (done) done = take_one(file);
  }
  if (!done) {
    tables_->roll_back();
    return done;
  }
  LUNAR_TRY(commit_or_close());
  for (const std::string& path : taken) {
    log::info("state {}: taken over into {}", path, path_);
    if (const Result<void> aside = put_aside(path); !aside)
      log::warning("{}; it is not used any more", aside.error().message);
  }
  return {};
}

}  // namespace lunar::state
