// One TOML table on its way into a struct: which keys it may have, what each must hold, and where
// the fault is. Ask for every key, then finish(); the first fault is kept, what follows is
// harmless.
//
//   TomlTable reader(table, "lunar.toml", "portal");
//   reader.text("listen", portal.listen);
//   reader.require("listen");
//   LUNAR_TRY(reader.finish());
#pragma once

#include <concepts>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "control/toml_library.h"
#include "lunar/result.h"

namespace lunar::control {

class TomlTable {
 public:
  // `path` is how the table is called in errors ("target.lun"); empty for the document itself. The
  // table and the texts outlive the reader.
  TomlTable(const toml::table& table, std::string_view source, std::string_view path)
      : table_(table), source_(source), path_(path) {}

  // Each of these reads a key if it is there, and leaves `to` alone if it is not.
  void text(std::string_view key, std::string& to);
  // A text, or an array of them.
  void texts(std::string_view key, std::vector<std::string>& to);
  void boolean(std::string_view key, bool& to);
  // "10GiB", or a number of bytes.
  void size(std::string_view key, std::optional<std::uint64_t>& to);
  template <std::unsigned_integral T>
  void number(std::string_view key, T& to, std::uint64_t minimum, std::uint64_t maximum) {
    if (const auto value = whole_number(key, minimum, maximum)) to = static_cast<T>(*value);
  }
  // Text that `parse` (Result<...>(const std::string&)) understands.
  template <class T, class Parse>
  void parsed(std::string_view key, T& to, Parse parse) {
    std::string value;
    text(key, value);
    if (failed() || !has(key)) return;
    auto result = parse(value);
    if (result) {
      to = std::move(*result);
    } else {
      wrong(key, result.error().message);
    }
  }
  // One of these texts.
  template <class T, class Value>
  void choice(std::string_view key, T& to,
              std::span<const std::pair<std::string_view, Value>> choices) {
    std::vector<std::string_view> names;
    for (const auto& [name, value] : choices) names.push_back(name);
    if (const auto index = one_of(key, names)) to = choices[*index].second;
  }
  // Calls `read` (Result<void>(const toml::table&)) with each table of an array of tables. Its
  // errors name their place themselves.
  template <class Read>
  void tables(std::string_view key, Read read) {
    for (const toml::table* each : tables_of(key)) {
      if (failed()) return;
      if (Result<void> result = read(*each); !result) fault_ = result.error();
    }
  }

  // There must be one.
  void require(std::string_view key);
  // What is wrong with a key's value, by the caller's own rules.
  void wrong(std::string_view key, std::string_view why);
  [[nodiscard]] bool has(std::string_view key) const { return table_.contains(key); }
  [[nodiscard]] bool failed() const { return fault_.has_value(); }
  // "lunar.toml:12": where the table begins.
  [[nodiscard]] std::string where() const;

  // The first fault, before finish(): which keys there can be is not known yet.
  [[nodiscard]] Result<void> fault() const {
    if (failed()) return std::unexpected(*fault_);
    return {};
  }
  // The first fault. A key that nobody asked for comes before one that is missing: it may be that
  // one, misspelt.
  [[nodiscard]] Result<void> finish() const;

 private:
  const toml::node* get(std::string_view key);
  std::optional<std::uint64_t> whole_number(std::string_view key, std::uint64_t minimum,
                                            std::uint64_t maximum);
  std::optional<std::size_t> one_of(std::string_view key, std::span<const std::string_view> names);
  std::vector<const toml::table*> tables_of(std::string_view key);
  [[nodiscard]] Error error_at(const toml::source_region& at, std::string_view key,
                               std::string_view why) const;

  const toml::table& table_;
  std::string_view source_;
  std::string_view path_;
  std::vector<std::string_view> known_;
  std::optional<Error> fault_;
  bool missing_ = false;  // the fault is a missing key
};

}  // namespace lunar::control
