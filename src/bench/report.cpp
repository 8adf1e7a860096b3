#include "bench/report.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <ctime>

#include "base/size.h"

namespace lunar::bench {
namespace {

double microseconds(std::uint64_t ns) { return static_cast<double>(ns) / 1e3; }

double cpu_us_per_io(const Report& report) {
  const auto ios = static_cast<double>(report.reads + report.writes);
  return ios == 0 ? 0 : report.cpu_seconds * 1e6 / ios;
}

double idle_percent(const Report& report) {
  return report.seconds > 0 ? 100 * report.idle_seconds / report.seconds : 0;
}

std::string json_string(std::string_view text) {
  std::string json = "\"";
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20) {
      json += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
      continue;
    }
    if (c == '"' || c == '\\') json += '\\';
    json += c;
  }
  return json + '"';
}

// RFC 3339, UTC.
std::string time_text(std::uint64_t ms) {
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z",
                     fmt::gmtime(static_cast<std::time_t>(ms / 1000)), ms % 1000);
}

std::string work_text(const Report& report, const Options& options) {
  const std::string size = format_size(report.block_bytes);
  if (options.work != Work::mix) return fmt::format("{} {}s", size, to_text(options.work));
  return fmt::format("{} mixed I/Os ({} % reads)", size, options.read_percent);
}

// What was requested and what was reached, except the figures.
std::string circumstances(const Report& report, const Options& options) {
  return fmt::format(
      R"("schema":{},"version":{},"time":"{}","url":{},"initiator_name":{},"rw":"{}",)"
      R"("read_percent":{},"bs":{},"range":{},"qd":{},"connections":{},"sequential":{},"burst":{},)"
      R"("sleep":{},"rate":{},"floor":{},"digests":"{}")",
      kSchema, json_string(options.version), time_text(report.began_ms),
      report.floor == FloorForm::none ? json_string(options.url_text) : "null",
      json_string(options.initiator_name), to_text(options.work),
      options.work == Work::mix ? std::to_string(options.read_percent) : "null", report.block_bytes,
      report.range_bytes, options.queue_depth, options.connections, options.sequential,
      options.burst, options.sleep, options.rate == 0 ? "null" : std::to_string(options.rate),
      report.floor == FloorForm::none ? "null" : json_string(to_text(report.floor)),
      to_text(report.digests));
}

std::string figures(const Report& report) {
  const Histogram& latency = report.latency;
  const auto us = [&latency](double percent) {
    return microseconds(latency.percentile_ns(percent));
  };
  return fmt::format(
      R"("seconds":{:.6f},"reads":{},"writes":{},"iops":{:.1f},"mb_per_s":{:.2f},"mean_us":{:.3f},)"
      R"("p50_us":{:.3f},"p95_us":{:.3f},"p99_us":{:.3f},"p999_us":{:.3f},"p9999_us":{:.3f},)"
      R"("max_us":{:.3f},"in_flight_max":{},"idle_percent":{:.1f},"cpu_s":{:.6f},)"
      R"("cpu_us_per_io":{:.4f})",
      report.seconds, report.reads, report.writes, report.iops(), report.megabytes_per_second(),
      latency.mean_ns() / 1e3, us(50), us(95), us(99), us(99.9), us(99.99),
      microseconds(latency.max_ns()), report.in_flight, idle_percent(report), report.cpu_seconds,
      cpu_us_per_io(report));
}

}  // namespace

std::string to_text(const Report& report, const Options& options) {
  const Histogram& latency = report.latency;
  const auto us = [&latency](double percent) {
    return microseconds(latency.percentile_ns(percent));
  };
  std::string text = fmt::format(
      "{}{} {}, queue depth {}{}, {} session{}: {:.0f} IOPS, {:.1f} MB/s over {:.2f} s\n"
      "latency us: mean {:.1f}, p50 {:.1f}, p95 {:.1f}, p99 {:.1f}, p99.9 {:.1f}, p99.99 {:.1f}, "
      "max {:.1f}\n"
      "initiator: idle {:.0f} % of the time; {:.2f} s of CPU, {:.2f} us an I/O\n",
      report.floor == FloorForm::none ? "" : fmt::format("floor ({}): ", to_text(report.floor)),
      options.sequential ? "sequential" : "random", work_text(report, options), options.queue_depth,
      options.burst ? " in bursts" : "", options.connections, options.connections == 1 ? "" : "s",
      report.iops(), report.megabytes_per_second(), report.seconds, latency.mean_ns() / 1e3, us(50),
      us(95), us(99), us(99.9), us(99.99), microseconds(latency.max_ns()), idle_percent(report),
      report.cpu_seconds, cpu_us_per_io(report));
  // With a rate or a count, the queue may never fill.
  const bool limited = report.in_flight < options.queue_depth && options.rate == 0 &&
                       report.in_flight < report.reads + report.writes;
  if (limited) {
    text += fmt::format("the target's command window let {} I/Os of a session be in flight\n",
                        report.in_flight);
  }
  if (options.verify) {
    text +=
        fmt::format("verify: {} I/Os read back, {} wrong\n", report.verified, report.mismatches);
  }
  return text;
}

std::string to_json(const Report& report, const Options& options) {
  std::string text = fmt::format("{{{},{}", circumstances(report, options), figures(report));
  if (options.verify) {
    text += fmt::format(R"(,"verified":{},"mismatches":{},"first_mismatch_byte":{})",
                        report.verified, report.mismatches,
                        report.first_mismatch_bytes ? std::to_string(*report.first_mismatch_bytes)
                                                    : std::string("null"));
  }
  return text + "}\n";
}

}  // namespace lunar::bench
