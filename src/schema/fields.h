// The types of parameters. Each function makes the Field of one member.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/size.h"
#include "lunar/uuid.h"
#include "schema/check.h"
#include "schema/duration.h"
#include "schema/record.h"

namespace lunar::schema {

// A name and the value it stands for.
template <class T>
using Named = std::pair<std::string_view, T>;

namespace detail {

template <class T>
constexpr bool kIsOptional = false;
template <class T>
constexpr bool kIsOptional<std::optional<T>> = true;

template <class T, class V>
void assign(T& to, V value) {
  if constexpr (kIsOptional<T>) {
    to.emplace(static_cast<typename T::value_type>(std::move(value)));
  } else {
    to = static_cast<T>(std::move(value));
  }
}

// The value of a member: an integer or a strong integer. Nothing if it is an empty optional.
template <class T>
std::optional<std::uint64_t> integer_in(const T& member) {
  if constexpr (kIsOptional<T>) {
    if (!member) return {};
    return integer_in(*member);
  } else if constexpr (requires { member.value; }) {
    return member.value;
  } else {
    return static_cast<std::uint64_t>(member);
  }
}

// Checks that the value is an array of tables.
inline Checked check_tables(std::string_view key, const Value& value) {
  const auto* list = value.as<std::vector<Value>>();
  const auto is_table = [](const Value& each) { return each.as<Table>() != nullptr; };
  if (list != nullptr && std::ranges::all_of(*list, is_table)) return {};
  return fault(
      "", fmt::format("must be an array of tables ({} = [{{…}}]), not {}", key, value.describe()));
}

template <class Names>
std::string joined(const Names& names, std::string_view between) {
  std::string text;
  for (const auto& name : names) text += fmt::format("{}{}", text.empty() ? "" : between, name);
  return text;
}

}  // namespace detail

template <class Options>
Field<Options> boolean(std::string_view name, bool Options::* member, std::string_view meaning) {
  Field<Options> field(name, Type::boolean, meaning,
                       [member](Options& to, const Value& value) -> Result<void> {
                         LUNAR_TRY_ASSIGN(to.*member, to_boolean(value));
                         return {};
                       });
  return field.by_default(Options{}.*member ? "true" : "false");
}

template <class Options, class T>
Field<Options> number(std::string_view name, T Options::* member, std::uint64_t minimum,
                      std::uint64_t maximum, std::string_view meaning) {
  Field<Options> field(
      name, Type::number, meaning, [=](Options& to, const Value& value) -> Result<void> {
        LUNAR_TRY_ASSIGN(const std::uint64_t read, to_number(value, minimum, maximum));
        detail::assign(to.*member, read);
        return {};
      });
  if (const auto shown = detail::integer_in(Options{}.*member))
    field.by_default(fmt::to_string(*shown));
  return field.allowed(fmt::format("{} to {}", minimum, maximum)).form("NUMBER");
}

template <class Options, class T>
Field<Options> number_of(std::string_view name, T Options::* member,
                         std::initializer_list<std::uint64_t> allowed, std::string_view meaning) {
  const std::vector<std::uint64_t> values(allowed);
  Field<Options> field(name, Type::number, meaning,
                       [=](Options& to, const Value& value) -> Result<void> {
                         LUNAR_TRY_ASSIGN(const std::uint64_t read, to_number_of(value, values));
                         detail::assign(to.*member, read);
                         return {};
                       });
  if (const auto shown = detail::integer_in(Options{}.*member))
    field.by_default(fmt::to_string(*shown));
  return field.allowed(either_of(values)).form(detail::joined(values, "|"));
}

template <class Options, class T>
Field<Options> size(std::string_view name, T Options::* member, std::uint64_t maximum,
                    std::string_view meaning) {
  Field<Options> field(name, Type::size, meaning,
                       [=](Options& to, const Value& value) -> Result<void> {
                         LUNAR_TRY_ASSIGN(const std::uint64_t read, to_size(value, maximum));
                         detail::assign(to.*member, read);
                         return {};
                       });
  if (maximum < INT64_MAX) field.allowed(fmt::format("up to {}", format_size(maximum)));
  if (const auto shown = detail::integer_in(Options{}.*member))
    field.by_default(format_size(*shown));
  return field.form("SIZE");
}

// `unit_ns`: the unit of plain numbers.
template <class Options, class T>
Field<Options> duration(std::string_view name, T Options::* member, std::uint64_t unit_ns,
                        std::uint64_t max_ns, std::string_view meaning) {
  Field<Options> field(
      name, Type::duration, meaning, [=](Options& to, const Value& value) -> Result<void> {
        LUNAR_TRY_ASSIGN(const std::uint64_t read, to_duration(value, unit_ns, max_ns));
        detail::assign(to.*member, read);
        return {};
      });
  if (const auto shown = detail::integer_in(Options{}.*member))
    field.by_default(format_duration(*shown));
  return field.unit(format_duration(unit_ns).substr(1))
      .allowed(fmt::format("up to {}", format_duration(max_ns)))
      .form("DURATION");
}

// Text that `parse` understands: Result<T> parse(const std::string&).
template <class Options, class T, class Parse>
Field<Options> parsed(std::string_view name, T Options::* member, Parse parse,
                      std::string_view meaning) {
  Field<Options> field(name, Type::text, meaning,
                       [=](Options& to, const Value& value) -> Result<void> {
                         LUNAR_TRY_ASSIGN(const std::string text, to_text(value));
                         LUNAR_TRY_ASSIGN(auto read, parse(text));
                         detail::assign(to.*member, std::move(read));
                         return {};
                       });
  return field.form("TEXT");
}

template <class Options>
Field<Options> text(std::string_view name, std::string Options::* member,
                    std::string_view meaning) {
  const auto as_it_is = [](const std::string& given) -> Result<std::string> { return given; };
  return parsed(name, member, as_it_is, meaning).by_default(Options{}.*member);
}

template <class Options>
Field<Options> path(std::string_view name, std::string Options::* member,
                    std::string_view meaning) {
  Field<Options> field(name, Type::path, meaning,
                       [member](Options& to, const Value& value) -> Result<void> {
                         LUNAR_TRY_ASSIGN(to.*member, to_text(value));
                         return {};
                       });
  return field.form("PATH");
}

template <class Options>
Field<Options> uuid(std::string_view name, std::optional<Uuid> Options::* member,
                    std::string_view meaning) {
  Field<Options> field(name, Type::uuid, meaning,
                       [member](Options& to, const Value& value) -> Result<void> {
                         LUNAR_TRY_ASSIGN(to.*member, to_uuid(value));
                         return {};
                       });
  return field.form("UUID");
}

// One of the given names. The names and values are copied.
template <class Options, class T, class V>
Field<Options> choice(std::string_view name, T Options::* member,
                      const std::vector<Named<V>>& choices, std::string_view meaning) {
  std::vector<std::string> names;
  const Options standard{};
  std::string shown;
  for (const auto& [each, stands_for] : choices) {
    names.emplace_back(each);
    T as_member{};
    detail::assign(as_member, stands_for);
    if (standard.*member == as_member) shown = each;
  }
  Field<Options> field(name, Type::choice, meaning,
                       [=](Options& to, const Value& value) -> Result<void> {
                         const std::vector<std::string_view> known(names.begin(), names.end());
                         LUNAR_TRY_ASSIGN(const std::size_t index, to_choice(value, known));
                         detail::assign(to.*member, choices[index].second);
                         return {};
                       });
  return field.by_default(shown)
      .allowed(detail::joined(names, ", "))
      .form(detail::joined(names, "|"));
}

template <class Options>
Field<Options> texts(std::string_view name, std::vector<std::string> Options::* member,
                     std::string_view meaning) {
  Field<Options> field(name, Type::texts, meaning,
                       [member](Options& to, const Value& value) -> Result<void> {
                         LUNAR_TRY_ASSIGN(to.*member, to_texts(value));
                         return {};
                       });
  return field.form("TEXT");
}

// An array of tables that other code reads: this only checks that it is one. `row`: the parameters
// of a table in it.
template <class Options>
Field<Options> section(std::string_view name, const std::vector<Parameter>& row,
                       std::string_view meaning) {
  Field<Options> field(name, Type::tables, meaning,
                       [key = std::string(name)](Options&, const Value& value) {
                         return detail::check_tables(key, value);
                       });
  return field.row(row);
}

// An array of tables. `record` declares the parameters of each.
template <class Options, class Row>
Field<Options> tables(std::string_view name, std::vector<Row> Options::* member,
                      const Record<Row>& record, std::string_view meaning) {
  Field<Options> field(name, Type::tables, meaning,
                       [=, key = std::string(name)](Options& to, const Value& value) -> Checked {
                         if (Checked good = detail::check_tables(key, value); !good) return good;
                         for (const Value& each : *value.as<std::vector<Value>>()) {
                           auto row = record.read(*each.as<Table>());
                           if (!row) return std::unexpected(std::move(row).error());
                           (to.*member).push_back(std::move(*row));
                         }
                         return {};
                       });
  return field.row(record.parameters());
}

}  // namespace lunar::schema
