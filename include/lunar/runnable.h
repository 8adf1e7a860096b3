// A piece of work that a shard runs in its next loop.
#pragma once

#include "lunar/list.h"

namespace lunar::engine {

class Shard;

// Shard::enqueue queues it; it runs once, on that shard, never inline. The owner keeps it alive
// until it has run, or unlinks it. To use: derive, and set `run` to a function that casts back.
struct Runnable : ListHook {
  using Run = void (*)(Runnable&) noexcept;
  Run run = nullptr;

  Runnable() = default;
  explicit Runnable(Run function) : run(function) {}
};

}  // namespace lunar::engine
