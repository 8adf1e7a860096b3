#include "app/close_devices.h"

#include "base/log.h"
#include "engine/gate.h"

namespace lunar::app {
namespace {

engine::Task<void> close_one(block::Disk& disk, std::uint64_t wait_ns) {
  auto closing = disk.close_device(wait_ns);
  const Result<void> closed = co_await closing;
  if (!closed) log::warning("device {}: {}", disk.name(), closed.error().message);
}

}  // namespace

engine::Task<void> close_devices(Server::Internals& self) {
  engine::Shard& here = *engine::Shard::current();
  const std::uint64_t deadline_ns = here.now_ns() + kCloseDevicesNs;
  for (std::size_t layers = block::kMaxDeviceLayers + 1; layers-- > 0;) {
    engine::Gate closing;
    for (block::Disk* disk : self.registry->disks()) {
      if (disk->device().layers() != layers) continue;
      const std::uint64_t now_ns = here.now_ns();
      closing.spawn(close_one(*disk, deadline_ns > now_ns ? deadline_ns - now_ns : 0));
    }
    co_await closing.close();
  }
}

}  // namespace lunar::app
