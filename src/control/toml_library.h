// toml++, included here only, so that every translation unit gets the same of it, and held to what
// a parser of text from outside must do. Version 3.3.0, Debian 12's, fails that on two malformed
// documents:
//
// "[=": it has no error for this and asserts; with NDEBUG it takes the asserted for granted, which
// is undefined behaviour. So its assertions stay on and throw.
//
// "é = 1": looking whether a character is space it reaches what it believes to be unreachable,
// undefined behaviour too. There it answers no instead.
#pragma once

#include <string_view>

#include "lunar/result.h"

namespace lunar::control {

[[noreturn]] void toml_assertion_failed();

}  // namespace lunar::control

#define TOML_ASSERT(expression) \
  ((expression) ? static_cast<void>(0) : ::lunar::control::toml_assertion_failed())
#pragma push_macro("NDEBUG")
#undef NDEBUG
#include <toml++/impl/forward_declarations.h>
#pragma push_macro("TOML_UNREACHABLE")
#undef TOML_UNREACHABLE
#define TOML_UNREACHABLE return false
#include <toml++/impl/unicode.h>
#pragma pop_macro("TOML_UNREACHABLE")
#include <toml++/toml.h>
#pragma pop_macro("NDEBUG")
#include <cassert>  // once more: as NDEBUG says now

namespace lunar::control {

// malformed: "SOURCE:LINE: what is wrong".
Result<toml::table> parse_toml(std::string_view text, std::string_view source);

}  // namespace lunar::control
