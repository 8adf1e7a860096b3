// One thing that people configure: what it is called, what it may be, and where it goes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "lunar/result.h"
#include "schema/value.h"

namespace lunar::schema {

enum class Type : std::uint8_t {
  boolean,
  number,
  size,      // bytes
  duration,  // held in nanoseconds
  text,
  path,
  uuid,
  choice,  // one of some names
  texts,   // a text or several
  tables,  // rows, each of one declaration; not in a spec
};

// What is wrong with a table: `key` is the parameter, "inject.action" in a row.
struct Fault {
  std::string key;
  std::string why;
  std::size_t line = 0;  // 0: its source has none
};
using Checked = std::expected<void, Fault>;

[[nodiscard]] inline std::unexpected<Fault> fault(std::string key, std::string why) {
  return std::unexpected(Fault{std::move(key), std::move(why)});
}

// Constant once it is declared.
struct Parameter {
  std::string name;        // the key in TOML and JSON
  std::string short_name;  // the key in a spec
  Type type = Type::text;
  std::string meaning;  // one line
  bool required = false;
  bool leading = false;        // a spec begins with it, without a key
  std::string unit;            // of a number: "blocks"
  std::string allowed;         // the values there are, for people: "512 or 4096"
  std::string form;            // in a usage line: "512|4096", "SIZE"
  std::string example;         // of a value that is missing
  std::string by_default;      // for people; empty: none
  std::vector<Parameter> row;  // of tables

  // Judges a value and puts it into the struct that the declaration fills.
  std::function<Checked(void* to, const Value& value)> read;
};

// What a table may hold beside the parameters that are read.
struct Reading {
  std::vector<std::string_view> also_known{};  // read by others
  bool others_allowed = false;                 // which keys there can be is not known yet
};

// Fills `to`, the struct that the parameters were declared for. The first fault: a wrong value, in
// the order of the declaration; then an unknown key; then a missing one, as the unknown key may be
// that one, misspelt.
Checked read_parameters(const std::vector<Parameter>& parameters, void* to, const Table& table,
                        const Reading& reading);

[[nodiscard]] std::vector<std::string_view> names_of(const std::vector<Parameter>& parameters);

}  // namespace lunar::schema
