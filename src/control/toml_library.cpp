#include "control/toml_library.h"

#include <fmt/format.h>

#include <algorithm>

namespace lunar::control {
namespace {

struct TomlAssertion {};

std::size_t line_of(std::string_view text, std::size_t offset) {
  return 1 + static_cast<std::size_t>(std::ranges::count(text.substr(0, offset), '\n'));
}

// The first table header that does not begin with a key, for which toml++ has no error.
std::size_t find_bad_header(std::string_view text) {
  constexpr std::string_view kBlank = " \t";
  constexpr std::string_view kKeys =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-\"'";
  for (std::size_t at = 0; at < text.size();) {
    const std::string_view rest = text.substr(at);
    const std::string_view line = rest.substr(0, rest.find('\n'));
    const std::size_t bracket = line.find_first_not_of(kBlank);
    if (bracket != std::string_view::npos && line[bracket] == '[') {
      const std::string_view inner =
          line.substr(bracket + (line.substr(bracket).starts_with("[[") ? 2 : 1));
      const std::size_t key = inner.find_first_not_of(kBlank);
      if (key == std::string_view::npos || !kKeys.contains(inner[key])) return at;
    }
    at += line.size() + 1;
  }
  return 0;
}

}  // namespace

void toml_assertion_failed() { throw TomlAssertion(); }

Result<toml::table> parse_toml(std::string_view text, std::string_view source) {
  const auto malformed = [&](std::size_t line, std::string_view why) {
    return fail(ErrorCode::malformed, fmt::format("{}:{}: {}", source, line, why));
  };
  try {
    return toml::parse(text, source);
  } catch (const toml::parse_error& error) {
    return malformed(error.source().begin.line, error.description());
  } catch (const TomlAssertion&) {
    return malformed(line_of(text, find_bad_header(text)), "a [table] must begin with a key");
  }
}

}  // namespace lunar::control
