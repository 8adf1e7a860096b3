#include "state/tables.h"

#include <fmt/format.h>

#include <cstdint>
#include <utility>

#include "state/record.h"

namespace lunar::state {
namespace {

// PRAGMA application_id ("lunr") and user_version.
constexpr std::int64_t kApplication = 0x6c756e72;
constexpr std::int64_t kVersion = 1;

constexpr const char* kDurable =
    "PRAGMA synchronous=FULL;"
    "PRAGMA cell_size_check=ON;";
constexpr const char* kMake =
    "CREATE TABLE record(object TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL,"
    " PRIMARY KEY(object, key)) WITHOUT ROWID;"
    "CREATE TABLE taken_over(file TEXT NOT NULL PRIMARY KEY, header TEXT NOT NULL) WITHOUT ROWID;"
    "PRAGMA application_id=1819635314;"
    "PRAGMA user_version=1;";
static_assert(kApplication == 1819635314 && kVersion == 1);

}  // namespace

Result<std::unique_ptr<Tables>> Tables::open(const std::string& path, bool may_make,
                                             const char* vfs) {
  LUNAR_TRY_ASSIGN(auto connection, Connection::open(path, may_make, vfs));
  std::unique_ptr<Tables> tables(new Tables(std::move(connection)));
  LUNAR_TRY_ASSIGN(const std::string mode,
                   tables->connection_->text("PRAGMA journal_mode=TRUNCATE"));
  if (mode != "truncate") {
    return fail(ErrorCode::io,
                fmt::format("state {}: its journal is of mode {} and stays so", path, mode));
  }
  LUNAR_TRY(tables->connection_->execute(kDurable));
  LUNAR_TRY(tables->check_owner(path));
  LUNAR_TRY(tables->check_sound(path));
  return tables;
}

// An empty file is new, or left by a crash while it was created.
Result<void> Tables::check_owner(const std::string& path) {
  LUNAR_TRY_ASSIGN(const std::int64_t schema, connection_->number("PRAGMA schema_version"));
  if (schema == 0) LUNAR_TRY(make());
  LUNAR_TRY_ASSIGN(const std::int64_t application, connection_->number("PRAGMA application_id"));
  if (application != kApplication) {
    return fail(ErrorCode::malformed,
                fmt::format("state {}: it is no state database of lunar", path));
  }
  LUNAR_TRY_ASSIGN(const std::int64_t version, connection_->number("PRAGMA user_version"));
  if (version > kVersion) {
    return fail(ErrorCode::unsupported,
                fmt::format("state {}: it has version {}: a later version of lunar has made it",
                            path, version));
  }
  return {};
}

Result<void> Tables::check_sound(const std::string& path) {
  LUNAR_TRY_ASSIGN(const std::string found, connection_->text("PRAGMA quick_check(1)"));
  if (found == "ok") return {};
  return fail(ErrorCode::malformed,
              fmt::format("state {}: it is damaged ({}); restore it, or remove it to start without",
                          path, found));
}

// Two processes may find the file empty. The second waits, and then finds the tables created.
Result<void> Tables::make() {
  LUNAR_TRY(begin());
  const auto schema = connection_->number("PRAGMA schema_version");
  Result<void> made;
  if (!schema) {
    made = std::unexpected(schema.error());
  } else if (*schema == 0) {
    made = connection_->execute(kMake);
  }
  if (made) made = commit();
  if (!made) roll_back();
  return made;
}

Result<std::optional<std::string>> Tables::find(std::string_view object, std::string_view key) {
  LUNAR_TRY_ASSIGN(Statement statement,
                   connection_->prepare("SELECT value FROM record WHERE object=?1 AND key=?2"));
  LUNAR_TRY_ASSIGN(const bool found, statement.bind_text(1, object).bind_text(2, key).step());
  if (!found) return std::nullopt;
  return std::string(statement.column(0));
}

Result<bool> Tables::has_any(std::string_view object) {
  LUNAR_TRY_ASSIGN(Statement statement,
                   connection_->prepare("SELECT 1 FROM record WHERE object=?1 LIMIT 1"));
  return statement.bind_text(1, object).step();
}

Result<std::string> Tables::taken_over(std::string_view file) {
  LUNAR_TRY_ASSIGN(Statement statement,
                   connection_->prepare("SELECT header FROM taken_over WHERE file=?1"));
  LUNAR_TRY_ASSIGN(const bool found, statement.bind_text(1, file).step());
  return found ? std::string(statement.column(0)) : std::string();
}

Result<void> Tables::put(std::string_view object, std::string_view key,
                         const std::optional<std::string>& value) {
  LUNAR_TRY_ASSIGN(Statement statement,
                   connection_->prepare(value ? "INSERT OR REPLACE INTO record VALUES(?1, ?2, ?3)"
                                              : "DELETE FROM record WHERE object=?1 AND key=?2"));
  statement.bind_text(1, object).bind_text(2, key);
  if (value) statement.bind_text(3, *value);
  LUNAR_TRY(statement.step());
  return {};
}

Result<void> Tables::note_taken_over(std::string_view file, std::string_view header) {
  LUNAR_TRY_ASSIGN(Statement statement,
                   connection_->prepare("INSERT OR REPLACE INTO taken_over VALUES(?1, ?2)"));
  LUNAR_TRY(statement.bind_text(1, file).bind_text(2, header).step());
  return {};
}

void Tables::roll_back() {
  if (connection_->in_transaction()) (void)connection_->execute("ROLLBACK");
}

}  // namespace lunar::state
