#include "lunar/block/device.h"

#include <algorithm>
#include <utility>

#include "block/check_device.h"

namespace lunar::block {
namespace {

// On a thread that may block.
Result<std::vector<Extent>> collect_extents(const Device& device, Lba lba, BlockCount count) {
  std::vector<Extent> extents;
  while (count.value != 0 && extents.size() < kMaxExtents) {
    LUNAR_TRY_ASSIGN(Extent extent, device.extent_at(lba, count));
    if (extent.count.value == 0) return fail(ErrorCode::io, "an extent without blocks");
    extent.lba = lba;
    extent.count = std::min(extent.count, count);
    lba = lba + extent.count;
    count = count - extent.count;
    extents.push_back(extent);
  }
  return extents;
}

}  // namespace

Result<std::unique_ptr<Channel>> Device::open_channel(engine::Shard& /*shard*/) {
  return fail(ErrorCode::unsupported, "it opens no channels");
}

Result<BlockCount> Device::resize(std::optional<ByteCount> /*size*/) {
  return fail(ErrorCode::unsupported, "this kind of device keeps its size");
}

void Device::begin_resize(std::optional<ByteCount> size, Reply<BlockCount> reply) {
  engine::Shard& shard = reply.shard();
  engine::run_blocking(shard, [this, size, reply = std::move(reply)]() mutable {
    reply.send(without_exceptions<BlockCount>([&] { return resize(size); }));
  });
}

void Device::begin_extents(Lba lba, BlockCount count, Reply<std::vector<Extent>> reply) const {
  engine::Shard& shard = reply.shard();
  engine::run_blocking(shard, [this, lba, count, reply = std::move(reply)]() mutable {
    reply.send(without_exceptions<std::vector<Extent>>(
        [&] { return collect_extents(*this, lba, count); }));
  });
}

void Device::add_listener(DeviceListener& listener) {
  const std::scoped_lock lock(listening_);
  listeners_.push_back(&listener);
}

void Device::remove_listener(DeviceListener& listener) {
  const std::scoped_lock lock(listening_);
  std::erase(listeners_, &listener);
}

void Device::tell(DeviceEvent event) {
  const std::scoped_lock lock(listening_);
  for (DeviceListener* listener : listeners_) listener->heard(event);
}

}  // namespace lunar::block
