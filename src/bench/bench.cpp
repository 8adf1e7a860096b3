#include "bench/bench.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <ctime>

#include "bench/pattern.h"
#include "engine/prng.h"
#include "scsi/spec/capacity.h"
#include "scsi/spec/cdb_structs.h"
#include "scsi/spec/opcodes.h"

namespace lunar::bench {
namespace {

constexpr std::size_t kScratchBytes = 256 * kKiB;
constexpr std::uint64_t kFloorDiskBytes = 256 * kMiB;
constexpr unsigned kMaxUnitAttentions = 16;
constexpr unsigned kIdleLoopsPerTick = 16;
constexpr int kDrainTimeoutS = 10;
// Longest sleep of --sleep: the progress line must be refreshed, and the end of the run noticed.
constexpr std::uint64_t kMaxSleepNs = 100 * engine::kMillisecond;

double cpu_seconds() {
  timespec spent{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &spent);
  return static_cast<double>(spent.tv_sec) + static_cast<double>(spent.tv_nsec) / 1e9;
}

std::uint64_t nanoseconds(double seconds) { return static_cast<std::uint64_t>(seconds * 1e9); }

// RFC 7143 §11.12.5, type 10b: random. The low bits distinguish the sessions of a run.
iscsi::spec::Isid make_isid(std::uint64_t run, std::uint32_t index) {
  iscsi::spec::Isid isid;
  isid.bytes = {0x80,
                static_cast<std::uint8_t>(run),
                static_cast<std::uint8_t>(run >> 8),
                static_cast<std::uint8_t>(run >> 16),
                static_cast<std::uint8_t>(index >> 8),
                static_cast<std::uint8_t>(index)};
  return isid;
}

void allow_many_descriptors() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace

Result<std::unique_ptr<Bench>> Bench::open(const Options& options) {
  std::unique_ptr<Bench> bench(new Bench(options));
  LUNAR_TRY(bench->connect());
  for (const auto& session : bench->sessions_) LUNAR_TRY(bench->settle(*session));
  LUNAR_TRY(bench->learn_capacity());
  return bench;
}

Result<> Bench::connect() {
  allow_many_descriptors();
  url_ = options_.url;
  if (options_.floor != FloorForm::none) {
    LUNAR_TRY_ASSIGN(floor_, Floor::start({.form = options_.floor,
                                           .connections = options_.connections,
                                           .queue_depth = options_.queue_depth,
                                           .size_bytes = kFloorDiskBytes,
                                           .cpu = options_.floor_cpu}));
    url_ = floor_->url();
  }
  if (options_.cpu) LUNAR_TRY(pin_to(*options_.cpu));
  // By default the kernel ends a sleep up to 50 us late. With --rate that would count as latency.
  if (options_.sleep) prctl(PR_SET_TIMERSLACK, 1);
  const std::uint64_t run = engine::Prng::system_seed();
  scratch_.resize(kScratchBytes);
  payload_.emplace(options_.block_bytes, run);
  context_ = std::make_unique<SessionContext>(
      SessionContext{.recorder = recorder_,
                     .scratch = scratch_,
                     .payload = *payload_,
                     .lun = url_.lun,
                     .queue_depth = options_.queue_depth,
                     .io_bytes = static_cast<std::uint32_t>(options_.block_bytes),
                     .burst = options_.burst,
                     .verify = options_.verify,
                     .compare = false,
                     .run = run});
  for (std::uint32_t i = 0; i < options_.connections; ++i) {
    LUNAR_TRY_ASSIGN(Socket socket, connect_to(url_.host, url_.port));
    LUNAR_TRY_ASSIGN(const SessionParameters parameters,
                     log_in(socket, {.initiator_name = options_.initiator_name,
                                     .target = url_.target,
                                     .digests = options_.digests,
                                     .isid = make_isid(run, i),
                                     .largest_write = options_.block_bytes}));
    sessions_.push_back(std::make_unique<Session>(std::move(socket), parameters, *context_));
  }
  return {};
}

// Clears the unit attentions of a new I_T nexus (SAM-5 §5.14), so that no I/O meets them.
Result<> Bench::settle(Session& session) {
  const std::array<std::byte, 6> test_unit_ready{};
  for (unsigned i = 0;; ++i) {
    LUNAR_TRY_ASSIGN(const Session::CommandResult result, session.execute(test_unit_ready, 0));
    if (result.status == scsi::spec::Status::good) return {};
    if (i == kMaxUnitAttentions) {
      return fail(ErrorCode::io,
                  fmt::format("LUN {} is not ready: {}", url_.lun.value, result.reason));
    }
  }
}

Result<> Bench::learn_capacity() {
  scsi::spec::ServiceActionIn16Cdb cdb;
  cdb.operation_code = static_cast<std::uint8_t>(scsi::spec::Opcode::service_action_in_16);
  cdb.service_action = static_cast<std::uint8_t>(scsi::spec::service_action::read_capacity_16);
  cdb.allocation_length = sizeof(scsi::spec::ReadCapacity16Data);
  LUNAR_TRY_ASSIGN(
      const Session::CommandResult result,
      sessions_.front()->execute(as_bytes(cdb), sizeof(scsi::spec::ReadCapacity16Data)));
  const auto data = load<scsi::spec::ReadCapacity16Data>(result.data);
  if (result.status != scsi::spec::Status::good || !data) {
    return fail(ErrorCode::io, fmt::format("READ CAPACITY (16): {}", result.reason));
  }
  block_bytes_ = data->logical_block_length_bytes;
  block_count_ = data->returned_logical_block_address + 1;
  if (block_bytes_ == 0 || options_.block_bytes % block_bytes_ != 0) {
    return fail(ErrorCode::invalid_argument,
                fmt::format("--bs {} is no multiple of the disk's blocks of {} bytes",
                            options_.block_bytes, block_bytes_));
  }
  const auto blocks_per_io = static_cast<std::uint32_t>(options_.block_bytes / block_bytes_);
  std::uint64_t blocks = block_count_;
  if (options_.range_bytes != 0 && (options_.range_bytes - 1) / block_bytes_ >= block_count_) {
    return fail(ErrorCode::invalid_argument,
                fmt::format("--range {}: the disk has only {} blocks of {} bytes",
                            options_.range_bytes, block_count_, block_bytes_));
  }
  if (options_.range_bytes != 0) blocks = options_.range_bytes / block_bytes_;
  const std::uint64_t chunks = std::min(blocks / blocks_per_io, Workload::kMaxChunks);
  if (chunks == 0) return fail(ErrorCode::out_of_range, "the disk is smaller than one I/O");
  range_bytes_ = chunks * options_.block_bytes;
  workload_ = std::make_unique<Workload>(options_.work, options_.read_percent, options_.sequential,
                                         chunks, blocks_per_io, context_->run);
  if (options_.verify) written_.resize(chunks);
  return {};
}

// Whether the pass has started all its I/Os. Only for passes with an end other than their time.
bool Bench::has_started_all() const {
  if (reading_back_) return next_read_back_ >= written_.size();
  return options_.count != 0 && recorder_.counting && started_ >= options_.count;
}

bool Bench::may_start() const {
  if (!issuing_ || has_started_all()) return false;
  if (options_.rate == 0 || reading_back_) return true;
  return due_ns(started_) <= recorder_.now_ns;
}

// --rate: when I/O `number`, counted from 0, is due. The first is due at once.
std::uint64_t Bench::due_ns(std::uint64_t number) const {
  return drive_start_ns_ +
         nanoseconds(static_cast<double>(number) / static_cast<double>(options_.rate));
}

void Bench::start_next(Session& session, std::uint64_t start_ns) {
  if (!reading_back_) {
    const Workload::Io io = workload_->next();
    if (options_.verify && io.write) written_[io.chunk] = true;
    session.start(io.write, io.lba, block_bytes_, start_ns);
    return;
  }
  const std::uint64_t blocks_per_io = options_.block_bytes / block_bytes_;
  session.start(false, next_read_back_ * blocks_per_io, block_bytes_, start_ns);
  do {
    ++next_read_back_;
  } while (next_read_back_ < written_.size() && !written_[next_read_back_]);
}

void Bench::refill(Session& session) {
  while (session.can_start() && may_start()) {
    std::uint64_t start_ns = recorder_.now_ns;
    // At a given rate, latency starts when the I/O is due. A target that stalls must not hide the
    // I/Os that could not be sent meanwhile.
    if (options_.rate != 0 && !reading_back_) start_ns = due_ns(started_);
    ++started_;
    start_next(session, start_ns);
  }
  recorder_.in_flight = std::max(recorder_.in_flight, session.in_flight());
}

// One loop over all sessions. Returns whether anything was received.
Result<bool> Bench::step() {
  bool some = false;
  for (const auto& session : sessions_) {
    const Session::Progress received = session->receive();
    if (received == Session::Progress::failed) return std::unexpected(session->error());
    if (received == Session::Progress::some) {
      some = true;
      end_idle();
    }
    refill(*session);
    if (session->flush() == Session::Progress::failed) return std::unexpected(session->error());
  }
  if (!some) begin_idle();
  return some;
}

void Bench::begin_idle() {
  if (idle_since_ns_ != 0) return;
  recorder_.tick();
  idle_since_ns_ = recorder_.now_ns;
}

// receive() has just read the clock.
void Bench::end_idle() {
  if (idle_since_ns_ != 0 && recorder_.counting) {
    recorder_.idle_ns += recorder_.now_ns - idle_since_ns_;
  }
  idle_since_ns_ = 0;
}

Result<> Bench::drive(double seconds, bool counting) {
  recorder_.tick();
  drive_start_ns_ = recorder_.now_ns;
  const std::uint64_t end_ns = drive_start_ns_ + nanoseconds(seconds);
  started_ = 0;
  recorder_.counting = counting;
  live_.begin(recorder_, reading_back_ ? "reading back" : counting ? "measuring" : "warming up");
  issuing_ = true;
  unsigned idle_loops = 0;
  while (recorder_.now_ns < end_ns) {
    LUNAR_TRY_ASSIGN(const bool some, step());
    live_.tick(recorder_);
    if (has_started_all()) break;
    if (some) {
      idle_loops = 0;
    } else if (options_.sleep) {
      wait_ready(end_ns - std::min(end_ns, recorder_.now_ns));
      recorder_.tick();
    } else if (++idle_loops % kIdleLoopsPerTick == 0) {
      recorder_.tick();
    }
  }
  const bool complete = has_started_all();
  const auto stop_counting = [this] {
    measured_s_ = static_cast<double>(recorder_.now_ns - drive_start_ns_) / 1e9;
    recorder_.counting = false;
  };
  if (!complete) stop_counting();
  issuing_ = false;
  LUNAR_TRY(drain());
  if (complete) stop_counting();
  live_.clear();
  return {};
}

Result<> Bench::drain() {
  recorder_.tick();
  const std::uint64_t deadline_ns = recorder_.now_ns + kDrainTimeoutS * engine::kSecond;
  const auto busy = [](const auto& session) { return session->in_flight() != 0; };
  while (std::ranges::any_of(sessions_, busy)) {
    LUNAR_TRY_ASSIGN(const bool some, step());
    if (some) continue;
    if (options_.sleep) wait_ready(kMaxSleepNs);
    recorder_.tick();
    if (recorder_.now_ns > deadline_ns) {
      return fail(ErrorCode::io, fmt::format("I/Os without an answer for {} s", kDrainTimeoutS));
    }
  }
  return {};
}

void Bench::wait_ready(std::uint64_t limit_ns) const {
  std::vector<pollfd> all;
  all.reserve(sessions_.size());
  for (const auto& session : sessions_) {
    const auto events = static_cast<short>(POLLIN | (session->is_blocked() ? POLLOUT : 0));
    all.push_back({.fd = session->fd(), .events = events, .revents = 0});
  }
  limit_ns = std::min(limit_ns, kMaxSleepNs);
  if (options_.rate != 0 && issuing_ && !reading_back_) {
    const std::uint64_t due = due_ns(started_);
    // An overdue I/O waits for an answer, not for its time.
    if (due > recorder_.now_ns) limit_ns = std::min(limit_ns, due - recorder_.now_ns);
  }
  const timespec limit{.tv_sec = 0, .tv_nsec = static_cast<long>(limit_ns)};
  ppoll(all.data(), all.size(), &limit, nullptr);
}

Report Bench::report(double seconds, double cpu) const {
  return {.seconds = seconds,
          .reads = recorder_.reads,
          .writes = recorder_.writes,
          .block_bytes = options_.block_bytes,
          .range_bytes = range_bytes_,
          .began_ms = began_ms_,
          .digests = sessions_.front()->digests(),
          .in_flight = recorder_.in_flight,
          .floor = options_.floor,
          .idle_seconds = static_cast<double>(recorder_.idle_ns) / 1e9,
          .cpu_seconds = cpu,
          .latency = recorder_.latency,
          .verified = recorder_.verified,
          .mismatches = recorder_.mismatches,
          .first_mismatch_bytes = recorder_.first_mismatch_bytes};
}

Result<Report> Bench::measure(double seconds) {
  recorder_.clear_counts();
  idle_since_ns_ = 0;
  began_ms_ = recorder_.clock.wall_clock_ms();
  const double cpu_before = cpu_seconds();
  LUNAR_TRY(drive(seconds, true));
  return report(measured_s_, cpu_seconds() - cpu_before);
}

// Reads every written chunk once, in order, and compares it with the pattern.
Result<> Bench::read_back() {
  reading_back_ = context_->compare = true;
  next_read_back_ =
      static_cast<std::uint64_t>(std::ranges::find(written_, true) - written_.begin());
  return drive(kMaxSeconds, true);
}

Result<Report> Bench::run() {
  if (options_.warmup_s > 0) LUNAR_TRY(drive(options_.warmup_s, false));
  LUNAR_TRY_ASSIGN(Report measured, measure(options_.time_s));
  if (!options_.verify) return measured;
  LUNAR_TRY(read_back());
  measured.verified = recorder_.verified;
  measured.mismatches = recorder_.mismatches;
  measured.first_mismatch_bytes = recorder_.first_mismatch_bytes;
  return measured;
}

void Bench::pause_floor() const {
  if (floor_) floor_->pause();
}

void Bench::resume_floor() const {
  if (floor_) floor_->resume();
}

}  // namespace lunar::bench
