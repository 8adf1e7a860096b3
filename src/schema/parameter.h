// A parameter that people configure: its name, its allowed values, and where its value goes.
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
  choice,  // one of several names
  texts,   // one or more texts
  tables,  // an array of tables, all with the same parameters; not in a spec
};

// An error in a table. `key` is the parameter, such as "inject.action" for one in an array of
// tables.
struct Fault {
  std::string key;
  std::string why;
  std::size_t line = 0;  // 0: the source has no lines
};
using Checked = std::expected<void, Fault>;

[[nodiscard]] inline std::unexpected<Fault> fault(std::string key, std::string why) {
  return std::unexpected(Fault{std::move(key), std::move(why)});
}

// Constant once declared.
struct Parameter {
  std::string name;        // the key in TOML and JSON
  std::string short_name;  // the key in a spec
  Type type = Type::text;
  std::string meaning;  // one line
  bool required = false;
  bool leading = false;        // comes first in a spec, without a key
  std::string unit;            // of a number: "blocks"
  std::string allowed;         // allowed values, for people: "512 or 4096"
  std::string form;            // for usage lines: "512|4096", "SIZE"
  std::string example;         // for the error if it is missing
  std::string by_default;      // the default, for people; empty: none
  std::vector<Parameter> row;  // of tables

  // Checks a value and stores it in the struct that the declaration is for.
  std::function<Checked(void* to, const Value& value)> read;
};

// Keys that a table may contain besides the parameters.
struct Reading {
  std::vector<std::string_view> also_known{};  // other code reads these
  bool others_allowed = false;                 // any other key: the full set is not known yet
};

// Fills `to`, the struct that the parameters were declared for. Reports the first fault: a wrong
// value, in the order of the declaration; else an unknown key; else a missing parameter. Unknown
// before missing, because the unknown key may be the missing one, misspelt.
Checked read_parameters(const std::vector<Parameter>& parameters, void* to, const Table& table,
                        const Reading& reading);

[[nodiscard]] std::vector<std::string_view> names_of(const std::vector<Parameter>& parameters);

}  // namespace lunar::schema
