// Errors as values, for everything that is not an I/O completion (those carry one block::Status).
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace lunar {

// What kind of thing went wrong, for code that must choose; the message is for people.
enum class ErrorCode : unsigned char {
  invalid_argument,  // the caller's value is wrong and will stay wrong
  malformed,         // bytes from a peer or a file do not follow their format
  not_found,
  already_exists,
  busy,  // claimed or locked by another owner
  out_of_range,
  no_resource,  // a named bound is reached
  permission,
  unsupported,  // valid, but the medium or the machine cannot do it
  io,
  cancelled,  // the owner is stopping
};

// One clear line: what is wrong and, where the user can act, what to do.
struct Error {
  ErrorCode code = ErrorCode::invalid_argument;
  std::string message;
};

template <class T = void>
using Result = std::expected<T, Error>;

[[nodiscard]] inline std::unexpected<Error> fail(ErrorCode code, std::string message) {
  return std::unexpected(Error{code, std::move(message)});
}

// "while doing X: " in front of an inner error.
[[nodiscard]] inline std::unexpected<Error> wrap(const Error& inner, std::string_view context) {
  return std::unexpected(Error{inner.code, std::string(context) + ": " + inner.message});
}

}  // namespace lunar

// Returns the error of `expression` (a Result) from the enclosing function. A statement, as g++ 12
// cannot take co_await inside a statement expression.
#define LUNAR_TRY(expression)                                \
  do {                                                       \
    if (auto lunar_try_ = (expression); !lunar_try_) {       \
      return std::unexpected(std::move(lunar_try_).error()); \
    }                                                        \
  } while (false)

#define LUNAR_TRY_CONCAT_(a, b) a##b
#define LUNAR_TRY_NAME_(a, b) LUNAR_TRY_CONCAT_(a, b)
// Declares `target` as the value of `expression`, or returns its error.
#define LUNAR_TRY_ASSIGN(target, expression)                                          \
  auto LUNAR_TRY_NAME_(lunar_try_, __LINE__) = (expression);                          \
  if (!LUNAR_TRY_NAME_(lunar_try_, __LINE__)) {                                       \
    return std::unexpected(std::move(LUNAR_TRY_NAME_(lunar_try_, __LINE__)).error()); \
  }                                                                                   \
  target = std::move(*LUNAR_TRY_NAME_(lunar_try_, __LINE__))
