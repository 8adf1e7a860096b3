#include "schema/reference.h"

#include <fmt/format.h>

#include <algorithm>

namespace lunar::schema {
namespace {

std::string_view name_of(Type type) {
  switch (type) {
    case Type::boolean: return "boolean";
    case Type::number: return "number";
    case Type::size: return "size";
    case Type::duration: return "duration";
    case Type::text: return "text";
    case Type::path: return "path";
    case Type::uuid: return "UUID";
    case Type::choice: return "name";
    case Type::texts: return "text, or several";
    case Type::tables: return "tables";
  }
  return "unknown type";
}

// "name: `direct` or `buffered`", "duration in us, up to 60s".
std::string describe_type(const Parameter& parameter) {
  std::string text(name_of(parameter.type));
  if (!parameter.unit.empty()) {
    text += parameter.type == Type::duration ? fmt::format(", or a number of {}", parameter.unit)
                                             : fmt::format(" of {}", parameter.unit);
  }
  if (!parameter.allowed.empty()) text += ": " + parameter.allowed;
  return text;
}

std::string describe_default(const Parameter& parameter) {
  if (parameter.required) return "required";
  return parameter.by_default.empty() ? "none" : parameter.by_default;
}

// "SIZE" for a leading value; "block=512|4096"; "readonly".
std::string key_in_spec(const Parameter& parameter) {
  if (parameter.leading) return parameter.form;
  if (parameter.type == Type::boolean) return parameter.short_name;
  return fmt::format("{}={}", parameter.short_name, parameter.form);
}

bool has_short_names(const std::vector<Parameter>& parameters) {
  return std::ranges::any_of(parameters, [](const Parameter& each) {
    return each.leading || each.short_name != each.name;
  });
}

// An unescaped bar would end the cell.
std::string in_cell(std::string text) {
  for (std::size_t at = 0; (at = text.find('|', at)) != std::string::npos; at += 2)
    text.insert(at, "\\");
  return text;
}

}  // namespace

std::string help_lines(const std::vector<Parameter>& parameters) {
  std::vector<std::pair<std::string, std::string>> lines;
  for (const Parameter& each : parameters) {
    if (each.type == Type::tables) continue;
    const std::string more = each.required ? ""
                             : each.by_default.empty()
                                 ? ""
                                 : fmt::format(" (default: {})", each.by_default);
    lines.emplace_back(key_in_spec(each), each.meaning + more);
  }
  std::size_t width = 0;
  for (const auto& line : lines) width = std::max(width, line.first.size());
  std::string text;
  for (const auto& [key, meaning] : lines)
    text += fmt::format("  {:<{}}  {}\n", key, width, meaning);
  return text;
}

std::string markdown(const std::vector<Parameter>& parameters, std::string_view path) {
  const bool specs = has_short_names(parameters);
  std::string text =
      specs ? "| key | in `--disk` | type | default | meaning |\n|---|---|---|---|---|\n"
            : "| key | type | default | meaning |\n|---|---|---|---|\n";
  for (const Parameter& each : parameters) {
    text += fmt::format("| `{}` | ", each.name);
    if (specs) {
      text += each.type == Type::tables ? std::string("–")
                                        : fmt::format("`{}`", in_cell(key_in_spec(each)));
      text += " | ";
    }
    text += fmt::format("{} | {} | {} |\n", in_cell(describe_type(each)),
                        in_cell(describe_default(each)), in_cell(each.meaning));
  }
  for (const Parameter& each : parameters) {
    if (each.type != Type::tables) continue;
    const std::string inner = fmt::format("{}.{}", path, each.name);
    text += fmt::format("\n`[[{}]]`, {}:\n\n{}", inner, each.meaning, markdown(each.row, inner));
  }
  return text;
}

}  // namespace lunar::schema
