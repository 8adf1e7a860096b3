// The progress line of a run: overwritten once a second, on terminals only.
#pragma once

#include <cstdint>

#include "bench/recorder.h"

namespace lunar::bench {

// Not thread-safe. Clears the line when destroyed.
class LiveLine {
 public:
  explicit LiveLine(bool wanted);
  LiveLine(const LiveLine&) = delete;
  LiveLine& operator=(const LiveLine&) = delete;
  ~LiveLine() { clear(); }

  // Starts a new measurement, called `what`.
  void begin(const Recorder& recorder, const char* what);
  // Cheap if nothing is to be printed.
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
