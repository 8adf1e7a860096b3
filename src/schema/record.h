// The declaration of an object that people configure: a struct, and a parameter for each member
// that can be set.
//
//   struct RamParameters { ByteCount size; std::uint32_t block_size = 512; };
//
//   const Record<RamParameters>& ram_parameters() {
//     static const Record<RamParameters> record(
//         {size("size", &RamParameters::size, 16 * kTiB, "whole blocks").required().leading(),
//          number_of("block_size", &RamParameters::block_size, {512, 4096}, "bytes of a block")
//              .in_spec("block")});
//     return record;
//   }
//
// schema/fields.h has a function for each type of parameter. A record reads tables (TOML, JSON) and
// specs (schema/spec.h), and generates help and reference pages (schema/reference.h). A parameter's
// default is the value in a new struct, unless the declaration gives another text for it. A member
// may be an optional: empty means not given.
#pragma once

#include <expected>
#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "schema/parameter.h"

namespace lunar::schema {

// A parameter for a member of `Options`.
template <class Options>
class Field {
 public:
  // read(Options&, const Value&) returns Result<void> or Checked.
  template <class Read>
  Field(std::string_view name, Type type, std::string_view meaning, Read read) {
    parameter_.name = name;
    parameter_.short_name = name;
    parameter_.type = type;
    parameter_.meaning = meaning;
    parameter_.read = [read = std::move(read)](void* to, const Value& value) -> Checked {
      auto done = read(*static_cast<Options*>(to), value);
      if (done) return {};
      if constexpr (std::is_same_v<decltype(done), Checked>) {
        return done;
      } else {
        return fault("", std::move(done).error().message);
      }
    };
  }

  Field& required() { return parameter_.required = true, *this; }
  Field& leading() { return parameter_.leading = true, *this; }
  Field& in_spec(std::string_view key) { return parameter_.short_name = key, *this; }
  Field& by_default(std::string_view words) { return parameter_.by_default = words, *this; }
  Field& example(std::string_view value) { return parameter_.example = value, *this; }
  Field& form(std::string_view form) { return parameter_.form = form, *this; }
  Field& unit(std::string_view unit) { return parameter_.unit = unit, *this; }
  Field& allowed(std::string_view words) { return parameter_.allowed = words, *this; }
  Field& row(const std::vector<Parameter>& row) { return parameter_.row = row, *this; }

  [[nodiscard]] const Parameter& parameter() const { return parameter_; }

 private:
  Parameter parameter_;
};

template <class Options>
class Record {
 public:
  // Checks the parameters together. `given` shows which ones were given.
  using Check = std::function<Checked(const Options& options, const Table& given)>;

  Record(std::initializer_list<Field<Options>> fields, Check check = {})
      : check_(std::move(check)) {
    for (const Field<Options>& field : fields) parameters_.push_back(field.parameter());
  }
  // From parameters that fill `Options` in their own way.
  static Record of(std::vector<Parameter> parameters, Check check) {
    Record record(std::initializer_list<Field<Options>>{}, std::move(check));
    record.parameters_ = std::move(parameters);
    return record;
  }

  [[nodiscard]] const std::vector<Parameter>& parameters() const { return parameters_; }
  [[nodiscard]] const Check& check() const { return check_; }

  [[nodiscard]] std::expected<Options, Fault> read(const Table& table,
                                                   const Reading& reading = {}) const {
    Options options{};
    Checked done = read_parameters(parameters_, &options, table, reading);
    if (done && check_) done = check_(options, table);
    if (done) return options;
    Fault found = std::move(done).error();
    if (found.line == 0) {
      const Value* value = table.find(found.key);
      found.line = value == nullptr ? table.line : value->line;
    }
    return std::unexpected(std::move(found));
  }

 private:
  std::vector<Parameter> parameters_;
  Check check_;
};

}  // namespace lunar::schema
