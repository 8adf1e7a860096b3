#include "schema/parameter.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "schema/nearest.h"

namespace lunar::schema {
namespace {

// The first member, by its line, with an unknown key.
const Member* find_unknown(const Table& table, const std::vector<std::string_view>& known) {
  const Member* first = nullptr;
  for (const Member& member : table.members) {
    if (std::ranges::count(known, member.key) != 0) continue;
    if (first == nullptr || member.value.line < first->value.line) first = &member;
  }
  return first;
}

}  // namespace

Checked read_parameters(const std::vector<Parameter>& parameters, void* to, const Table& table,
                        const Reading& reading) {
  for (const Parameter& parameter : parameters) {
    const Value* value = table.find(parameter.name);
    if (value == nullptr) continue;
    if (Checked read = parameter.read(to, *value); !read) {
      Fault found = std::move(read).error();
      found.key = found.key.empty() ? parameter.name : parameter.name + "." + found.key;
      if (found.line == 0) found.line = value->line;
      return std::unexpected(std::move(found));
    }
  }
  if (!reading.others_allowed) {
    std::vector<std::string_view> known = reading.also_known;
    std::ranges::copy(names_of(parameters), std::back_inserter(known));
    if (const Member* unknown = find_unknown(table, known)) {
      return std::unexpected(
          Fault{unknown->key,
                fmt::format("unknown key (known here: {}){}", fmt::join(known, ", "),
                            did_you_mean(unknown->key, known)),
                unknown->value.line});
    }
  }
  for (const Parameter& parameter : parameters) {
    if (parameter.required && table.find(parameter.name) == nullptr)
      return std::unexpected(Fault{parameter.name, "is missing", table.line});
  }
  return {};
}

std::vector<std::string_view> names_of(const std::vector<Parameter>& parameters) {
  std::vector<std::string_view> names;
  names.reserve(parameters.size());
  for (const Parameter& parameter : parameters) names.emplace_back(parameter.name);
  return names;
}

}  // namespace lunar::schema
