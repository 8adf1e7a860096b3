#include "control/config.h"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <functional>
#include <sstream>

#include "base/size.h"

namespace lunar::control {
namespace {

struct TypeName {
  DeviceType type;
  std::string_view name;
};
constexpr TypeName kTypeNames[] = {{DeviceType::ram, "ram"},     {DeviceType::null, "null"},
                                   {DeviceType::file, "file"},   {DeviceType::passthru, "passthru"},
                                   {DeviceType::delay, "delay"}, {DeviceType::error, "error"}};

// One TOML table being read into a struct: what its keys may be, and what each does.
class TableReader {
 public:
  TableReader(std::string_view source, std::string path)
      : source_(source), path_(std::move(path)) {}

  [[nodiscard]] std::unexpected<Error> bad(const toml::source_region& where, std::string_view key,
                                           std::string_view why) const {
    return fail(ErrorCode::invalid_argument,
                fmt::format("{}:{}: {}{}: {}", source_, where.begin.line, path_, key, why));
  }

  using Apply = std::function<Result<void>(const toml::node&)>;
  struct Key {
    std::string_view name;
    Apply apply;
  };
  Result<void> read(const toml::table& table, std::initializer_list<Key> keys) const {
    for (const auto& [name, node] : table) {
      const auto key = std::ranges::find(keys, name.str(), &Key::name);
      if (key == keys.end()) {
        std::string known;
        for (const Key& each : keys)
          known += fmt::format("{}{}", known.empty() ? "" : ", ", each.name);
        return bad(name.source(), name.str(), fmt::format("unknown key (known here: {})", known));
      }
      if (auto applied = key->apply(node); !applied)
        return bad(node.source(), name.str(), applied.error().message);
    }
    return {};
  }

 private:
  std::string_view source_;
  std::string path_;
};

std::unexpected<Error> expected_kind(std::string_view what) {
  return fail(ErrorCode::invalid_argument, fmt::format("must be {}", what));
}

TableReader::Apply text(std::string& to) {
  return [&to](const toml::node& node) -> Result<void> {
    const auto value = node.value_exact<std::string>();
    if (!value) return expected_kind("a string");
    to = *value;
    return {};
  };
}

TableReader::Apply boolean(bool& to) {
  return [&to](const toml::node& node) -> Result<void> {
    const auto value = node.value_exact<bool>();
    if (!value) return expected_kind("true or false");
    to = *value;
    return {};
  };
}

template <class T>
TableReader::Apply number(T& to, std::uint64_t maximum) {
  return [&to, maximum](const toml::node& node) -> Result<void> {
    const auto value = node.value_exact<std::int64_t>();
    if (!value || *value < 0 || static_cast<std::uint64_t>(*value) > maximum) {
      return expected_kind(fmt::format("a whole number from 0 to {}", maximum));
    }
    to = static_cast<T>(*value);
    return {};
  };
}

// "10GiB", or a number of bytes.
TableReader::Apply size(std::optional<std::uint64_t>& to) {
  return [&to](const toml::node& node) -> Result<void> {
    if (const auto bytes = node.value_exact<std::int64_t>(); bytes && *bytes >= 0) {
      to = static_cast<std::uint64_t>(*bytes);
      return {};
    }
    const auto value = node.value_exact<std::string>();
    if (!value) return expected_kind("a size such as \"10GiB\"");
    LUNAR_TRY_ASSIGN(to, parse_size(*value));
    return {};
  };
}

// Calls `each` with every table of an array of tables.
TableReader::Apply tables(std::function<Result<void>(const toml::table&)> each) {
  return [each = std::move(each)](const toml::node& node) -> Result<void> {
    const toml::array* array = node.as_array();
    if (array == nullptr) return expected_kind("an array of tables ([[...]])");
    for (const toml::node& element : *array) {
      const toml::table* table = element.as_table();
      if (table == nullptr) return expected_kind("an array of tables ([[...]])");
      LUNAR_TRY(each(*table));
    }
    return {};
  };
}

class Parser {
 public:
  explicit Parser(std::string_view source) : source_(source) {}

  Result<Config> parse(const toml::table& document) {
    const TableReader reader(source_, "");
    Config config;
    // Errors from inner tables carry their own line, so they pass through untouched.
    std::optional<Error> inner;
    const auto keep = [&inner](Result<void> result) -> Result<void> {
      if (!result && !inner) inner = result.error();
      return result;
    };
    auto read = reader.read(
        document,
        {{"shards", shards(config.shards)},
         {"log_level", log_level(config.log_level)},
         {"device", tables([&](const toml::table& table) { return keep(device(table, config)); })},
         {"target", tables([&](const toml::table& table) { return keep(target(table, config)); })},
         {"portal",
          tables([&](const toml::table& table) { return keep(portal(table, config)); })}});
    if (inner) return std::unexpected(*inner);
    if (!read) return std::unexpected(read.error());
    return config;
  }

 private:
  static TableReader::Apply shards(std::string& to) {
    return [&to](const toml::node& node) -> Result<void> {
      if (const auto count = node.value_exact<std::int64_t>()) {
        to = std::to_string(*count);
        return {};
      }
      return text(to)(node);
    };
  }
  static TableReader::Apply log_level(std::optional<log::Level>& to) {
    return [&to](const toml::node& node) -> Result<void> {
      std::string name;
      LUNAR_TRY(text(name)(node));
      LUNAR_TRY_ASSIGN(to, log::parse_level(name));
      return {};
    };
  }
  static TableReader::Apply block_size(std::optional<std::uint32_t>& to) {
    return [&to](const toml::node& node) -> Result<void> {
      const auto value = node.value_exact<std::int64_t>();
      if (!value || (*value != 512 && *value != 4096)) return expected_kind("512 or 4096");
      to = static_cast<std::uint32_t>(*value);
      return {};
    };
  }
  static TableReader::Apply uuid(std::optional<Uuid>& to) {
    return [&to](const toml::node& node) -> Result<void> {
      std::string value;
      LUNAR_TRY(text(value)(node));
      LUNAR_TRY_ASSIGN(to, Uuid::parse(value));
      return {};
    };
  }
  static TableReader::Apply type(DeviceType& to) {
    return [&to](const toml::node& node) -> Result<void> {
      std::string name;
      LUNAR_TRY(text(name)(node));
      const auto* found = std::ranges::find(kTypeNames, name, &TypeName::name);
      if (found == std::end(kTypeNames)) {
        return fail(
            ErrorCode::invalid_argument,
            fmt::format("unknown type '{}' (ram, null, file, passthru, delay, error)", name));
      }
      to = found->type;
      return {};
    };
  }
  static TableReader::Apply cache(bool& buffered) {
    return [&buffered](const toml::node& node) -> Result<void> {
      std::string name;
      LUNAR_TRY(text(name)(node));
      if (name != "direct" && name != "buffered")
        return expected_kind("\"direct\" or \"buffered\"");
      buffered = name == "buffered";
      return {};
    };
  }

  Result<void> injection(const toml::table& table, DeviceConfig& device) {
    ErrorInjection inject;
    LUNAR_TRY(TableReader(source_, "device.inject.")
                  .read(table, {{"op", text(inject.op)},
                                {"action", text(inject.action)},
                                {"lba", number(inject.lba, INT64_MAX)},
                                {"count", number(inject.count, INT64_MAX)},
                                {"offset", number(inject.offset, INT64_MAX)},
                                {"times", number(inject.times, UINT32_MAX)}}));
    device.inject.push_back(std::move(inject));
    return {};
  }

  Result<void> device(const toml::table& table, Config& config) {
    const TableReader reader(source_, "device.");
    DeviceConfig device;
    bool has_type = false;
    const auto typed = [&](const toml::node& node) -> Result<void> {
      has_type = true;
      return type(device.type)(node);
    };
    LUNAR_TRY(reader.read(
        table,
        {{"name", text(device.name)},
         {"type", typed},
         {"size", size(device.size)},
         {"block_size", block_size(device.block_size)},
         {"uuid", uuid(device.uuid)},
         {"path", text(device.path)},
         {"cache", cache(device.buffered)},
         {"readonly", boolean(device.read_only)},
         {"base", text(device.base)},
         {"read_delay_us", number(device.read_delay_us, 60'000'000)},
         {"write_delay_us", number(device.write_delay_us, 60'000'000)},
         {"inject", tables([&](const toml::table& each) { return injection(each, device); })}}));
    if (device.name.empty()) return reader.bad(table.source(), "name", "is missing");
    if (!has_type) return reader.bad(table.source(), "type", "is missing");
    const bool is_layer = device.type == DeviceType::passthru || device.type == DeviceType::delay ||
                          device.type == DeviceType::error;
    if (is_layer && device.base.empty()) return reader.bad(table.source(), "base", "is missing");
    if (device.type == DeviceType::file && device.path.empty())
      return reader.bad(table.source(), "path", "is missing");
    const bool needs_size = device.type == DeviceType::ram || device.type == DeviceType::null;
    if (needs_size && !device.size) return reader.bad(table.source(), "size", "is missing");
    config.devices.push_back(std::move(device));
    return {};
  }

  Result<void> target(const toml::table& table, Config& config) {
    const TableReader reader(source_, "target.");
    TargetConfig target;
    LUNAR_TRY(reader.read(
        table, {{"name", text(target.name)},
                {"alias", text(target.alias)},
                {"lun", tables([&](const toml::table& each) { return lun(each, target); })}}));
    if (target.name.empty()) return reader.bad(table.source(), "name", "is missing");
    config.targets.push_back(std::move(target));
    return {};
  }

  Result<void> lun(const toml::table& table, TargetConfig& target) {
    constexpr std::uint64_t kMaxLun = 16383;
    const TableReader reader(source_, "target.lun.");
    LunConfig lun;
    // Without a number: the next one.
    lun.lun = target.luns.empty() ? std::uint16_t{0}
                                  : static_cast<std::uint16_t>(target.luns.back().lun + 1);
    LUNAR_TRY(reader.read(table, {{"lun", number(lun.lun, kMaxLun)},
                                  {"device", text(lun.device)},
                                  {"readonly", boolean(lun.read_only)},
                                  {"removable", boolean(lun.removable)}}));
    if (lun.device.empty()) return reader.bad(table.source(), "device", "is missing");
    target.luns.push_back(std::move(lun));
    return {};
  }

  Result<void> portal(const toml::table& table, Config& config) {
    const TableReader reader(source_, "portal.");
    PortalConfig portal;
    LUNAR_TRY(reader.read(
        table, {{"listen", text(portal.listen)}, {"tag", number(portal.tag, UINT16_MAX)}}));
    if (portal.listen.empty()) return reader.bad(table.source(), "listen", "is missing");
    config.portals.push_back(std::move(portal));
    return {};
  }

  std::string_view source_;
};

}  // namespace

std::string_view to_string(DeviceType type) {
  return std::ranges::find(kTypeNames, type, &TypeName::type)->name;
}

Result<Config> parse_config(std::string_view toml_text, std::string_view source) {
  try {
    return Parser(source).parse(toml::parse(toml_text, source));
  } catch (const toml::parse_error& error) {
    return fail(ErrorCode::malformed,
                fmt::format("{}:{}: {}", source, error.source().begin.line, error.description()));
  }
}

Result<Config> load_config(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream contents;
  if (!file || !(contents << file.rdbuf())) {
    return fail(ErrorCode::not_found,
                fmt::format("cannot read {}: {}", path, std::strerror(errno)));
  }
  return parse_config(contents.view(), path);
}

}  // namespace lunar::control
