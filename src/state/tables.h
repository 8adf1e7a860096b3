// The tables of a state database, in one SQLite file:
//
//   record(object, key, value)   value: the text of a Record
//   taken_over(file, header)     files of earlier versions whose contents are now in `record`
//
// Durability: a truncated rollback journal, and synchronous=FULL. When commit() returns, the file
// and the end of the journal are on the medium. Reasons: docs/adr/0001-state-store.md.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "lunar/result.h"
#include "state/sqlite.h"

namespace lunar::state {

// Used only by the thread that opened it. Errors as in sqlite.h.
class Tables {
 public:
  // Opens the file and creates missing tables; creates the file if `may_make`. malformed: damaged,
  // or another program's; unsupported: created by a later version of lunar.
  static Result<std::unique_ptr<Tables>> open(const std::string& path, bool may_make,
                                              const char* vfs = nullptr);

  Result<std::optional<std::string>> find(std::string_view object, std::string_view key);
  Result<bool> has_any(std::string_view object);
  // The header with which a file was taken over. Empty: it was not.
  Result<std::string> taken_over(std::string_view file);

  // Between begin() and commit(). Unset: removes the key.
  Result<void> put(std::string_view object, std::string_view key,
                   const std::optional<std::string>& value);
  Result<void> note_taken_over(std::string_view file, std::string_view header);
  Result<void> begin() { return connection_->execute("BEGIN IMMEDIATE"); }
  // After an error, the contents are unknown until the file is opened again.
  Result<void> commit() { return connection_->execute("COMMIT"); }
  // Best effort: opening the file again does the rest.
  void roll_back();

 private:
  explicit Tables(std::unique_ptr<Connection> connection) : connection_(std::move(connection)) {}
  Result<void> check_owner(const std::string& path);
  Result<void> check_sound(const std::string& path);
  Result<void> make();

  std::unique_ptr<Connection> connection_;
};

}  // namespace lunar::state
