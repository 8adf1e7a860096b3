#include "lunar/block/request.h"

#include "base/fatal.h"
#include "engine/shard.h"

namespace lunar::block {

// Both would corrupt the shard's run list, and show much later, if at all.
[[gnu::cold, gnu::noinline]] static void refuse_completion(const Request& request) {
  if (engine::Shard::current() != request.shard) {
    fatal(
        "a device has called Request::complete() on a thread other than that of the request's "
        "shard");
  }
  fatal("a device has called Request::complete() twice for one request");
}

void Request::too_many_layers() {
  fatal("a request passes more layers than Device::layers() told: see kMaxDeviceLayers");
}

void Request::complete(Status result) {
  if (engine::Shard::current() != shard || is_linked()) [[unlikely]]
    refuse_completion(*this);
  status = result;
  run = [](engine::Runnable& self) noexcept { static_cast<Request&>(self).finish(); };
  shard->enqueue(*this);
}

void Request::complete_from_any_thread(Status result) {
  if (is_linked()) [[unlikely]]
    fatal("a device has completed a request twice, or while it stands in a list");
  status = result;
  run = [](engine::Runnable& self) noexcept { static_cast<Request&>(self).finish(); };
  engine::post_to(*shard, *this);
}

}  // namespace lunar::block
