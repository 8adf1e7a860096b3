// What was given for a thing that people configure, before anybody has judged it: a tree as TOML
// and JSON have it, or the words of a `key=value` spec.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace lunar::schema {

// Text of a spec. Its parameter says whether it is a number, a size or a name.
struct Word {
  std::string text;
};

// Something that no parameter takes, in words for people: "a number with a fraction".
struct Foreign {
  std::string what;
};

struct Member;
struct Value;

struct Table {
  std::vector<Member> members;  // in the order in which they were given
  std::size_t line = 0;         // where it begins; 0: its source has no lines

  // Null: it is not there.
  [[nodiscard]] const Value* find(std::string_view key) const;
};

struct Value {
  std::variant<Foreign, Word, bool, std::int64_t, std::string, std::vector<Value>, Table> content;
  std::size_t line = 0;

  template <class T>
  [[nodiscard]] const T* as() const {
    return std::get_if<T>(&content);
  }
  // For people, in an error: "'text'", "3", "an array".
  [[nodiscard]] std::string describe() const;
};

struct Member {
  std::string key;
  Value value;
};

// The rows of an array of tables; nothing when the key is not there, or holds something else.
[[nodiscard]] std::vector<const Table*> rows_of(const Table& table, std::string_view key);

}  // namespace lunar::schema
