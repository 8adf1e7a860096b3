#include "base/memory_reserve.h"

// The sanitizers' operator new does not call the handler.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define LUNAR_TEST_HAS_SANITIZER
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define LUNAR_TEST_HAS_SANITIZER
#endif
#endif

#ifndef LUNAR_TEST_HAS_SANITIZER

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <cstddef>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <new>
#include <vector>

namespace lunar {
namespace {

std::size_t address_space_bytes() {
  std::size_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages;
  return pages * 4096;
}

// Runs in a process whose memory is limited to what it has. The first allocations that the system
// refuses succeed. When the reserve is used up, an allocation throws. When memory is available
// again, the reserve refills.
void use_it_up() {
  memory_reserve::install();
  if (memory_reserve::ran_short()) std::_Exit(2);
  const std::size_t bytes = address_space_bytes();
  const rlimit limit{.rlim_cur = bytes, .rlim_max = bytes};
  if (setrlimit(RLIMIT_AS, &limit) != 0) std::_Exit(3);
  for (int round = 0; round < 3; ++round) {
    bool saved = false;
    bool refused = false;
    std::vector<std::unique_ptr<std::byte[]>> all;
    all.reserve(4096);
    try {
      while (all.size() < 4096) {
        all.push_back(std::make_unique_for_overwrite<std::byte[]>(std::size_t{256} * 1024));
        saved = memory_reserve::ran_short() || saved;
      }
    } catch (const std::bad_alloc&) {
      refused = true;
    }
    if (!saved || !refused || !memory_reserve::is_in_use()) std::_Exit(4);
    all.clear();
    (void)memory_reserve::ran_short();
    if (memory_reserve::is_in_use()) std::_Exit(5);
  }
  std::_Exit(0);
}

TEST(MemoryReserve, IsUsedBeforeAnAllocationFails) {
  EXPECT_EXIT(use_it_up(), testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace lunar

#endif
