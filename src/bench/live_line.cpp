#include "bench/live_line.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>

namespace lunar::bench {

LiveLine::LiveLine(bool wanted) : wanted_(wanted && isatty(STDERR_FILENO) != 0) {}

void LiveLine::begin(const Recorder& recorder, const char* what) {
  what_ = what;
  printed_ns_ = recorder.now_ns;
  printed_ios_ = recorder.reads + recorder.writes;
}

void LiveLine::print(const Recorder& recorder) {
  const std::uint64_t ios = recorder.reads + recorder.writes;
  if (wanted_) {
    const double seconds = static_cast<double>(recorder.now_ns - printed_ns_) / 1e9;
    fmt::print(stderr, "\r\033[K{}: {:.0f} IOPS, p50 {:.1f} us, {} I/Os", what_,
               static_cast<double>(ios - printed_ios_) / seconds,
               static_cast<double>(recorder.latency.percentile_ns(50)) / 1e3, ios);
    shown_ = true;
  }
  printed_ns_ = recorder.now_ns;
  printed_ios_ = ios;
}

void LiveLine::clear() {
  if (shown_) fmt::print(stderr, "\r\033[K");
  shown_ = false;
}

}  // namespace lunar::bench
