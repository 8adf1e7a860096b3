#include "schema/spec.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <optional>

#include "schema/nearest.h"

namespace lunar::schema {
namespace {

std::unexpected<Error> bad(std::string why) {
  return fail(ErrorCode::invalid_argument, std::move(why));
}

// Splits off the text before the next comma. Empties `rest` after the last.
std::string_view next_part(std::optional<std::string_view>& rest) {
  const std::string_view part = rest->substr(0, rest->find(','));
  if (part.size() == rest->size()) {
    rest.reset();
  } else {
    rest->remove_prefix(part.size() + 1);
  }
  return part;
}

bool can_be_option(const Parameter& parameter) {
  return !parameter.leading && parameter.type != Type::tables;
}

// "KEY" or "KEY=VALUE".
Result<Member> parse_option(const std::vector<Parameter>& parameters, std::string_view kind,
                            std::string_view part) {
  const std::size_t equals = part.find('=');
  const std::string_view key = part.substr(0, equals);
  const auto option = std::ranges::find_if(parameters, [&](const Parameter& each) {
    return can_be_option(each) && each.short_name == key;
  });
  if (option == parameters.end()) {
    std::vector<std::string_view> known;
    for (const Parameter& each : parameters) {
      if (can_be_option(each)) known.emplace_back(each.short_name);
    }
    return bad(known.empty() ? fmt::format("{} has no option '{}', nor any other", kind, key)
                             : fmt::format("{} has no option '{}' (it has {}){}", kind, key,
                                           fmt::join(known, ", "), did_you_mean(key, known)));
  }
  if (equals != std::string_view::npos)
    return Member{option->name, {Word{std::string(part.substr(equals + 1))}}};
  if (option->type != Type::boolean) return bad(fmt::format("{} needs a value: {}=…", key, key));
  return Member{option->name, {true}};
}

// Adds one more text of a `texts` parameter.
void append(Value& to, Value more) {
  if (to.as<std::vector<Value>>() == nullptr) {
    std::vector<Value> list;
    list.push_back(std::move(to));
    to = Value{std::move(list)};
  }
  std::get<std::vector<Value>>(to.content).push_back(std::move(more));
}

}  // namespace

const Parameter* leading_of(const std::vector<Parameter>& parameters) {
  const auto found = std::ranges::find_if(parameters, &Parameter::leading);
  return found == parameters.end() ? nullptr : &*found;
}

std::string no_leading_value(const Parameter& leading, std::string_view kind) {
  return fmt::format("has no {}: {}:{}", leading.name, kind,
                     leading.example.empty() ? leading.form : leading.example);
}

Result<Table> parse_spec(const std::vector<Parameter>& parameters, std::string_view kind,
                         std::string_view text) {
  Table table;
  std::optional<std::string_view> rest = text;
  if (const Parameter* leading = leading_of(parameters)) {
    const std::string_view value = next_part(rest);
    if (value.empty()) return bad(no_leading_value(*leading, kind));
    table.members.push_back({leading->name, {Word{std::string(value)}}});
  } else if (text.empty()) {
    rest.reset();
  }
  while (rest) {
    LUNAR_TRY_ASSIGN(Member member, parse_option(parameters, kind, next_part(rest)));
    const auto before = std::ranges::find(table.members, member.key, &Member::key);
    if (before == table.members.end()) {
      table.members.push_back(std::move(member));
      continue;
    }
    const auto option = std::ranges::find(parameters, member.key, &Parameter::name);
    if (option->type != Type::texts)
      return bad(fmt::format("{} is given twice", option->short_name));
    append(before->value, std::move(member.value));
  }
  return table;
}

std::string spec_form(const std::vector<Parameter>& parameters, std::string_view kind,
                      bool with_options) {
  const Parameter* leading = leading_of(parameters);
  std::string form = fmt::format("{}:{}", kind, leading == nullptr ? "" : leading->form);
  if (!with_options) return form;
  std::string_view comma = leading == nullptr ? "" : ",";
  for (const Parameter& each : parameters) {
    if (!can_be_option(each)) continue;
    form += each.type == Type::texts ? fmt::format("[{}{}={}]…", comma, each.short_name, each.form)
            : each.type == Type::boolean
                ? fmt::format("[{}{}]", comma, each.short_name)
                : fmt::format("[{}{}={}]", comma, each.short_name, each.form);
    comma = ",";
  }
  return form;
}

}  // namespace lunar::schema
