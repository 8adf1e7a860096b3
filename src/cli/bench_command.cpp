#include "cli/bench_command.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <optional>
#include <string>
#include <thread>

#include "base/size.h"
#include "bench/bench.h"

namespace lunar::cli {
namespace {

using bench::Bench;
using bench::FloorForm;
using bench::Options;
using bench::Report;

constexpr int kExitFailed = 1;
constexpr int kExitUsage = 2;

int complain(int code, std::string_view message) {
  fmt::print(stderr, "lunar bench: {}\n", message);
  return code;
}

Result<Report> run_one(Options options, FloorForm form) {
  options.floor = form;
  LUNAR_TRY_ASSIGN(const auto bench, Bench::open(options));
  return bench->run();
}

Result<Report> run_whole(const Options& options) {
  if (options.floor != FloorForm::best) return run_one(options, options.floor);
  LUNAR_TRY_ASSIGN(const Report readiness, run_one(options, FloorForm::readiness));
  LUNAR_TRY_ASSIGN(const Report uring, run_one(options, FloorForm::uring));
  return readiness.iops() >= uring.iops() ? readiness : uring;
}

// Some invalid options are found only when the disk or the machine is asked.
int complain_of(const Error& error) {
  return complain(error.code == ErrorCode::invalid_argument ? kExitUsage : kExitFailed,
                  error.message);
}

int measure_slices(const Options& options) {
  const auto bench = Bench::open(options);
  if (!bench) return complain_of(bench.error());
  if (const auto done = bench::run_slices(**bench, options); !done) {
    return complain(kExitFailed, done.error().message);
  }
  return 0;
}

int measure(const Options& options) {
  const auto report = run_whole(options);
  if (!report) return complain_of(report.error());
  fmt::print("{}", options.json ? to_json(*report, options) : to_text(*report, options));
  if (report->mismatches == 0) return 0;
  return complain(kExitFailed, fmt::format("wrong data: the first wrong bytes are at byte {}",
                                           report->first_mismatch_bytes.value_or(0)));
}

Result<std::uint64_t> not_negative(const char* option, std::int64_t value) {
  if (value >= 0) return static_cast<std::uint64_t>(value);
  return fail(ErrorCode::invalid_argument, fmt::format("{} {}: it is not below 0", option, value));
}

Result<double> seconds(const char* option, const std::string& text) {
  auto parsed = bench::parse_seconds(text);
  return parsed ? parsed : wrap(parsed.error(), option);
}

Result<unsigned> core(const char* option, int number) {
  if (number >= 0) return static_cast<unsigned>(number);
  return fail(ErrorCode::invalid_argument, fmt::format("{} {}: no core", option, number));
}

Result<std::uint64_t> size(const char* option, const std::string& text) {
  auto bytes = parse_size(text);
  return bytes ? bytes : wrap(bytes.error(), option);
}

}  // namespace

struct BenchCommand::Arguments {
  Options options;
  std::string url;
  std::string work = "read";
  std::string block = "4k";
  std::string range;
  std::string digest = "none";
  std::string floor;
  std::string time = "5";
  std::string warmup = "0";
  std::string slice;
  std::optional<int> cpu;
  std::optional<int> floor_cpu;
  std::optional<unsigned> read_percent;
  // Signed, so that the parser does not turn -1 into a very large number.
  std::int64_t rate = 0;
  std::int64_t count = 0;

  Result<Options> parse() const {
    Options parsed = options;
    parsed.version = LUNAR_VERSION;
    LUNAR_TRY_ASSIGN(parsed.work, bench::parse_work(work));
    LUNAR_TRY_ASSIGN(parsed.digests, bench::parse_digests(digest));
    LUNAR_TRY_ASSIGN(parsed.rate, not_negative("--rate", rate));
    LUNAR_TRY_ASSIGN(parsed.count, not_negative("--count", count));
    LUNAR_TRY_ASSIGN(parsed.block_bytes, size("--bs", block));
    if (!range.empty()) {
      LUNAR_TRY_ASSIGN(parsed.range_bytes, size("--range", range));
    }
    LUNAR_TRY_ASSIGN(parsed.time_s, seconds("--time", time));
    LUNAR_TRY_ASSIGN(parsed.warmup_s, seconds("--warmup", warmup));
    if (!slice.empty()) {
      LUNAR_TRY_ASSIGN(parsed.slice_s, seconds("--slice", slice));
    }
    if (read_percent) {
      if (parsed.work != bench::Work::mix) {
        return fail(ErrorCode::invalid_argument, "--read-percent goes with --rw mix");
      }
      parsed.read_percent = *read_percent;
    }
    LUNAR_TRY(parse_target(parsed));
    LUNAR_TRY(check(parsed));
    return parsed;
  }

  // What to measure, and from where.
  Result<> parse_target(Options& parsed) const {
    if (cpu) {
      LUNAR_TRY_ASSIGN(parsed.cpu, core("--cpu", *cpu));
    }
    if (floor.empty() == url.empty()) {
      return fail(ErrorCode::invalid_argument, "give either a URL or --floor");
    }
    if (!url.empty()) {
      if (floor_cpu) return fail(ErrorCode::invalid_argument, "--floor-cpu goes with --floor");
      parsed.url_text = url;
      LUNAR_TRY_ASSIGN(parsed.url, bench::parse_url(url));
      return {};
    }
    LUNAR_TRY_ASSIGN(parsed.floor, bench::parse_floor_form(floor));
    if (floor_cpu) {
      LUNAR_TRY_ASSIGN(parsed.floor_cpu, core("--floor-cpu", *floor_cpu));
    }
    // Not on the floor's core.
    if (!parsed.cpu && std::thread::hardware_concurrency() > 1) {
      parsed.cpu = parsed.floor_cpu == 1 ? 0 : 1;
    }
    return {};
  }
};

BenchCommand::BenchCommand(CLI::App& app)
    : arguments_(std::make_unique<Arguments>()),
      command_(app.add_subcommand("bench", "Measure an iSCSI target, this one or any other")) {
  Arguments& a = *arguments_;
  CLI::App& c = *command_;
  c.add_option("URL", a.url, "iscsi://HOST[:PORT]/TARGET/LUN");
  c.add_option("--rw", a.work, "read (default), write or mix. WRITES OVERWRITE THE DISK")
      ->type_name("WORK");
  c.add_option("--read-percent", a.read_percent, "Percentage of reads in a mix (70)")
      ->type_name("N");
  c.add_option("--bs", a.block, "Size of an I/O (4k)")->type_name("SIZE");
  c.add_option("--qd", a.options.queue_depth, "I/Os in flight in each session (32)")
      ->type_name("N");
  c.add_flag("--burst", a.options.burst,
             "Send a session's whole queue at once, and the next one when all of it is answered");
  c.add_option("--connections", a.options.connections,
               "Number of sessions, one connection each (1)")
      ->type_name("N");
  c.add_option("--time", a.time, "How long to measure: 5, 5s, 500ms, 2m (5)")->type_name("TIME");
  c.add_option("--count", a.count, "End after N I/Os, if that is before --time")->type_name("N");
  c.add_option("--warmup", a.warmup, "Time before the measurement that is not counted (0)")
      ->type_name("TIME");
  c.add_option("--range", a.range, "Use only the first SIZE bytes of the disk")->type_name("SIZE");
  c.add_flag("--seq", a.options.sequential, "In order instead of at random");
  c.add_flag("--verify", a.options.verify,
             "Write a pattern that depends on the block, then read back and compare all written\n"
             "blocks; only with --rw write or mix. OVERWRITES THE DISK");
  c.add_option("--rate", a.rate, "I/Os per second; a latency starts when its I/O is due")
      ->type_name("N");
  c.add_option("--digest", a.digest,
               "Require header, data or header,data digests. Data digests of reads are\n"
               "checked only with --verify")
      ->type_name("LIST");
  c.add_flag("--sleep", a.options.sleep, "Wait for answers in poll() instead of spinning");
  c.add_option("--cpu", a.cpu, "The core to run on")->type_name("N");
  c.add_option("--floor", a.floor,
               "Measure a minimal target in this process instead of a URL: recv, uring,\n"
               "best (both, the better counts), or sleep (does not spin)")
      ->type_name("FORM")
      ->expected(0, 1)
      ->default_str("best");
  c.add_option("--floor-cpu", a.floor_cpu, "The core of the floor (0)")->type_name("N");
  c.add_option("--initiator-name", a.options.initiator_name,
               "Log in with this iSCSI name (iqn.2026-11.io.lunar:bench)")
      ->type_name("IQN");
  c.add_option("--slice", a.slice,
               "For scripts: for each line on standard input, measure for TIME and print one\n"
               "line of JSON")
      ->type_name("TIME");
  c.add_flag("--json", a.options.json, "Print one line of JSON");
}

BenchCommand::~BenchCommand() = default;

int BenchCommand::run() const {
  const auto options = arguments_->parse();
  if (!options) return complain(kExitUsage, options.error().message);
  return options->slice_s > 0 ? measure_slices(*options) : measure(*options);
}

}  // namespace lunar::cli
