// What a device may ask of a shard: the time, a timer, and to run something there. A shard is a
// thread with a loop; Device::open_channel() is told which one a Channel belongs to.
//
//   struct Alarm : engine::Timer { … };                      // a member of a channel
//   engine::arm(shard, alarm, engine::now_ns(shard) + 5'000'000);   // runs on the shard in 5 ms
//
//   engine::post_to(shard, message);                         // from any thread
//   engine::run_blocking(shard, [&] { … });                  // on a thread that may block
//
// A request that is done needs none of this: Request::complete() on its shard,
// Request::complete_from_any_thread() elsewhere.
#pragma once

#include <cstdint>
#include <functional>

#include "lunar/runnable.h"
#include "lunar/timer.h"

namespace lunar::engine {

class Shard;

// The shard of this thread; null elsewhere.
[[nodiscard]] Shard* this_shard();

// ---- On the shard's own thread.

// Constant: 0, 1, …
[[nodiscard]] unsigned index_of(const Shard& shard);
// A monotonic clock, read once a loop.
[[nodiscard]] std::uint64_t now_ns(const Shard& shard);
// Arms, or re-arms, the timer. Its owner outlives it, or cancels it on the shard.
void arm(Shard& shard, Timer& timer, std::uint64_t deadline_ns);

// ---- From any thread, while the server of the shard lives.

// Runs `message` in the shard's loop, once. Its owner keeps it alive until then, and posts it again
// only afterwards. Messages of one thread keep their order. Takes no lock and no memory; wakes the
// shard if it sleeps.
void post_to(Shard& shard, Runnable& message);

// Calls `work` on a thread that may block. Works run beside each other; of those that wait for a
// thread the first comes first. With kMaxBlockingThreads under way, others wait. In a simulated
// world it is called at once.
void run_blocking(Shard& shard, std::move_only_function<void()> work);
constexpr unsigned kMaxBlockingThreads = 64;

}  // namespace lunar::engine
