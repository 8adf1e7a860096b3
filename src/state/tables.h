// The tables of a state database, in one SQLite file:
//
//   record(object, key, value)   value: the text of a Record
//   taken_over(file, header)     files of earlier versions whose contents are in `record`
//
// Durability: a rollback journal that is truncated, and synchronous=FULL. commit() returns when the
// file and the end of the journal are on the medium. docs/adr/0001-state-store.md says why.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "lunar/result.h"
#include "state/sqlite.h"

namespace lunar::state {

// For the one thread that has opened it. Errors as sqlite.h has them.
class Tables {
 public:
  // Makes the file, if it may, and what is missing in it. malformed: it is damaged, or another
  // program's; unsupported: a later lunar has made it.
  static Result<std::unique_ptr<Tables>> open(const std::string& path, bool may_make,
                                              const char* vfs = nullptr);

  Result<std::optional<std::string>> find(std::string_view object, std::string_view key);
  Result<bool> has_any(std::string_view object);
  // The header of a file that has been taken over; empty: it has not.
  Result<std::string> taken_over(std::string_view file);

  // Within begin() and commit(). Unset: it is removed.
  Result<void> put(std::string_view object, std::string_view key,
                   const std::optional<std::string>& value);
  Result<void> note_taken_over(std::string_view file, std::string_view header);
  Result<void> begin() { return connection_->execute("BEGIN IMMEDIATE"); }
  // After an error nobody knows what the file holds until it is opened again.
  Result<void> commit() { return connection_->execute("COMMIT"); }
  // As far as it can; opening the file again does the rest.
  void roll_back();

 private:
  explicit Tables(std::unique_ptr<Connection> connection) : connection_(std::move(connection)) {}
  Result<void> check_owner(const std::string& path);
  Result<void> check_sound(const std::string& path);
  Result<void> make();

  std::unique_ptr<Connection> connection_;
};

}  // namespace lunar::state
