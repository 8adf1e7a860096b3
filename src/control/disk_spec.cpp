// What stands behind --disk.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "control/config.h"
#include "schema/nearest.h"
#include "schema/spec.h"

namespace lunar::control {
namespace {

std::unexpected<Error> bad(std::string why) {
  return fail(ErrorCode::invalid_argument, std::move(why));
}

// "ram:SIZE, null:SIZE or file:PATH"
std::string forms(const kinds::DeviceKinds& kinds) {
  std::vector<std::string> each;
  for (const kinds::DeviceKind* kind : kinds)
    each.push_back(schema::spec_form(kind->parameters(), kind->name(), false));
  if (each.size() < 2) return fmt::format("{}", fmt::join(each, ""));
  const std::string last = std::move(each.back());
  each.pop_back();
  return fmt::format("{} or {}", fmt::join(each, ", "), last);
}

// For a path that was given alone: " (file:/srv/d.img?)".
std::string as_a_path(std::string_view spec, const kinds::DeviceKinds& kinds) {
  if (!spec.contains('/')) return {};
  for (const kinds::DeviceKind* kind : kinds) {
    const schema::Parameter* leading = schema::leading_of(kind->parameters());
    if (leading != nullptr && leading->type == schema::Type::path)
      return fmt::format(" ({}:{}?)", kind->name(), spec);
  }
  return {};
}

// As the spec calls the parameter.
std::string describe(const schema::Fault& fault, const kinds::DeviceKind& kind) {
  const auto named = std::ranges::find(kind.parameters(), fault.key, &schema::Parameter::name);
  return fmt::format("{}: {}", named == kind.parameters().end() ? fault.key : named->short_name,
                     fault.why);
}

}  // namespace

Result<DeviceConfig> parse_device(std::string_view spec, const kinds::DeviceKinds& kinds) {
  const std::size_t colon = spec.find(':');
  const std::string_view name = spec.substr(0, colon);
  const kinds::DeviceKind* kind = kinds.find(name);
  if (kind == nullptr && colon == std::string_view::npos)
    return bad(fmt::format("is not {}{}", forms(kinds), as_a_path(spec, kinds)));
  if (kind == nullptr) {
    return bad(fmt::format("unknown kind '{}', not {}{}", name, forms(kinds),
                           schema::did_you_mean(name, kinds.names())));
  }
  const std::string_view rest = colon == std::string_view::npos ? "" : spec.substr(colon + 1);
  LUNAR_TRY_ASSIGN(const schema::Table table,
                   schema::parse_spec(kind->parameters(), kind->name(), rest));
  auto configured = kind->read(table);
  if (!configured) return bad(describe(configured.error(), *kind));
  return DeviceConfig{.origin = {},
                      .name = {},
                      .name_is_made_up = false,
                      .kind = kind,
                      .configured = std::move(*configured)};
}

Result<DeviceConfig> parse_disk(std::string_view spec, const kinds::DeviceKinds& kinds) {
  std::string origin = fmt::format("--disk {}", spec);
  auto device = parse_device(spec, kinds);
  if (!device) return wrap(device.error(), origin);
  device->origin = std::move(origin);
  return device;
}

}  // namespace lunar::control
