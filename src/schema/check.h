// Converts a given value to the type of its parameter. Errors are invalid_argument; they say what
// is allowed and what was given. The caller adds the parameter's name.
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
// The number must be one of `allowed`.
Result<std::uint64_t> to_number_of(const Value& value, std::span<const std::uint64_t> allowed);
// Bytes: a number, or text in the form of base/size.h.
Result<std::uint64_t> to_size(const Value& value, std::uint64_t maximum);
// Nanoseconds: a number of units, or text in the form of schema/duration.h.
Result<std::uint64_t> to_duration(const Value& value, std::uint64_t unit_ns, std::uint64_t max_ns);
// The text must not be empty.
Result<std::string> to_text(const Value& value);
// A text or an array of texts, none of them empty.
Result<std::vector<std::string>> to_texts(const Value& value);
Result<Uuid> to_uuid(const Value& value);
// The index of the value in `names`.
Result<std::size_t> to_choice(const Value& value, std::span<const std::string_view> names);

// "512 or 4096", "1, 2 or 3".
[[nodiscard]] std::string either_of(std::span<const std::uint64_t> numbers);

}  // namespace lunar::schema
