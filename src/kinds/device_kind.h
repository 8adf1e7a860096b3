// What a kind of device tells of itself, once: its name, its parameters, and how one is made. The
// configuration file, --disk, the library, help, errors and the reference page follow from it.
//
//   const DeviceKind& null_kind() {
//     static const DeviceKind kind(Declaration<NullParameters>{
//         .name = "null",
//         .meaning = "Reads zeroes and drops writes: for measuring.",
//         .parameters = {{size("size", &NullParameters::size, …).required().leading()}},
//         .make = [](const NullParameters& given, Making& making) { … }});
//     return kind;
//   }
//
// A kind is constant, lives as long as the program, and may be used by any thread.
#pragma once

#include <any>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "block/claim.h"
#include "engine/file_io.h"
#include "engine/prng.h"
#include "kinds/identity_store.h"
#include "lunar/block/device.h"
#include "schema/fields.h"

namespace lunar::kinds {

// What a device is made with, beside its parameters.
struct Making {
  std::string name;
  bool name_is_made_up = false;         // with another disk before it, it would have another name
  block::Claim base{};                  // of a layer: what it stands on
  engine::FileIo& files;                // outlives the device
  engine::Prng& prng;                   // not kept
  IdentityStore* identities = nullptr;  // null: nothing is kept; used while it is made only
};

// What a look at the machine may ask of those above.
struct Looking {
  // The type that protection information was made for, as the beginning of its area tells it;
  // nothing: it does not tell.
  std::function<std::optional<std::uint8_t>(std::span<const std::byte> beginning)> protection_type;
};

// What of a device's parameters others must know before it is made.
struct Facts {
  bool read_only = false;
  std::optional<Uuid> uuid{};  // that it was given
};

// A medium outside of this process, which one device may write to.
struct Medium {
  std::string key;     // the same for all its names
  std::string path;    // where it is, as Device::location() tells it
  std::string called;  // for people: "file /srv/d.img"
};

// `Parameters` is a struct of the kind's own, with a value for each parameter.
template <class Parameters>
struct Declaration {
  std::string_view name;
  std::string_view meaning;  // one line
  bool is_layer = false;     // stands on another device, its base
  schema::Record<Parameters> parameters;
  // Blocking: off the shards, or before they run.
  std::function<Result<std::unique_ptr<block::Device>>(const Parameters&, Making&)> make{};
  // The rest is optional.
  std::function<Facts(const Parameters&)> facts{};
  std::function<std::optional<Medium>(const Parameters&)> medium{};
  // What is wrong with the machine, found before anything is opened or made; else what is odd and
  // served all the same, a line each. not_found, permission, invalid_argument.
  std::function<Result<std::vector<std::string>>(const Parameters&, const Looking&)> look{};
  // What of an open device is worth a word when it is announced: "direct".
  std::function<std::string(const block::Device&)> note{};
};

// The parameters of one device, judged.
struct Configured {
  std::string base;       // of a layer: the name of the device below
  std::any parameters{};  // of the kind's own type

  // Null: of another type.
  template <class Parameters>
  [[nodiscard]] const Parameters* as() const {
    return std::any_cast<Parameters>(&parameters);
  }
};

class DeviceKind {
 public:
  template <class Parameters>
  explicit DeviceKind(Declaration<Parameters> declared);
  DeviceKind(const DeviceKind&) = delete;
  DeviceKind& operator=(const DeviceKind&) = delete;

  [[nodiscard]] std::string_view name() const { return name_; }
  [[nodiscard]] std::string_view meaning() const { return meaning_; }
  [[nodiscard]] bool is_layer() const { return is_layer_; }
  // With the base of a layer.
  [[nodiscard]] const std::vector<schema::Parameter>& parameters() const { return parameters_; }

  [[nodiscard]] std::expected<Configured, schema::Fault> read(
      const schema::Table& table, const schema::Reading& reading = {}) const {
    return read_(table, reading);
  }
  // These take what read() of this kind has given.
  [[nodiscard]] Result<std::unique_ptr<block::Device>> make(const Configured& configured,
                                                            Making& making) const {
    return make_(configured.parameters, making);
  }
  [[nodiscard]] Facts facts(const Configured& configured) const {
    return facts_(configured.parameters);
  }
  [[nodiscard]] std::optional<Medium> medium(const Configured& configured) const {
    return medium_(configured.parameters);
  }
  [[nodiscard]] Result<std::vector<std::string>> look(const Configured& configured,
                                                      const Looking& looking) const {
    return look_(configured.parameters, looking);
  }
  // Of a device of this kind.
  [[nodiscard]] std::string note(const block::Device& device) const {
    return note_ ? note_(device) : std::string();
  }

 private:
  template <class Parameters>
  struct Whole {
    std::string base;
    Parameters own{};
  };
  // The same for the struct that holds a base, too.
  template <class Parameters>
  static schema::Record<Whole<Parameters>> with_base(const Declaration<Parameters>& declared);

  // Calls `function`, if there is one, with the parameters in an any.
  template <class Parameters, class Outcome, class... More>
  static auto unwrapped(std::function<Outcome(const Parameters&, More...)> function) {
    return [function = std::move(function)](const std::any& parameters, More... more) -> Outcome {
      if (!function) return Outcome();
      return function(std::any_cast<const Parameters&>(parameters), more...);
    };
  }

  std::string name_;
  std::string meaning_;
  bool is_layer_;
  std::vector<schema::Parameter> parameters_;
  std::function<std::expected<Configured, schema::Fault>(const schema::Table&,
                                                         const schema::Reading&)>
      read_;
  std::function<Result<std::unique_ptr<block::Device>>(const std::any&, Making&)> make_;
  std::function<Facts(const std::any&)> facts_;
  std::function<std::optional<Medium>(const std::any&)> medium_;
  std::function<Result<std::vector<std::string>>(const std::any&, const Looking&)> look_;
  std::function<std::string(const block::Device&)> note_;
};

template <class Parameters>
schema::Record<DeviceKind::Whole<Parameters>> DeviceKind::with_base(
    const Declaration<Parameters>& declared) {
  using All = Whole<Parameters>;
  std::vector<schema::Parameter> parameters;
  if (declared.is_layer) {
    parameters.push_back(schema::text("base", &All::base, "the name of the device below")
                             .required()
                             .leading()
                             .form("BASE")
                             .parameter());
  }
  for (schema::Parameter each : declared.parameters.parameters()) {
    each.read = [read = std::move(each.read)](void* to, const schema::Value& value) {
      return read(&static_cast<All*>(to)->own, value);
    };
    parameters.push_back(std::move(each));
  }
  typename schema::Record<All>::Check check;
  if (declared.parameters.check()) {
    check = [check_own = declared.parameters.check()](const All& all, const schema::Table& given) {
      return check_own(all.own, given);
    };
  }
  return schema::Record<All>::of(std::move(parameters), std::move(check));
}

template <class Parameters>
DeviceKind::DeviceKind(Declaration<Parameters> declared)
    : name_(declared.name),
      meaning_(declared.meaning),
      is_layer_(declared.is_layer),
      make_(unwrapped(std::move(declared.make))),
      facts_(unwrapped(std::move(declared.facts))),
      medium_(unwrapped(std::move(declared.medium))),
      look_(unwrapped(std::move(declared.look))),
      note_(std::move(declared.note)) {
  schema::Record<Whole<Parameters>> record = with_base(declared);
  parameters_ = record.parameters();
  read_ = [record = std::move(record)](
              const schema::Table& table,
              const schema::Reading& reading) -> std::expected<Configured, schema::Fault> {
    auto all = record.read(table, reading);
    if (!all) return std::unexpected(std::move(all).error());
    return Configured{std::move(all->base), std::any(std::move(all->own))};
  };
}

// The kinds that a program knows, in the order in which they are told.
class DeviceKinds {
 public:
  // Their names differ.
  DeviceKinds(std::initializer_list<const DeviceKind*> kinds) : kinds_(kinds) {}

  // Null: there is none of that name.
  [[nodiscard]] const DeviceKind* find(std::string_view name) const;
  [[nodiscard]] std::vector<std::string_view> names() const;
  [[nodiscard]] auto begin() const { return kinds_.begin(); }
  [[nodiscard]] auto end() const { return kinds_.end(); }

 private:
  std::vector<const DeviceKind*> kinds_;
};

}  // namespace lunar::kinds
