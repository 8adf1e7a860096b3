// Interface to time, so that tests can simulate it.
#pragma once

#include <cstdint>

namespace lunar::engine {

constexpr std::uint64_t kMicrosecond = 1'000;
constexpr std::uint64_t kMillisecond = 1'000'000;
constexpr std::uint64_t kSecond = 1'000'000'000;

// Nanoseconds of a monotonic clock with an arbitrary start.
class Clock {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual std::uint64_t now_ns() const = 0;
  // Wall-clock time: milliseconds since 1970-01-01 00:00:00 UTC. May jump.
  [[nodiscard]] virtual std::uint64_t wall_clock_ms() const = 0;
};

// CLOCK_MONOTONIC and CLOCK_REALTIME. Thread-safe.
class SteadyClock final : public Clock {
 public:
  [[nodiscard]] std::uint64_t now_ns() const override;
  [[nodiscard]] std::uint64_t wall_clock_ms() const override;
};

}  // namespace lunar::engine
