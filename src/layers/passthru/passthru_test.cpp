#include "layers/passthru/passthru.h"

#include <gtest/gtest.h>

#include "block/registry.h"
#include "block/testing/bench.h"
#include "block/testing/fake_device.h"
#include "block/testing/model.h"

namespace lunar::layers {
namespace {

using block::testing::Bench;
using block::testing::FakeDevice;

TEST(Passthru, ChangesNothing) {
  engine::sim::World world;
  block::Registry registry(world.shards());
  auto base = std::make_unique<FakeDevice>(256);
  base->the_capabilities.unmap = base->the_capabilities.unmap_reads_zeroes = true;
  ASSERT_TRUE(registry.add(std::move(base)));
  auto claim = registry.claim("fake", block::Access::exclusive, "top");
  block::Device& top = (*registry.add(create_passthru("top", std::move(*claim))))->device();
  EXPECT_EQ(top.uuid(), registry.find("fake")->device().uuid());
  EXPECT_EQ(top.limits().capacity, BlockCount(256));
  Bench bench(world, top);
  block::testing::ModelRun(bench, 1).run(200);
}

// Front itself takes one frame of the request, and emulation steps are requests of their own.
TEST(Passthru, StacksAsDeepAsARequestHasFramesAndNoDeeper) {
  engine::sim::World world;
  block::Registry registry(world.shards());
  ASSERT_TRUE(registry.add(std::make_unique<FakeDevice>(256)));
  std::string below = "fake";
  for (std::size_t i = 0; i < block::kMaxDeviceLayers; ++i) {
    const std::string name = "layer" + std::to_string(i);
    auto claim = registry.claim(below, block::Access::exclusive, name);
    ASSERT_TRUE(registry.add(create_passthru(name, std::move(*claim))));
    below = name;
  }
  Bench bench(world, registry.find(below)->device());
  auto data = block::testing::filled(512, 1);
  EXPECT_EQ(bench.run(block::Op::write, 3, 1, data), block::Status::ok);
  EXPECT_EQ(bench.run(block::Op::compare, 3, 1, data), block::Status::ok);
  auto claim = registry.claim(below, block::Access::exclusive, "more");
  const auto one_more = registry.add(create_passthru("more", std::move(*claim)));
  ASSERT_FALSE(one_more);
  EXPECT_EQ(one_more.error().code, ErrorCode::invalid_argument);
  EXPECT_NE(one_more.error().message.find("a stack of 6 layers; at most 5"), std::string::npos)
      << one_more.error().message;
}

TEST(Passthru, PassesAbortsThrough) {
  engine::sim::World world;
  block::Registry registry(world.shards());
  auto owned = std::make_unique<FakeDevice>(256);
  FakeDevice& base = *owned;
  ASSERT_TRUE(registry.add(std::move(owned)));
  const auto top = create_passthru("top", *registry.claim("fake", block::Access::exclusive, "top"));
  Bench bench(world, *top);
  base.hold = true;
  auto data = block::testing::filled(512, 1);
  block::testing::TestRequest request(block::Op::read, 0, 1);
  request.set_buffer(data.data(), data.size());
  bench.front().submit(request);
  bench.front().abort(request);
  EXPECT_EQ(bench.finish(request), block::Status::aborted);
}

}  // namespace
}  // namespace lunar::layers
