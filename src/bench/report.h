// The result of a bench run, and its output formats.
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
  std::uint64_t range_bytes = 0;      // used part of the disk, from its start
  std::uint64_t began_ms = 0;         // since 1970, UTC
  Digests digests;                    // as negotiated
  std::uint32_t in_flight = 0;        // largest number in one session
  FloorForm floor = FloorForm::none;  // the floor that was measured
  double idle_seconds = 0;            // nothing received: see docs/bench.md
  double cpu_seconds = 0;             // of the initiator's thread, including spinning
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

// A few lines for people.
[[nodiscard]] std::string to_text(const Report& report, const Options& options);
// One JSON object on one line. Times are in microseconds. docs/bench.md describes the keys. kSchema
// changes when a key is removed or changes its meaning, not when one is added.
constexpr unsigned kSchema = 1;
[[nodiscard]] std::string to_json(const Report& report, const Options& options);

}  // namespace lunar::bench
