// Finds the known name that a user may have meant.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace lunar::schema {

// The known name that is closest to `given` (letters inserted, deleted, replaced or swapped).
// Empty: none is near; more than a third of the letters would have to change.
[[nodiscard]] std::string_view nearest(std::string_view given,
                                       std::span<const std::string_view> known);

// "; did you mean 'size'?", to append to an error. Empty: no name is near.
[[nodiscard]] std::string did_you_mean(std::string_view given,
                                       std::span<const std::string_view> known);

}  // namespace lunar::schema
