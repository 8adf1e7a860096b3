#include "state/sqlite.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace lunar::state {
namespace {

ErrorCode error_code_of(int code, int system_error) {
  if (system_error == EDQUOT || system_error == EFBIG || system_error == EMFILE)
    return ErrorCode::no_resource;
  if (system_error == EACCES || system_error == EPERM || system_error == EROFS)
    return ErrorCode::permission;
  switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return ErrorCode::busy;
    case SQLITE_FULL:
    case SQLITE_NOMEM:
    case SQLITE_TOOBIG: return ErrorCode::no_resource;
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH: return ErrorCode::permission;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_FORMAT: return ErrorCode::malformed;
    default: return ErrorCode::io;
  }
}

// What the user can do about it.
const char* advice_of(ErrorCode code) {
  if (code == ErrorCode::malformed) return "; restore it, or remove it to start without";
  if (code == ErrorCode::busy) return "; another process has been using it for too long";
  return "";
}

}  // namespace

void Statement::Finalize::operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }

void Statement::note(int code) {
  if (failure_ == SQLITE_OK) failure_ = code;
}

Statement& Statement::bind_text(int parameter, std::string_view text) {
  note(sqlite3_bind_text64(statement_.get(), parameter, text.data(), text.size(), SQLITE_TRANSIENT,
                           SQLITE_UTF8));
  return *this;
}

Result<bool> Statement::step() {
  if (failure_ != SQLITE_OK) return connection_->error(failure_);
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return connection_->error(code);
}

std::string_view Statement::column(int index) const {
  const void* bytes = sqlite3_column_blob(statement_.get(), index);
  const int size = sqlite3_column_bytes(statement_.get(), index);
  if (bytes == nullptr || size <= 0) return {};
  return {static_cast<const char*>(bytes), static_cast<std::size_t>(size)};
}

std::int64_t Statement::number(int index) const {
  return sqlite3_column_int64(statement_.get(), index);
}

void Connection::Close::operator()(sqlite3* handle) const { sqlite3_close(handle); }

Result<std::unique_ptr<Connection>> Connection::open(const std::string& path, bool may_make,
                                                     const char* vfs) {
  std::unique_ptr<Connection> connection(new Connection(path));
  sqlite3* handle = nullptr;
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE |
                    (may_make ? SQLITE_OPEN_CREATE : 0);
  const int code = sqlite3_open_v2(path.c_str(), &handle, flags, vfs);
  connection->handle_.reset(handle);  // set after most failures, too
  if (code != SQLITE_OK) return connection->error(code);
  sqlite3_busy_timeout(handle, kBusyTimeoutMs);
  // Whatever the file says, SQLite may only read and write its tables.
  sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  return connection;
}

Result<void> Connection::execute(const char* statements) {
  const int code = sqlite3_exec(handle_.get(), statements, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return error(code);
  return {};
}

Result<Statement> Connection::prepare(std::string_view text) {
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v2(handle_.get(), text.data(), static_cast<int>(text.size()),
                                      &statement, nullptr);
  if (code != SQLITE_OK) return error(code);
  return Statement(*this, statement);
}

Result<std::int64_t> Connection::number(const char* text) {
  LUNAR_TRY_ASSIGN(Statement statement, prepare(text));
  LUNAR_TRY_ASSIGN(const bool found, statement.step());
  return found ? statement.number(0) : 0;
}

Result<std::string> Connection::text(const char* text) {
  LUNAR_TRY_ASSIGN(Statement statement, prepare(text));
  LUNAR_TRY_ASSIGN(const bool found, statement.step());
  return found ? std::string(statement.column(0)) : std::string();
}

bool Connection::in_transaction() const { return sqlite3_get_autocommit(handle_.get()) == 0; }

std::unexpected<Error> Connection::error(int code) const {
  const int primary = code & 0xff;
  // errno of the last failed system call. It has no meaning for other errors.
  const bool of_system =
      handle_ != nullptr &&
      (primary == SQLITE_IOERR || primary == SQLITE_CANTOPEN || primary == SQLITE_FULL);
  const int system_error = of_system ? sqlite3_system_errno(handle_.get()) : 0;
  const ErrorCode kind = error_code_of(code, system_error);
  std::string why = sqlite3_errstr(code);
  if (system_error != 0) why += fmt::format(" ({})", std::strerror(system_error));
  return fail(kind, fmt::format("state {}: {}{}", path_, why, advice_of(kind)));
}

}  // namespace lunar::state
