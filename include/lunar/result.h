// Errors as values. I/O completions are the exception: they carry one block::Status.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace lunar {

// Kind of an error, for code that has to choose. The message is for people.
enum class ErrorCode : unsigned char {
  invalid_argument,  // the caller's value is wrong and will stay wrong
  malformed,         // bytes from a peer or a file do not follow their format
  not_found,
  already_exists,
  busy,  // another owner has claimed or locked it
  out_of_range,
  no_resource,  // a named limit is reached
  permission,
  unsupported,  // valid, but the medium or the machine cannot do it
  io,
  cancelled,  // the owner is stopping
};

// Message: one line that says what is wrong and, where the user can act, what to do.
struct Error {
  ErrorCode code = ErrorCode::invalid_argument;
  std::string message;
};

template <class T = void>
using Result = std::expected<T, Error>;

[[nodiscard]] inline std::unexpected<Error> fail(ErrorCode code, std::string message) {
  return std::unexpected(Error{code, std::move(message)});
}

// Puts "context: " in front of an inner error's message.
[[nodiscard]] inline std::unexpected<Error> wrap(const Error& inner, std::string_view context) {
  return std::unexpected(Error{inner.code, std::string(context) + ": " + inner.message});
}

}  // namespace lunar

// Returns from the enclosing function with the error of `expression` (a Result), if it has one. A
// statement, because g++ 12 crashes on co_await inside a statement expression.
#define LUNAR_TRY(expression)                                \
  do {                                                       \
    if (auto lunar_try_ = (expression); !lunar_try_) {       \
      return std::unexpected(std::move(lunar_try_).error()); \
    }                                                        \
  } while (false)

#define LUNAR_TRY_CONCAT_(a, b) a##b
#define LUNAR_TRY_NAME_(a, b) LUNAR_TRY_CONCAT_(a, b)
// Declares `target` with the value of `expression` (a Result), or returns with its error.
#define LUNAR_TRY_ASSIGN(target, expression)                                          \
  auto LUNAR_TRY_NAME_(lunar_try_, __LINE__) = (expression);                          \
  if (!LUNAR_TRY_NAME_(lunar_try_, __LINE__)) {                                       \
    return std::unexpected(std::move(LUNAR_TRY_NAME_(lunar_try_, __LINE__)).error()); \
  }                                                                                   \
  target = std::move(*LUNAR_TRY_NAME_(lunar_try_, __LINE__))
