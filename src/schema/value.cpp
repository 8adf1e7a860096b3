#include "schema/value.h"

#include <fmt/format.h>

#include <algorithm>

namespace lunar::schema {
namespace {

struct Describe {
  std::string operator()(const Foreign& foreign) const { return foreign.what; }
  std::string operator()(const Word& word) const { return fmt::format("'{}'", word.text); }
  std::string operator()(bool value) const { return value ? "true" : "false"; }
  std::string operator()(std::int64_t value) const { return fmt::to_string(value); }
  std::string operator()(const std::string& text) const { return fmt::format("'{}'", text); }
  std::string operator()(const std::vector<Value>& /*list*/) const { return "an array"; }
  std::string operator()(const Table& /*table*/) const { return "a table"; }
};

}  // namespace

const Value* Table::find(std::string_view key) const {
  const auto found = std::ranges::find(members, key, &Member::key);
  return found == members.end() ? nullptr : &found->value;
}

std::string Value::describe() const { return std::visit(Describe(), content); }

std::vector<const Table*> rows_of(const Table& table, std::string_view key) {
  std::vector<const Table*> rows;
  const Value* value = table.find(key);
  const auto* list = value == nullptr ? nullptr : value->as<std::vector<Value>>();
  if (list == nullptr) return rows;
  for (const Value& each : *list) {
    if (const auto* row = each.as<Table>()) rows.push_back(row);
  }
  return rows;
}

}  // namespace lunar::schema
