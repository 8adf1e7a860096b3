// The kinds of device that the program knows, and the way from a configured one to a device.
#pragma once

#include "control/config.h"
#include "kinds/device_kind.h"
#include "lunar/result.h"
#include "lunar/server.h"

namespace lunar::app {

[[nodiscard]] const kinds::DeviceKinds& device_kinds();
[[nodiscard]] const kinds::Looking& what_kinds_may_ask();

// Makes it, and gives it to the server's registry. The caller holds a Server::Internals::Call.
Result<void> make_and_add(Server::Internals& self, const control::DeviceConfig& device);

}  // namespace lunar::app
