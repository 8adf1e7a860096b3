// What the program says when it serves: what, where, and which command tries it.
#pragma once

#include <string>
#include <string_view>

#include "control/config.h"
#include "lunar/server.h"

namespace lunar::app {

// "ram 1 GiB", "file /srv/d.img 10 GiB, direct". `device` was built from `config`.
std::string describe(const control::DeviceConfig& config, const block::Device& device);

// Where a program on this machine reaches a portal: the loopback address for a wildcard.
std::string reachable(std::string_view listening);

// Several lines. The server was built from `config` and is started.
std::string announcement(Server& server, const control::Config& config);

}  // namespace lunar::app
