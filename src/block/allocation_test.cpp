// In steady state no request allocates from the heap, emulated or not.
#if defined(__SANITIZE_THREAD__)
#define LUNAR_TEST_HAS_THREAD_SANITIZER
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define LUNAR_TEST_HAS_THREAD_SANITIZER
#endif
#endif
#ifndef LUNAR_TEST_HAS_THREAD_SANITIZER  // it brings an operator new of its own

#include <gtest/gtest.h>

#include <cstdlib>
#include <new>

#include "block/testing/bench.h"
#include "block/testing/fake_device.h"

namespace {
std::size_t allocations = 0;
}  // namespace

void* operator new(std::size_t bytes) {
  ++allocations;
  if (void* memory = std::malloc(bytes)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace lunar::block {
namespace {

using testing::Bench;
using testing::FakeDevice;
using testing::filled;

std::size_t allocations_of_all_ops(Bench& bench, FakeDevice& device, MutableBytes buffer) {
  device.calls.clear();
  const std::size_t before = allocations;
  const std::uint64_t count = buffer.size() / 512;
  for (const RequestFlags flags : {RequestFlags{0}, kFua}) {
    bench.run(Op::read, 0, count, buffer, flags);
    bench.run(Op::write, 0, count, buffer, flags);
    bench.run(Op::flush, 0, 0);
    bench.run(Op::unmap, 0, count);
    bench.run(Op::write_zeroes, 0, count, flags);
    bench.run(Op::write_same, 0, count, buffer.first(512), flags);
    bench.run(Op::compare, 0, count, buffer, flags);
  }
  return allocations - before;
}

TEST(Allocation, NoneInSteadyState) {
  engine::sim::World world;
  FakeDevice device(256);
  device.the_capabilities = {.volatile_cache = true, .unmap = true, .unmap_reads_zeroes = true};
  device.the_limits.buffer_alignment = 512;
  device.the_limits.max_transfer = BlockCount(3);
  Bench bench(world, device);
  auto data = filled(16 * 512 + 1, 1);
  const auto misaligned = MutableBytes(data).subspan(1);
  allocations_of_all_ops(bench, device, misaligned);  // the slab and the log of calls grow here
  EXPECT_EQ(allocations_of_all_ops(bench, device, misaligned), 0U);
}

}  // namespace
}  // namespace lunar::block

#endif
