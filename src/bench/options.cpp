#include "bench/options.h"

#include <fmt/format.h>

#include <charconv>

namespace lunar::bench {
namespace {

std::unexpected<Error> wrong(std::string message) {
  return fail(ErrorCode::invalid_argument, std::move(message));
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
    return wrong("--time, --warmup and --slice are seconds, not below 0; --time is above");
  }
  if (options.verify && options.work == Work::mix) {
    return wrong("--verify goes with --rw read or write, not with mix");
  }
  if (options.floor == FloorForm::best && options.slice_s > 0) {
    return wrong("--slice goes with --floor recv or uring");
  }
  if ((options.verify || options.count != 0) && options.slice_s > 0) {
    return wrong("--verify and --count do not go with --slice");
  }
  return {};
}

}  // namespace lunar::bench
