// Starts a std::thread, with a Result instead of exceptions.
#pragma once

#include <fmt/format.h>
#include <pthread.h>

#include <new>
#include <system_error>
#include <thread>
#include <utility>

#include "lunar/result.h"

namespace lunar {

// Runs `body` on a new thread called `name` (at most 15 characters, shown by `top -H`).
// no_resource: the system refuses.
template <class Body>
Result<std::thread> start_thread(const char* name, Body body) {
  const auto failed = [name](const char* why) {
    return fail(ErrorCode::no_resource,
                fmt::format("cannot start thread {}: {} (see ulimit -u and ulimit -v)", name, why));
  };
  try {
    std::thread thread([body = std::move(body)]() mutable { body(); });
    pthread_setname_np(thread.native_handle(), name);
    return Result<std::thread>(std::move(thread));
  } catch (const std::system_error& error) {
    return failed(error.what());
  } catch (const std::bad_alloc&) {
    return failed("out of memory");
  }
}

}  // namespace lunar
