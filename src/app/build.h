// From a configuration to a Server: the only place that names concrete backends and layers.
#pragma once

#include "control/config.h"
#include "lunar/server.h"

namespace lunar::app {

// Adds the devices, targets and portals. Errors name the device or target.
Result<void> build(Server& server, const control::Config& config);

}  // namespace lunar::app
