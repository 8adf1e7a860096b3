// `lunar serve`: from options to a running daemon and its end.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "control/config.h"

namespace lunar::app {

// As given on the command line; empty text: not given.
struct ServeOptions {
  std::vector<std::string> disks{};
  std::vector<std::string> listen{};
  std::string target{};
  std::string shards{};
  std::string log_level{};
  std::string state{};
  std::string config_path{};
};

// The options on top of the file that they name:
// - each disk becomes the next LUN of the target that --target names, which the file may have,
// - each listener is one more portal; without any, the default one,
// - shards, log level and state folder take the place of the file's.
// Errors name the option, or the line of the file. What is given is checked before anything is
// opened; invalid_argument also when there is nothing to serve.
Result<control::Config> merge(const ServeOptions& options);

// The target of disks for which none was named: with something of the machine in its name, which
// stays the same. invalid_argument: this machine has nothing to tell it by, so it must be named.
Result<std::string> default_target(std::string_view machine_token);

// 2 for what the user has to correct, 1 for what another program or the machine has to.
int exit_status(ErrorCode code);

// "lunar: MESSAGE" in one line on standard error, whatever is in the message; gives the status.
int complain(const Error& error);

// Serves until SIGTERM or SIGINT, then drains, for less than 5 s; from then on a SIGINT ends the
// process at once. SIGHUP, SIGUSR1 and SIGUSR2 are noted and change nothing. Returns the exit
// status: 0 after an orderly stop, else that of the error. With 2 nothing has been opened or made,
// unless only opening it could tell (docs/configuration.md).
int serve(const ServeOptions& options);

}  // namespace lunar::app
