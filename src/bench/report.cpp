#include "bench/report.h"

#include <fmt/format.h>

#include "base/size.h"

namespace lunar::bench {
namespace {

double microseconds(std::uint64_t ns) { return static_cast<double>(ns) / 1e3; }

double cpu_us_per_io(const Report& report) {
  const auto ios = static_cast<double>(report.reads + report.writes);
  return ios == 0 ? 0 : report.cpu_seconds * 1e6 / ios;
}

}  // namespace

std::string to_text(const Report& report, const Options& options) {
  const Histogram& latency = report.latency;
  std::string text = fmt::format(
      "{}{} {}{}, queue depth {}, {} session{}: {:.0f} IOPS, {:.1f} MB/s over {:.2f} s\n"
      "latency us: mean {:.1f}, p50 {:.1f}, p99 {:.1f}, p99.9 {:.1f}, max {:.1f}\n"
      "initiator: {:.2f} s of CPU, {:.2f} us an I/O\n",
      report.floor == FloorForm::none ? "" : fmt::format("floor ({}): ", to_text(report.floor)),
      options.sequential ? "sequential" : "random", format_size(report.block_bytes),
      options.work == Work::mix ? " mixed I/Os" : fmt::format(" {}s", to_text(options.work)),
      options.queue_depth, options.connections, options.connections == 1 ? "" : "s", report.iops(),
      report.megabytes_per_second(), report.seconds, latency.mean_ns() / 1e3,
      microseconds(latency.percentile_ns(50)), microseconds(latency.percentile_ns(99)),
      microseconds(latency.percentile_ns(99.9)), microseconds(latency.max_ns()), report.cpu_seconds,
      cpu_us_per_io(report));
  if (options.verify) {
    text +=
        fmt::format("verify: {} I/Os read back, {} wrong\n", report.verified, report.mismatches);
  }
  return text;
}

std::string to_json(const Report& report, const Options& options) {
  const Histogram& latency = report.latency;
  std::string text = fmt::format(
      R"({{"rw":"{}","bs":{},"qd":{},"connections":{},"seconds":{:.6f},"reads":{},"writes":{},)"
      R"("iops":{:.1f},"mb_per_s":{:.2f},"mean_us":{:.3f},"p50_us":{:.3f},"p99_us":{:.3f},)"
      R"("p999_us":{:.3f},"max_us":{:.3f},"cpu_s":{:.6f},"cpu_us_per_io":{:.4f})",
      to_text(options.work), report.block_bytes, options.queue_depth, options.connections,
      report.seconds, report.reads, report.writes, report.iops(), report.megabytes_per_second(),
      latency.mean_ns() / 1e3, microseconds(latency.percentile_ns(50)),
      microseconds(latency.percentile_ns(99)), microseconds(latency.percentile_ns(99.9)),
      microseconds(latency.max_ns()), report.cpu_seconds, cpu_us_per_io(report));
  text += fmt::format(
      R"(,"sequential":{},"rate":{},"floor":{})", options.sequential,
      options.rate == 0 ? "null" : std::to_string(options.rate),
      report.floor == FloorForm::none ? "null" : fmt::format("\"{}\"", to_text(report.floor)));
  if (options.verify) {
    text += fmt::format(R"(,"verified":{},"mismatches":{},"first_mismatch_byte":{})",
                        report.verified, report.mismatches,
                        report.first_mismatch_bytes ? std::to_string(*report.first_mismatch_bytes)
                                                    : std::string("null"));
  }
  return text + "}\n";
}

}  // namespace lunar::bench
