#include "control/toml_value.h"

namespace lunar::control {
namespace {

using schema::Foreign;
using schema::Value;

Value value_of(const toml::node& node);

std::vector<Value> list_of(const toml::array& array) {
  std::vector<Value> list;
  list.reserve(array.size());
  for (const toml::node& each : array) list.push_back(value_of(each));
  return list;
}

Value value_of(const toml::node& node) {
  Value value{Foreign{"nothing"}, node.source().begin.line};
  switch (node.type()) {
    case toml::node_type::integer: value.content = node.as_integer()->get(); break;
    case toml::node_type::string: value.content = node.as_string()->get(); break;
    case toml::node_type::boolean: value.content = node.as_boolean()->get(); break;
    case toml::node_type::floating_point:
      value.content = Foreign{"a number with a fraction"};
      break;
    case toml::node_type::array: value.content = list_of(*node.as_array()); break;
    case toml::node_type::table: value.content = table_of(*node.as_table()); break;
    case toml::node_type::date:
    case toml::node_type::time:
    case toml::node_type::date_time: value.content = Foreign{"a date or time"}; break;
    case toml::node_type::none: break;
  }
  return value;
}

}  // namespace

schema::Table table_of(const toml::table& table) {
  schema::Table made;
  made.line = table.source().begin.line;
  made.members.reserve(table.size());
  for (const auto& [key, node] : table)
    made.members.push_back({std::string(key.str()), value_of(node)});
  return made;
}

}  // namespace lunar::control
