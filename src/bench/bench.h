// `lunar bench`: an initiator that loads a target from one thread and measures it.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "bench/floor.h"
#include "bench/live_line.h"
#include "bench/options.h"
#include "bench/payload.h"
#include "bench/recorder.h"
#include "bench/report.h"
#include "bench/session.h"
#include "bench/workload.h"
#include "lunar/result.h"

namespace lunar::bench {

// Blocks the calling thread. Not thread-safe. After an error only destroy it.
class Bench {
 public:
  // Connects and logs in all sessions, clears unit attentions and reads the capacity. With --floor,
  // starts the floor and connects to it. `options` must have passed check().
  static Result<std::unique_ptr<Bench>> open(const Options& options);

  // The whole run: warm-up, measurement, and the passes of --verify.
  Result<Report> run();
  // One measurement of `seconds`. Ends with nothing in flight.
  Result<Report> measure(double seconds);
  // Waits for a line on standard input, and answers the targets' pings meanwhile. False: end of
  // input.
  Result<bool> wait_for_line();
  void pause_floor() const;
  void resume_floor() const;

 private:
  explicit Bench(const Options& options)
      : options_(options), live_(!options.json && options.slice_s == 0) {}
  Result<> connect();
  Result<> settle(Session& session);
  Result<> learn_capacity();

  // Runs for `seconds`, or until all I/Os of the pass are done. Then waits for I/Os in flight,
  // which no longer count. `counting`: whether the recorder counts the others.
  Result<> drive(double seconds, bool counting);
  Result<bool> step();
  void begin_idle();
  void end_idle();
  Result<> drain();
  void refill(Session& session);
  void start_next(Session& session, std::uint64_t start_ns);
  [[nodiscard]] bool may_start() const;
  [[nodiscard]] bool has_started_all() const;
  Result<> read_back();
  // --sleep: waits until a session can proceed or an I/O is due, at most `limit_ns`.
  void wait_ready(std::uint64_t limit_ns) const;
  [[nodiscard]] std::uint64_t due_ns(std::uint64_t number) const;
  [[nodiscard]] Report report(double seconds, double cpu_seconds) const;

  const Options options_;
  std::unique_ptr<Floor> floor_;
  Url url_;
  Recorder recorder_;
  std::vector<std::byte> scratch_;
  std::optional<Payload> payload_;
  std::unique_ptr<SessionContext> context_;
  std::vector<std::unique_ptr<Session>> sessions_;
  std::uint64_t block_count_ = 0;
  std::uint32_t block_bytes_ = 0;  // block size of the disk
  std::unique_ptr<Workload> workload_;
  // --rate: I/Os since the start of the current drive, and the time of that start.
  std::uint64_t started_ = 0;
  std::uint64_t drive_start_ns_ = 0;
  double measured_s_ = 0;       // counted time of the last drive
  std::uint64_t began_ms_ = 0;  // start of the last measurement
  std::uint64_t range_bytes_ = 0;
  std::uint64_t idle_since_ns_ = 0;  // 0: the last step received something
  bool issuing_ = false;
  // --verify: chunks that have been written, and the next one to read back.
  std::vector<bool> written_;
  bool reading_back_ = false;
  std::uint64_t next_read_back_ = 0;
  LiveLine live_;
};

// --slice: measures slice_s seconds for each line "go" on standard input, and answers with one line
// of JSON. Returns at the end of input. One login serves many slices, which a script interleaves
// with those of other targets. Between slices there is no load and the floor sleeps.
Result<> run_slices(Bench& bench, const Options& options);

}  // namespace lunar::bench
