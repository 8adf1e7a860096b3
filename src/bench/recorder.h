// What all sessions of a run write to: counts and latencies, and the time of the present loop.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "bench/histogram.h"
#include "engine/clock.h"

namespace lunar::bench {

struct Recorder {
  engine::SteadyClock clock;
  // Read once for each batch of answers, not for each I/O: reading costs as much as parsing one.
  std::uint64_t now_ns = 0;
  bool counting = false;
  std::uint64_t reads = 0;
  std::uint64_t writes = 0;
  Histogram latency;
  std::uint64_t idle_ns = 0;    // nothing had come for any session
  std::uint32_t in_flight = 0;  // the most of one session at once
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
