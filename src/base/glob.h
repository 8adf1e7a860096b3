// Name patterns: * matches any text, also none; ? matches one character.
#pragma once

#include <string_view>

namespace lunar {

// Whether the pattern matches all of `text`. At most pattern.size() * text.size() steps.
[[nodiscard]] constexpr bool glob_match(std::string_view pattern, std::string_view text) {
  std::size_t at = 0;
  std::size_t in_pattern = 0;
  // Where to resume after a mismatch behind the last star: the star then takes one more character.
  std::size_t after_star = std::string_view::npos;
  std::size_t star_end = 0;
  while (at < text.size()) {
    if (in_pattern < pattern.size() && pattern[in_pattern] == '*') {
      after_star = ++in_pattern;
      star_end = at;
    } else if (in_pattern < pattern.size() &&
               (pattern[in_pattern] == '?' || pattern[in_pattern] == text[at])) {
      ++in_pattern;
      ++at;
    } else if (after_star != std::string_view::npos) {
      in_pattern = after_star;
      at = ++star_end;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', in_pattern) == std::string_view::npos;
}

}  // namespace lunar
