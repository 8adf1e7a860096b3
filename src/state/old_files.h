// State folders from before the database. Each value is a file, FOLDER/UUID/NAME or
// FOLDER/devices/ID: a line "lunar state 1 LENGTH CHECKSUM", then its text. Only read, never
// written.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "lunar/result.h"
#include "state/record.h"

namespace lunar::state {

// A file that may exist, and how to convert its text.
struct OldFile {
  std::string name;  // relative to the folder
  std::string object;
  std::string key;
  Result<Record> (*convert)(std::string_view text);
};

struct OldText {
  std::string header;  // the first line; differs for other contents of the same file
  std::string text;
};

[[nodiscard]] bool is_there(const std::string& path);
// Unset: no such file. malformed: it is damaged; permission, io.
[[nodiscard]] Result<std::optional<OldText>> read_old_file(const std::string& path);
// Renames the file to PATH.old, durably: the database has its contents now.
Result<void> put_aside(const std::string& path);

}  // namespace lunar::state
