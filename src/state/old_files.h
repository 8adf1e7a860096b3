// State folders from before there was a database: a file a value, FOLDER/UUID/NAME and
// FOLDER/devices/ID, each with a line "lunar state 1 LENGTH CHECKSUM" before its text. They are
// read, never written.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "lunar/result.h"
#include "state/record.h"

namespace lunar::state {

// One that may be there, and what its text means today.
struct OldFile {
  std::string name;  // below the folder
  std::string object;
  std::string key;
  Result<Record> (*convert)(std::string_view text);
};

struct OldText {
  std::string header;  // tells this content from another of the same file
  std::string text;
};

[[nodiscard]] bool is_there(const std::string& path);
// Unset: there is no such file. malformed: it is damaged; permission, io.
[[nodiscard]] Result<std::optional<OldText>> read_old_file(const std::string& path);
// Out of the way, as PATH.old: what it held is in the database. Durable when it returns.
Result<void> put_aside(const std::string& path);

}  // namespace lunar::state
