// `lunar serve`: from options to a running daemon and its end.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "control/config.h"

namespace lunar::app {

struct ServeOptions {
  std::vector<std::string> disks;
  std::vector<std::string> listen;
  std::string target;
  std::string shards;
  std::string config_path;
  std::optional<log::Level> log_level;
};

// The options on top of the file that they name.
Result<control::Config> merge(const ServeOptions& options);

// Serves until SIGTERM or SIGINT. Returns the exit status: 0 after an orderly stop, 1 when the
// machine refuses (an address in use), 2 for what the user has to correct.
int serve(const ServeOptions& options);

}  // namespace lunar::app
