#include "bench/options.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <iterator>

namespace lunar::bench {
namespace {

std::unexpected<Error> wrong(std::string message) {
  return fail(ErrorCode::invalid_argument, std::move(message));
}

// RFC 7143 §4.2.7: one of three kinds of name, without bytes that stringprep forbids.
Result<> check_name(std::string_view name) {
  const bool kind =
      name.starts_with("iqn.") || name.starts_with("eui.") || name.starts_with("naa.");
  const auto odd = [](char c) { return static_cast<unsigned char>(c) <= ' ' || c == 0x7f; };
  if (kind && name.size() <= kMaxNameBytes && std::ranges::none_of(name, odd)) return {};
  return wrong(
      fmt::format("--initiator-name '{}': an iSCSI name begins with iqn., eui. or naa., and "
                  "has at most {} bytes and no blanks",
                  name, kMaxNameBytes));
}

// Overwriting a disk must be requested explicitly.
Result<> check_verify(const Options& options) {
  if (!options.verify) return {};
  if (options.work == Work::read) {
    return wrong("--verify writes before it reads back: give --rw write or --rw mix with it");
  }
  if (options.slice_s > 0) return wrong("--verify does not go with --slice");
  return {};
}

}  // namespace

Result<Url> parse_url(std::string_view text) {
  const auto malformed = [text](std::string_view why) {
    return wrong(fmt::format("{}: {}: it is iscsi://HOST[:PORT]/TARGET/LUN", text, why));
  };
  constexpr std::string_view kScheme = "iscsi://";
  if (!text.starts_with(kScheme)) return malformed("not an iSCSI URL");
  std::string_view rest = text.substr(kScheme.size());
  const std::size_t slash = rest.find('/');
  if (slash == std::string_view::npos) return malformed("no target");
  std::string_view portal = rest.substr(0, slash);
  rest.remove_prefix(slash + 1);
  const std::size_t last = rest.rfind('/');
  if (last == std::string_view::npos || last == 0) return malformed("no LUN");

  Url url;
  url.target = rest.substr(0, last);
  const std::string_view lun = rest.substr(last + 1);
  const auto [end, error] = std::from_chars(lun.data(), lun.data() + lun.size(), url.lun.value);
  if (error != std::errc() || end != lun.data() + lun.size() || url.lun.value > 0x3fff) {
    return malformed("no LUN");
  }
  const std::size_t bracket = portal.starts_with('[') ? portal.find(']') : 0;
  if (bracket == std::string_view::npos) return malformed("no ']'");
  const std::size_t colon = portal.find(':', bracket);
  url.host = portal.substr(0, colon);
  url.port = colon == std::string_view::npos ? "3260" : portal.substr(colon + 1);
  if (url.host.starts_with('[')) url.host = url.host.substr(1, url.host.size() - 2);
  if (url.host.empty() || url.port.empty()) return malformed("no host or port");
  std::uint16_t port = 0;
  const char* const port_end = url.port.data() + url.port.size();
  const auto number = std::from_chars(url.port.data(), port_end, port);
  if (number.ec != std::errc() || number.ptr != port_end || port == 0)
    return malformed("its port is not 1 to 65535");
  return url;
}

Result<Work> parse_work(std::string_view text) {
  for (const Work work : {Work::read, Work::write, Work::mix}) {
    if (text == to_text(work)) return work;
  }
  return wrong(fmt::format("--rw {}: it is read, write or mix", text));
}

std::string_view to_text(Work work) {
  switch (work) {
    case Work::read: return "read";
    case Work::write: return "write";
    case Work::mix: return "mix";
  }
  return "";
}

Result<Digests> parse_digests(std::string_view text) {
  if (text == "none") return Digests{};
  if (text == "header") return Digests{.header = true};
  if (text == "data") return Digests{.data = true};
  if (text == "header,data" || text == "data,header") return Digests{.header = true, .data = true};
  return wrong(fmt::format("--digest {}: it is none, header, data or header,data", text));
}

std::string_view to_text(Digests digests) {
  if (digests.header) return digests.data ? "header,data" : "header";
  return digests.data ? "data" : "none";
}

Result<double> parse_seconds(std::string_view text) {
  struct Unit {
    std::string_view name;
    double seconds;
  };
  constexpr Unit kUnits[] = {{"", 1}, {"s", 1}, {"ms", 1e-3}, {"us", 1e-6}, {"m", 60}, {"h", 3600}};
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const std::string_view suffix(end, text.data() + text.size());
  const auto* const unit = std::ranges::find(kUnits, suffix, &Unit::name);
  const double seconds = unit == std::end(kUnits) ? -1 : number * unit->seconds;
  // This is false for NaN, too.
  const bool fits = seconds >= 0 && seconds <= kMaxSeconds;
  if (error == std::errc() && fits) return seconds;
  return wrong(fmt::format("'{}' is no time (for example 5, 5s, 500ms or 2m)", text));
}

std::string_view to_text(FloorForm form) {
  switch (form) {
    case FloorForm::none: return "none";
    case FloorForm::readiness: return "recv";
    case FloorForm::uring: return "uring";
    case FloorForm::best: return "best";
    case FloorForm::sleeping: return "sleep";
  }
  return "";
}

Result<FloorForm> parse_floor_form(std::string_view text) {
  for (const FloorForm form :
       {FloorForm::readiness, FloorForm::uring, FloorForm::best, FloorForm::sleeping}) {
    if (text == to_text(form)) return form;
  }
  return wrong(fmt::format("--floor {}: it is recv, uring, best or sleep", text));
}

Result<> check(const Options& options) {
  if (options.block_bytes == 0 || options.block_bytes % 512 != 0 ||
      options.block_bytes > kMaxBlockBytes) {
    return wrong(fmt::format("--bs {}: a multiple of 512 up to 8 MiB", options.block_bytes));
  }
  if (options.queue_depth == 0 || options.queue_depth > kMaxQueueDepth) {
    return wrong(fmt::format("--qd {}: 1 to {}", options.queue_depth, kMaxQueueDepth));
  }
  if (options.connections == 0 || options.connections > kMaxConnections) {
    return wrong(fmt::format("--connections {}: 1 to {}", options.connections, kMaxConnections));
  }
  const auto seconds = [](double value) { return value >= 0 && value <= kMaxSeconds; };
  if (!seconds(options.time_s) || options.time_s == 0 || !seconds(options.warmup_s) ||
      !seconds(options.slice_s)) {
    return wrong("--time, --warmup and --slice are not below 0, --time is above");
  }
  if (options.range_bytes != 0 && options.range_bytes < options.block_bytes) {
    return wrong(fmt::format("--range {}: it is smaller than one I/O of {} bytes",
                             options.range_bytes, options.block_bytes));
  }
  if (options.read_percent > 100) {
    return wrong(fmt::format("--read-percent {}: 0 to 100", options.read_percent));
  }
  LUNAR_TRY(check_name(options.initiator_name));
  if (options.burst && options.rate != 0) {
    return wrong("--burst does not go with --rate: it says when an I/O starts");
  }
  LUNAR_TRY(check_verify(options));
  if (options.floor != FloorForm::none && (options.digests.header || options.digests.data)) {
    return wrong("--digest: the floor has none");
  }
  if (options.floor == FloorForm::best && options.slice_s > 0) {
    return wrong("--slice goes with --floor recv or uring");
  }
  if ((options.count != 0 || options.warmup_s > 0) && options.slice_s > 0) {
    return wrong("--count and --warmup do not go with --slice");
  }
  return {};
}

}  // namespace lunar::bench
