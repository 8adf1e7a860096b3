// The line that a run shows while it goes on: once a second, over itself, on a terminal only.
#pragma once

#include <cstdint>

#include "bench/recorder.h"

namespace lunar::bench {

// Not thread-safe. Leaves an empty line behind.
class LiveLine {
 public:
  explicit LiveLine(bool wanted);
  LiveLine(const LiveLine&) = delete;
  LiveLine& operator=(const LiveLine&) = delete;
  ~LiveLine() { clear(); }

  // `what` is being measured from now on.
  void begin(const Recorder& recorder, const char* what);
  // Cheap while there is nothing to print.
  void tick(const Recorder& recorder) {
    if (recorder.now_ns - printed_ns_ >= engine::kSecond) print(recorder);
  }
  void clear();

 private:
  void print(const Recorder& recorder);

  const bool wanted_;
  const char* what_ = "";
  bool shown_ = false;
  std::uint64_t printed_ns_ = 0;
  std::uint64_t printed_ios_ = 0;
};

}  // namespace lunar::bench
