// From a configuration to a Server.
#pragma once

#include "control/config.h"
#include "lunar/server.h"

namespace lunar::app {

// Adds the devices, targets and portals. Errors begin with the origin of what failed. What was
// added before stays.
Result<void> build(Server& server, const control::Config& config);

}  // namespace lunar::app
