#include "engine/mutex.h"

#include "engine/shard.h"

namespace lunar::engine {

void Mutex::release() {
  if (waiters_.empty()) {
    locked_ = false;
  } else {
    Shard::current()->enqueue(waiters_.pop_front());  // still locked: by the waiter now
  }
}

}  // namespace lunar::engine
