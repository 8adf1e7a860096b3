// The seam for time.
#pragma once

#include <cstdint>

namespace lunar::engine {

constexpr std::uint64_t kMicrosecond = 1'000;
constexpr std::uint64_t kMillisecond = 1'000'000;
constexpr std::uint64_t kSecond = 1'000'000'000;

// Monotonic nanoseconds since an arbitrary start.
class Clock {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual std::uint64_t now_ns() const = 0;
};

// CLOCK_MONOTONIC. Thread-safe.
class SteadyClock final : public Clock {
 public:
  [[nodiscard]] std::uint64_t now_ns() const override;
};

}  // namespace lunar::engine
