// A fixed script of 4 KiB I/Os against a target in the same thread, for callgrind:
//
//   count_instructions read|write IOS SESSIONS LUNS DEPTH
//
// The initiator sends DEPTH commands to the last LUN in the last of SESSIONS sessions. Then the
// target's loop runs until all are answered, and so on. counted_turn() contains all of the target's
// work for them and nothing else: `valgrind --tool=callgrind --toggle-collect=counted_turn`.
#include <fmt/format.h>

#include <atomic>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <span>
#include <string_view>
#include <thread>
#include <vector>

#include "base/log.h"
#include "bench/session.h"
#include "loop_target.h"

// callgrind finds it by its name.
extern "C" __attribute__((noinline, used)) void counted_turn(
    lunar::instructions::LoopTarget* target) {
  target->turn();
}

namespace lunar::instructions {
namespace {

constexpr std::uint32_t kIoBytes = 4096;
constexpr std::uint32_t kBlockBytes = 512;
// Before counting: lets pools and the buffers of connection and socket reach their size.
constexpr std::uint64_t kWarmUp = 512;
constexpr unsigned kMaxTries = 16;

struct Script {
  bool write = false;
  std::uint64_t ios = 0;
  std::uint32_t sessions = 1;
  std::uint16_t luns = 1;
  std::uint32_t depth = 1;
};

class Initiator {
 public:
  Initiator(const Script& script, const bench::Payload& payload)
      : scratch_(256 * kKiB),
        context_{.recorder = recorder_,
                 .scratch = scratch_,
                 .payload = payload,
                 .lun = Lun(static_cast<std::uint16_t>(script.luns - 1)),
                 .queue_depth = script.depth,
                 .io_bytes = kIoBytes} {}

  // Blocking: another thread runs the target's loop.
  Result<> open(const std::string& port, std::uint32_t count) {
    for (std::uint32_t i = 0; i < count; ++i) {
      LUNAR_TRY_ASSIGN(bench::Socket socket, bench::connect_to("127.0.0.1", port));
      iscsi::spec::Isid isid;
      isid.bytes = {0x80, 0, 0, 0, static_cast<std::uint8_t>(i >> 8), static_cast<std::uint8_t>(i)};
      LUNAR_TRY_ASSIGN(const bench::SessionParameters parameters,
                       bench::log_in(socket, {.initiator_name = "iqn.2026-11.io.lunar:count",
                                              .target = LoopTarget::kName,
                                              .digests = {},
                                              .isid = isid,
                                              .largest_write = kIoBytes}));
      sessions_.push_back(
          std::make_unique<bench::Session>(std::move(socket), parameters, context_));
      LUNAR_TRY(settle(*sessions_.back()));
    }
    return {};
  }

  Result<> run(const Script& script, std::uint64_t ios, void (*turn)(LoopTarget*),
               LoopTarget& target) {
    bench::Session& session = *sessions_.back();
    for (std::uint64_t started = 0; started < ios || session.in_flight() != 0;) {
      if (session.in_flight() == 0) {
        for (std::uint32_t i = 0; i < script.depth && started < ios && session.can_start(); ++i) {
          session.start(script.write, next_lba(), kBlockBytes, 0);
          ++started;
        }
      }
      if (session.flush() == bench::Session::Progress::failed) {
        return std::unexpected(session.error());
      }
      turn(&target);
      bench::Session::Progress received{};
      do {
        received = session.receive();
      } while (received == bench::Session::Progress::some);
      if (received == bench::Session::Progress::failed) return std::unexpected(session.error());
    }
    return {};
  }

 private:
  // Clears the unit attention of a new nexus.
  static Result<> settle(bench::Session& session) {
    const std::array<std::byte, 6> test_unit_ready{};
    std::string reason;
    for (unsigned i = 0; i < kMaxTries; ++i) {
      LUNAR_TRY_ASSIGN(const auto result, session.execute(test_unit_ready, 0));
      if (result.status == scsi::spec::Status::good) return {};
      reason = result.reason;
    }
    return fail(ErrorCode::io, "the logical unit is not ready: " + reason);
  }
  std::uint64_t next_lba() {
    constexpr std::uint64_t kPlaces = LoopTarget::kDiskBytes / kIoBytes;
    constexpr std::uint64_t kPrime = 7919;
    return place_++ * kPrime % kPlaces * (kIoBytes / kBlockBytes);
  }

  bench::Recorder recorder_;
  std::vector<std::byte> scratch_;
  bench::SessionContext context_;
  std::vector<std::unique_ptr<bench::Session>> sessions_;
  std::uint64_t place_ = 0;
};

Result<> run(const Script& script) {
  LUNAR_TRY_ASSIGN(const auto target, LoopTarget::start(script.luns));
  const bench::Payload payload(kIoBytes, 1);
  Initiator initiator(script, payload);
  Result<> opened;
  std::atomic<bool> done = false;
  std::thread logins([&] {
    opened = initiator.open(target->port(), script.sessions);
    done.store(true);
  });
  while (!done.load()) {
    target->turn();
    std::this_thread::yield();  // to the logins, even if only one thread runs at a time
  }
  logins.join();
  LUNAR_TRY(opened);
  const auto plain_turn = [](LoopTarget* loop) { loop->turn(); };
  LUNAR_TRY(initiator.run(script, kWarmUp, plain_turn, *target));
  return initiator.run(script, script.ios, counted_turn, *target);
}

template <class Number>
bool parse(const char* text, Number& number) {
  const auto [end, error] = std::from_chars(text, text + std::strlen(text), number);
  return error == std::errc() && *end == '\0' && number > 0;
}

int main_of(std::span<char*> words) {
  Script script;
  const bool ok = words.size() == 6 && parse(words[2], script.ios) &&
                  parse(words[3], script.sessions) && parse(words[4], script.luns) &&
                  parse(words[5], script.depth);
  if (!ok) {
    fmt::print(stderr, "usage: count_instructions read|write IOS SESSIONS LUNS DEPTH\n");
    return 2;
  }
  script.write = std::string_view(words[1]) == "write";
  log::set_level(log::Level::error);
  if (const auto done = run(script); !done) {
    fmt::print(stderr, "count_instructions: {}\n", done.error().message);
    return 1;
  }
  return 0;
}

}  // namespace
}  // namespace lunar::instructions

int main(int argc, char** argv) {
  return lunar::instructions::main_of(std::span(argv, static_cast<std::size_t>(argc)));
}
