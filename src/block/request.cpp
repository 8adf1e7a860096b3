#include "lunar/block/request.h"

#include "engine/shard.h"

namespace lunar::block {

void Request::complete(Status result) {
  status = result;
  run = [](engine::Runnable& self) noexcept { static_cast<Request&>(self).finish(); };
  shard->enqueue(*this);
}

}  // namespace lunar::block
