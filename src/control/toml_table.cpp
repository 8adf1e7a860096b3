#include "control/toml_table.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/size.h"

namespace lunar::control {
namespace {

// What stands there instead, for people.
std::string describe(const toml::node& node) {
  switch (node.type()) {
    case toml::node_type::integer: return fmt::to_string(node.as_integer()->get());
    case toml::node_type::string: return fmt::format("'{}'", node.as_string()->get());
    case toml::node_type::boolean: return node.as_boolean()->get() ? "true" : "false";
    case toml::node_type::floating_point: return "a number with a fraction";
    case toml::node_type::array: return "an array";
    case toml::node_type::table: return "a table";
    case toml::node_type::date:
    case toml::node_type::time:
    case toml::node_type::date_time: return "a date or time";
    case toml::node_type::none: break;
  }
  return "nothing";
}

std::string must_be(std::string_view what, const toml::node& node) {
  return fmt::format("must be {}, not {}", what, describe(node));
}

}  // namespace

Error TomlTable::error_at(const toml::source_region& at, std::string_view key,
                          std::string_view why) const {
  return {ErrorCode::invalid_argument, fmt::format("{}:{}: {}{}{}: {}", source_, at.begin.line,
                                                   path_, path_.empty() ? "" : ".", key, why)};
}

std::string TomlTable::where() const {
  return fmt::format("{}:{}", source_, table_.source().begin.line);
}

const toml::node* TomlTable::get(std::string_view key) {
  known_.push_back(key);
  return failed() ? nullptr : table_.get(key);
}

void TomlTable::wrong(std::string_view key, std::string_view why) {
  if (failed()) return;
  const toml::node* node = table_.get(key);
  fault_ = error_at(node != nullptr ? node->source() : table_.source(), key, why);
}

void TomlTable::require(std::string_view key) {
  if (failed() || has(key)) return;
  missing_ = true;
  wrong(key, "is missing");
}

void TomlTable::text(std::string_view key, std::string& to) {
  const toml::node* node = get(key);
  if (node == nullptr) return;
  if (const auto value = node->value_exact<std::string>(); !value) {
    wrong(key, must_be("a string", *node));
  } else if (value->empty()) {
    wrong(key, "must not be empty");
  } else {
    to = *value;
  }
}

void TomlTable::texts(std::string_view key, std::vector<std::string>& to) {
  const toml::node* node = get(key);
  if (node == nullptr) return;
  const auto add = [&](const toml::node& element) {
    const auto value = element.value_exact<std::string>();
    if (!value || value->empty()) {
      wrong(key, must_be("a string that is not empty, or an array of them", element));
    } else {
      to.push_back(*value);
    }
  };
  const toml::array* array = node->as_array();
  if (array == nullptr) return add(*node);
  if (array->empty()) wrong(key, "must not be empty");
  for (const toml::node& element : *array) {
    if (!failed()) add(element);
  }
}

void TomlTable::boolean(std::string_view key, bool& to) {
  const toml::node* node = get(key);
  if (node == nullptr) return;
  if (const auto value = node->value_exact<bool>()) {
    to = *value;
  } else {
    wrong(key, must_be("true or false", *node));
  }
}

void TomlTable::size(std::string_view key, std::optional<std::uint64_t>& to) {
  const toml::node* node = get(key);
  if (node == nullptr) return;
  const auto bytes = node->value_exact<std::int64_t>();
  const auto words = node->value_exact<std::string>();
  if (bytes && *bytes >= 0) {
    to = static_cast<std::uint64_t>(*bytes);
  } else if (!words) {
    wrong(key, must_be("a size such as \"10GiB\"", *node));
  } else if (const auto parsed = parse_size(*words)) {
    to = *parsed;
  } else {
    wrong(key, parsed.error().message);
  }
}

std::optional<std::uint64_t> TomlTable::whole_number(std::string_view key, std::uint64_t minimum,
                                                     std::uint64_t maximum) {
  const toml::node* node = get(key);
  if (node == nullptr) return {};
  const auto value = node->value_exact<std::int64_t>();
  if (value && *value >= 0 && std::cmp_greater_equal(*value, minimum) &&
      std::cmp_less_equal(*value, maximum)) {
    return static_cast<std::uint64_t>(*value);
  }
  wrong(key, must_be(fmt::format("a whole number from {} to {}", minimum, maximum), *node));
  return {};
}

std::optional<std::size_t> TomlTable::one_of(std::string_view key,
                                             std::span<const std::string_view> names) {
  const toml::node* node = get(key);
  if (node == nullptr) return {};
  if (const auto value = node->value_exact<std::string_view>()) {
    const auto found = std::ranges::find(names, *value);
    if (found != names.end()) return static_cast<std::size_t>(found - names.begin());
  }
  wrong(key, must_be(fmt::format("one of {}", fmt::join(names, ", ")), *node));
  return {};
}

std::vector<const toml::table*> TomlTable::tables_of(std::string_view key) {
  std::vector<const toml::table*> found;
  const toml::node* node = get(key);
  if (node == nullptr) return found;
  const toml::array* array = node->as_array();
  if (array == nullptr || !array->is_array_of_tables()) {
    const std::string name(path_.empty() ? key : fmt::format("{}.{}", path_, key));
    wrong(key, must_be(fmt::format("an array of tables ([[{}]])", name), *node));
    return found;
  }
  for (const toml::node& element : *array) found.push_back(element.as_table());
  return found;
}

Result<void> TomlTable::finish() const {
  if (failed() && !missing_) return std::unexpected(*fault_);
  const toml::key* first = nullptr;
  for (const auto& [key, node] : table_) {
    if (std::ranges::count(known_, key.str()) != 0) continue;
    if (first == nullptr || key.source().begin.line < first->source().begin.line) first = &key;
  }
  if (first != nullptr) {
    return std::unexpected(
        error_at(first->source(), first->str(),
                 fmt::format("unknown key (known here: {})", fmt::join(known_, ", "))));
  }
  if (failed()) return std::unexpected(*fault_);
  return {};
}

}  // namespace lunar::control
