#include "app/serve.h"

#include <fmt/format.h>
#include <pthread.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <iterator>

#include "app/announce.h"
#include "app/build.h"
#include "app/check_machine.h"
#include "app/stop_deadline.h"
#include "base/memory_reserve.h"
#include "lunar/server.h"

namespace lunar::app {
namespace {

// A stop takes 5 s at most: some for commands to end by themselves, some for media to hear that
// they are aborted.
constexpr std::chrono::milliseconds kDrain{2500};
constexpr std::chrono::milliseconds kStop{4500};

// Other daemons read their configuration or tell statistics on these, and by default they kill.
struct NotedSignal {
  int number;
  const char* name;
};
constexpr NotedSignal kNotedSignals[] = {
    {SIGHUP, "SIGHUP"}, {SIGUSR1, "SIGUSR1"}, {SIGUSR2, "SIGUSR2"}};

// Blocks the signals that are for us, for every thread that will be started, so that sigwait() gets
// them. A peer that went away is an error of one send, not a SIGPIPE; a file that must not become
// larger (ulimit -f) one of a write, not a SIGXFSZ.
sigset_t block_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  for (const NotedSignal& noted : kNotedSignals) sigaddset(&set, noted.number);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  struct sigaction ignore = {};
  ignore.sa_handler = SIG_IGN;
  for (const int signal : {SIGPIPE, SIGXFSZ}) sigaction(signal, &ignore, nullptr);
  return set;
}

// A session costs a descriptor, and the usual soft limit of 1024 is for programs that use select().
void raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

// The signal that ends us.
int wait_for_the_end(const sigset_t& signals) {
  for (;;) {
    int signal = 0;
    sigwait(&signals, &signal);
    const auto* const noted = std::ranges::find(kNotedSignals, signal, &NotedSignal::number);
    if (noted == std::end(kNotedSignals)) return signal;
    log::info("{} changes nothing; restart lunar to read the configuration again", noted->name);
  }
}

// Whoever presses Ctrl-C twice has waited long enough.
void let_sigint_end_us() {
  struct sigaction usual = {};
  usual.sa_handler = SIG_DFL;
  sigaction(SIGINT, &usual, nullptr);
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

}  // namespace

int exit_status(ErrorCode code) {
  constexpr int kUser = 2;
  constexpr int kMachine = 1;
  switch (code) {
    case ErrorCode::invalid_argument:
    case ErrorCode::malformed:
    case ErrorCode::not_found:
    case ErrorCode::already_exists:
    case ErrorCode::out_of_range:
    case ErrorCode::permission:
    case ErrorCode::unsupported: return kUser;
    case ErrorCode::busy:
    case ErrorCode::no_resource:
    case ErrorCode::io:
    case ErrorCode::cancelled: return kMachine;
  }
  return kMachine;
}

int complain(const Error& error) {
  std::string line = error.message;
  for (char& c : line) {
    if (static_cast<unsigned char>(c) < ' ' || c == '\x7f') c = '?';
  }
  // Not fmt::print(), which throws where standard error is closed.
  std::fprintf(stderr, "lunar: %s\n", line.c_str());
  return exit_status(error.code);
}

int serve(const ServeOptions& options) {
  const sigset_t signals = block_signals();
  auto config = merge(options);
  if (!config) return complain(config.error());
  if (config->log_level) log::set_level(*config->log_level);
  raise_descriptor_limit();
  auto odd = check_machine(*config);
  if (!odd) return complain(odd.error());
  std::ranges::move(*odd, std::back_inserter(config->remarks));
  for (const std::string& remark : config->remarks) log::warning("{}", remark);
  memory_reserve::install();
  auto server = Server::create({.shards = config->shards, .state = config->state});
  if (!server) return complain(server.error());
  if (auto built = build(**server, *config); !built) return complain(built.error());
  if (auto started = (*server)->start(); !started) return complain(started.error());
  std::fputs(announcement(**server, *config).c_str(), stdout);
  std::fflush(stdout);

  const int signal = wait_for_the_end(signals);
  log::info("stopping on {}", signal == SIGINT ? "SIGINT" : "SIGTERM");
  let_sigint_end_us();
  const StopDeadline deadline(kStop);
  (*server)->stop(kDrain);
  server->reset();  // closing its files, too, may wait for a medium
  return 0;
}

}  // namespace lunar::app
