// Which of the known names somebody may have meant.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace lunar::schema {

// The known name that differs from `given` by the fewest letters (one more, one less, another, two
// exchanged). Empty when none is near: more than a third of the letters would have to change.
[[nodiscard]] std::string_view nearest(std::string_view given,
                                       std::span<const std::string_view> known);

// "; did you mean 'size'?", for the end of an error; empty when no name is near.
[[nodiscard]] std::string did_you_mean(std::string_view given,
                                       std::span<const std::string_view> known);

}  // namespace lunar::schema
