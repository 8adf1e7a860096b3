// A test that starts threads must be in a file called *_threads_test.cpp, because only those are
// built with ThreadSanitizer, too. This code replaces the C library's function and fails any other
// case.

#include <dlfcn.h>
#include <gtest/gtest.h>
#include <pthread.h>

#include <string_view>

#include "base/log.h"

namespace {

// The log's thread belongs to no case, so it starts before the first one.
class LogStarts : public testing::Environment {
  void SetUp() override { ASSERT_TRUE(lunar::log::start()); }
};
[[maybe_unused]] const testing::Environment* const log_starts =
    testing::AddGlobalTestEnvironment(new LogStarts);

}  // namespace

extern "C" int pthread_create(pthread_t* thread, const pthread_attr_t* attributes,
                              void* (*start)(void*), void* argument) noexcept {
  using Create = int(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*);
  static auto* const create = reinterpret_cast<Create*>(dlsym(RTLD_NEXT, "pthread_create"));
  const testing::TestInfo* test = testing::UnitTest::GetInstance()->current_test_info();
  if (test != nullptr && !std::string_view(test->file()).ends_with("_threads_test.cpp")) {
    ADD_FAILURE() << "starts a thread, so it belongs into a file called *_threads_test.cpp";
  }
  return create(thread, attributes, start, argument);
}
