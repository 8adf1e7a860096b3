// What a shard's loop runs on: the kernel (UringDriver) or a simulation (sim::SimDriver).
#pragma once

#include <cstdint>
#include <optional>

namespace lunar::engine {

class Driver {
 public:
  virtual ~Driver() = default;

  // Submits new operations and processes completions, without blocking. Returns whether anything
  // completed.
  virtual bool poll() = 0;
  // Like poll(), but blocks until a completion, a wake() or the deadline.
  virtual void wait(std::optional<std::uint64_t> deadline_ns) = 0;
  // Ends the current or the next wait(). From any thread.
  virtual void wake() = 0;
};

}  // namespace lunar::engine
