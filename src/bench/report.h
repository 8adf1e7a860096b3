// What a run of the bench found, and how it is printed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "bench/histogram.h"
#include "bench/options.h"

namespace lunar::bench {

struct Report {
  double seconds = 0;
  std::uint64_t reads = 0;
  std::uint64_t writes = 0;
  std::uint64_t block_bytes = 0;
  std::uint64_t range_bytes = 0;      // of the disk, from its start: where the I/Os went
  std::uint64_t began_ms = 0;         // since 1970, UTC
  Digests digests;                    // agreed with the target
  std::uint32_t in_flight = 0;        // the most in one session at once
  FloorForm floor = FloorForm::none;  // that was driven
  double idle_seconds = 0;            // nothing had come: see docs/bench.md
  double cpu_seconds = 0;             // of the initiator's thread, spinning included
  Histogram latency;
  std::uint64_t verified = 0;
  std::uint64_t mismatches = 0;
  std::optional<std::uint64_t> first_mismatch_bytes;

  [[nodiscard]] double iops() const {
    return seconds > 0 ? static_cast<double>(reads + writes) / seconds : 0;
  }
  [[nodiscard]] double megabytes_per_second() const {
    return iops() * static_cast<double>(block_bytes) / 1e6;
  }
};

// Some lines for people.
[[nodiscard]] std::string to_text(const Report& report, const Options& options);
// One line, one object. Times in microseconds; the keys are documented in docs/bench.md. A key that
// changes its meaning or goes makes a new kSchema; one that is added does not.
constexpr unsigned kSchema = 1;
[[nodiscard]] std::string to_json(const Report& report, const Options& options);

}  // namespace lunar::bench
