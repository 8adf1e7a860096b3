// Data of writes without --verify: one I/O, shared by all sessions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>

#include "bench/pattern.h"

namespace lunar::bench {

// Small enough to stay in the sender's cache, so that sending costs one copy into the socket.
// docs/PERFORMANCE.md says why sendfile() is not used. Immutable, movable.
class Payload {
 public:
  // Filled with the pattern of `run`, so that nothing on the way can treat it as zeroes.
  Payload(std::size_t bytes, std::uint64_t run)
      : memory_(static_cast<std::byte*>(::operator new(bytes, kPage))), bytes_(bytes) {
    fill_pattern(run, 0, {memory_.get(), bytes});
  }

  [[nodiscard]] Bytes bytes() const { return {memory_.get(), bytes_}; }
  [[nodiscard]] bool holds(const std::byte* at) const {
    return at >= memory_.get() && at < memory_.get() + bytes_;
  }

 private:
  // Aligned like the buffers of applications that use O_DIRECT.
  static constexpr std::align_val_t kPage{4096};
  struct Free {
    void operator()(std::byte* memory) const { ::operator delete(memory, kPage); }
  };
  std::unique_ptr<std::byte, Free> memory_;
  std::size_t bytes_;
};

}  // namespace lunar::bench
