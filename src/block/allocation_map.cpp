#include "block/allocation_map.h"

#include <utility>

#include "block/ask.h"
#include "engine/shard.h"

namespace lunar::block {
namespace {

bool is_sound(const std::vector<Extent>& extents, Lba lba, BlockCount count) {
  for (const Extent& extent : extents) {
    if (extent.lba != lba || extent.count.value == 0 || extent.count > count) return false;
    lba = lba + extent.count;
    count = count - extent.count;
  }
  return !extents.empty() && extents.size() <= kMaxExtents;
}

}  // namespace

engine::Task<Result<std::vector<Extent>>> look_up_extents(const Device& device, Lba lba,
                                                          BlockCount count) {
  engine::Shard& shard = *engine::Shard::current();
  Ask<std::vector<Extent>> ask(device, shard);
  ask.begin([&](auto reply) { device.begin_extents(lba, count, std::move(reply)); });
  auto waiting = ask.until(shard.now_ns() + kDeviceDeadlineNs);
  const bool answered = co_await waiting;
  if (!answered) co_return fail(ErrorCode::io, "its allocation map: it gives no answer");
  Result<std::vector<Extent>> extents = ask.take();
  if (extents && !is_sound(*extents, lba, count))
    co_return fail(ErrorCode::io, "its allocation map makes no sense");
  co_return extents;
}

}  // namespace lunar::block
