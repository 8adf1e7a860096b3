#include "engine/slab.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <set>
#include <vector>

namespace lunar::engine {
namespace {

TEST(Slab, ReusesWhatWasFreedLast) {
  void* first = slab::allocate(200);
  slab::deallocate(first, 200);
  void* again = slab::allocate(129);  // the same class: 129..256
  EXPECT_EQ(again, first);
  slab::deallocate(again, 129);
}

TEST(Slab, ClassesDoNotMix) {
  void* small = slab::allocate(slab::kGranule);
  slab::deallocate(small, slab::kGranule);
  void* larger = slab::allocate(slab::kGranule + 1);
  EXPECT_NE(larger, small);
  slab::deallocate(larger, slab::kGranule + 1);
}

// Under the address sanitizer, this also shows that each class fits its largest member.
TEST(Slab, GivesTheWholeSizeAlignedForAnyType) {
  std::vector<std::pair<void*, std::size_t>> taken;
  std::set<void*> distinct;
  for (std::size_t bytes = 1; bytes <= slab::kGranule * (slab::kClasses + 2); bytes += 13) {
    void* memory = slab::allocate(bytes);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(memory) % alignof(std::max_align_t), 0U);
    std::memset(memory, 0xab, bytes);
    EXPECT_TRUE(distinct.insert(memory).second);
    taken.emplace_back(memory, bytes);
  }
  for (const auto& [memory, bytes] : taken) slab::deallocate(memory, bytes);
}

}  // namespace
}  // namespace lunar::engine
