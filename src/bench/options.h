// Options of a bench run.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "lunar/result.h"
#include "lunar/types.h"

namespace lunar::bench {

// iscsi://HOST[:PORT]/TARGET/LUN, as in libiscsi and QEMU. An IPv6 HOST is in brackets.
struct Url {
  std::string host;
  std::string port;
  std::string target;
  Lun lun;
};
Result<Url> parse_url(std::string_view text);

enum class Work : std::uint8_t { read, write, mix };
Result<Work> parse_work(std::string_view text);
[[nodiscard]] std::string_view to_text(Work work);
// Default share of reads in Work::mix.
constexpr unsigned kReadPercent = 70;

// Seconds: "5", "5s", "0.5s", "500ms", "100us", "2m", "1h".
Result<double> parse_seconds(std::string_view text);

struct Digests {
  bool header = false;
  bool data = false;
};
// "none", or "header", "data" or both with a comma.
Result<Digests> parse_digests(std::string_view text);
[[nodiscard]] std::string_view to_text(Digests digests);

// The minimal target in the same process that --floor measures (floor.h).
enum class FloorForm : std::uint8_t {
  none,
  readiness,  // non-blocking recv and sendmsg
  uring,      // io_uring
  best,       // runs both, reports the better
  sleeping,   // like readiness, but waits in poll() instead of spinning
};
// "recv", "uring", "best", "sleep"
Result<FloorForm> parse_floor_form(std::string_view text);
[[nodiscard]] std::string_view to_text(FloorForm form);

struct Options {
  Url url;
  std::string url_text;  // as given; empty with --floor
  std::string initiator_name = "iqn.2026-11.io.lunar:bench";
  FloorForm floor = FloorForm::none;
  Work work = Work::read;
  unsigned read_percent = kReadPercent;  // for Work::mix
  std::uint64_t block_bytes = 4096;      // per I/O
  std::uint32_t queue_depth = 32;        // per session
  std::uint32_t connections = 1;         // number of sessions, one connection each
  double time_s = 5;
  std::uint64_t count = 0;  // I/Os after which the measurement ends early; 0: no limit
  double warmup_s = 0;
  std::uint64_t range_bytes = 0;  // used part of the disk, from its start; 0: all of it
  bool sequential = false;
  bool verify = false;
  std::uint64_t rate = 0;  // I/Os per second of all sessions together; 0: no limit
  Digests digests;
  bool burst = false;  // start a session's whole queue at once, when the last one is answered
  bool sleep = false;  // wait in poll() instead of spinning
  std::optional<unsigned> cpu;
  unsigned floor_cpu = 0;
  double slice_s = 0;  // above 0: see run_slices()
  bool json = false;
  std::string version;  // of the program, for the JSON
};

constexpr std::uint32_t kMaxQueueDepth = 4096;
constexpr std::uint32_t kMaxConnections = 20'000;
constexpr std::uint64_t kMaxBlockBytes = 8 * kMiB;
constexpr std::size_t kMaxNameBytes = 223;  // RFC 7143 §4.2.7.1
constexpr double kMaxSeconds = 1e8;         // three years; far below the range of nanoseconds
// Checks bounds and combinations. ErrorCode::invalid_argument names the option.
Result<> check(const Options& options);

}  // namespace lunar::bench
