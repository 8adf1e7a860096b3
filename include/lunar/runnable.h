// A thing that a shard can be asked to run in its next loop.
#pragma once

#include "lunar/list.h"

namespace lunar::engine {

class Shard;

// Queued by Shard::enqueue, run once, on that shard, never inline. The owner keeps it alive until
// then (or unlinks it). Derive from it and set `run` to a function that casts back.
struct Runnable : ListHook {
  using Run = void (*)(Runnable&) noexcept;
  Run run = nullptr;

  Runnable() = default;
  explicit Runnable(Run function) : run(function) {}
};

}  // namespace lunar::engine
