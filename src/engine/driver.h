// What a shard's loop stands on: the kernel (UringDriver) or a simulation (sim::Driver).
#pragma once

#include <cstdint>
#include <optional>

namespace lunar::engine {

class Driver {
 public:
  virtual ~Driver() = default;

  // Hands new operations to the medium and reaps what has completed, without blocking.
  // Returns whether anything completed.
  virtual bool poll() = 0;
  // As poll(), but blocks until something completes, wake() is called, or the deadline passes.
  virtual void wait(std::optional<std::uint64_t> deadline_ns) = 0;
  // Ends a wait(), now or the next one. From any thread.
  virtual void wake() = 0;
};

}  // namespace lunar::engine
