// Configuration values as given, before they are checked: a tree, as in TOML and JSON, or the words
// of a `key=value` spec.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace lunar::schema {

// A value in a spec. Its parameter decides whether it is a number, a size or a name.
struct Word {
  std::string text;
};

// A value of a type that no parameter has, in words for people: "a number with a fraction".
struct Foreign {
  std::string what;
};

struct Member;
struct Value;

struct Table {
  std::vector<Member> members;  // in the given order
  std::size_t line = 0;         // where it begins; 0: the source has no lines

  // Null: not found.
  [[nodiscard]] const Value* find(std::string_view key) const;
};

struct Value {
  std::variant<Foreign, Word, bool, std::int64_t, std::string, std::vector<Value>, Table> content;
  std::size_t line = 0;

  template <class T>
  [[nodiscard]] const T* as() const {
    return std::get_if<T>(&content);
  }
  // For error messages: "'text'", "3", "an array".
  [[nodiscard]] std::string describe() const;
};

struct Member {
  std::string key;
  Value value;
};

// The tables of an array of tables. Empty: the key is missing, or its value is something else.
[[nodiscard]] std::vector<const Table*> rows_of(const Table& table, std::string_view key);

}  // namespace lunar::schema
