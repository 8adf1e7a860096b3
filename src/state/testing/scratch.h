// A temporary folder for a test, and simple records.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>

#include "state/store.h"

namespace lunar::state::testing {

struct Scratch {
  Scratch() {
    std::string pattern = (std::filesystem::temp_directory_path() / "lunar-state.XXXXXX").string();
    path = mkdtemp(pattern.data());
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() { std::filesystem::remove_all(path); }

  std::filesystem::path path;
};

// A record that holds a word.
inline Record word(std::string_view text) {
  Record record;
  record.add("word").set("text", text);
  return record;
}
// The word in such a record. "": no record.
inline std::string word_in(const std::optional<Record>& record) {
  return record ? *record->find("word")->find("text") : std::string();
}

inline Transaction setting(const Object& object, std::string key, std::optional<Record> record) {
  Transaction transaction;
  transaction.push_back({object, std::move(key), std::move(record)});
  return transaction;
}

}  // namespace lunar::state::testing
