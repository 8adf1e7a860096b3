// A bench that runs one slice at a time for a script: see run_slices() in bench.h.
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <cstdio>
#include <vector>

#include "bench/bench.h"

namespace lunar::bench {

Result<bool> Bench::wait_for_line() {
  std::vector<pollfd> all{{.fd = STDIN_FILENO, .events = POLLIN, .revents = 0}};
  for (const auto& session : sessions_) {
    all.push_back({.fd = session->fd(), .events = POLLIN, .revents = 0});
  }
  for (;;) {
    poll(all.data(), all.size(), -1);
    if (all.front().revents != 0) {
      char byte = 0;
      if (read(STDIN_FILENO, &byte, 1) != 1) return false;
      if (byte == '\n') return true;
      continue;
    }
    LUNAR_TRY(step());
  }
}

Result<> run_slices(Bench& bench, const Options& options) {
  bench.pause_floor();
  for (;;) {
    LUNAR_TRY_ASSIGN(const bool more, bench.wait_for_line());
    if (!more) return {};
    bench.resume_floor();
    LUNAR_TRY_ASSIGN(const Report report, bench.measure(options.slice_s));
    bench.pause_floor();
    fmt::print("{}", to_json(report, options));
    std::fflush(stdout);
  }
}

}  // namespace lunar::bench
