// The data of every write that carries no pattern: one I/O, which all sessions send.
#pragma once

#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "lunar/result.h"

namespace lunar::bench {

// It lies in a memory file, so that a socket can take large parts of it by sendfile(): the kernel
// then sends the file's own pages instead of a copy, and what bounds a run of large writes is the
// target. Immutable once made, movable.
class Payload {
 public:
  // Filled with the pattern of `run`, so that nothing on the way can tell it is nothing.
  static Result<Payload> make(std::size_t bytes, std::uint64_t run);
  Payload(Payload&& other) noexcept;
  Payload& operator=(Payload&&) = delete;
  ~Payload();

  [[nodiscard]] Bytes bytes() const { return bytes_; }
  [[nodiscard]] int fd() const { return fd_; }
  // Where in the file this memory is; nothing if it is elsewhere.
  [[nodiscard]] std::optional<std::uint64_t> offset_of(const void* memory) const {
    const auto offset = static_cast<std::uint64_t>(reinterpret_cast<std::uintptr_t>(memory) -
                                                   reinterpret_cast<std::uintptr_t>(bytes_.data()));
    return offset < bytes_.size() ? std::optional(offset) : std::nullopt;
  }

 private:
  Payload(int fd, Bytes bytes) : fd_(fd), bytes_(bytes) {}
  int fd_;
  Bytes bytes_;
};

}  // namespace lunar::bench
