// Counts and latencies of all sessions of a run, and the time of the current loop.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "bench/histogram.h"
#include "engine/clock.h"

namespace lunar::bench {

struct Recorder {
  engine::SteadyClock clock;
  // Read once per batch of answers: reading the clock costs as much as parsing an answer.
  std::uint64_t now_ns = 0;
  bool counting = false;
  std::uint64_t reads = 0;
  std::uint64_t writes = 0;
  Histogram latency;
  std::uint64_t idle_ns = 0;    // time in which no session had received anything
  std::uint32_t in_flight = 0;  // largest number of commands in flight in one session
  // --verify
  std::uint64_t verified = 0;
  std::uint64_t mismatches = 0;
  std::optional<std::uint64_t> first_mismatch_bytes;

  void tick() { now_ns = clock.now_ns(); }
  void complete(bool write, std::uint64_t start_ns) {
    if (!counting) return;
    ++(write ? writes : reads);
    latency.record(now_ns - start_ns);
  }
  void clear_counts() {
    reads = writes = idle_ns = in_flight = 0;
    latency.clear();
  }
};

}  // namespace lunar::bench
