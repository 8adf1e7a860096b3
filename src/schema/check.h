// A given value as what a parameter wants. Errors say what is allowed and what was given; the
// caller names the parameter. All of them: invalid_argument.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lunar/result.h"
#include "lunar/uuid.h"
#include "schema/value.h"

namespace lunar::schema {

Result<bool> to_boolean(const Value& value);
Result<std::uint64_t> to_number(const Value& value, std::uint64_t minimum, std::uint64_t maximum);
// One of a few.
Result<std::uint64_t> to_number_of(const Value& value, std::span<const std::uint64_t> allowed);
// Bytes: a number, or text as base/size.h reads it.
Result<std::uint64_t> to_size(const Value& value, std::uint64_t maximum);
// Nanoseconds: a number of units, or text as schema/duration.h reads it.
Result<std::uint64_t> to_duration(const Value& value, std::uint64_t unit_ns, std::uint64_t max_ns);
// Not empty.
Result<std::string> to_text(const Value& value);
// A text, or an array of them; none is empty.
Result<std::vector<std::string>> to_texts(const Value& value);
Result<Uuid> to_uuid(const Value& value);
// Its index in `names`.
Result<std::size_t> to_choice(const Value& value, std::span<const std::string_view> names);

// "512 or 4096", "1, 2 or 3".
[[nodiscard]] std::string either_of(std::span<const std::uint64_t> numbers);

}  // namespace lunar::schema
