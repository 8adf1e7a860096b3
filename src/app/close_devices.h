// The end of a Server's devices.
#pragma once

#include "app/server_internals.h"
#include "engine/clock.h"
#include "engine/task.h"

namespace lunar::app {

// How long the end of a server waits for devices to close.
constexpr std::uint64_t kCloseDevicesNs = 1 * engine::kSecond;

// Tells all devices that they are about to be destroyed, layers before what they stand on. Nobody
// has them open. On the control shard.
engine::Task<void> close_devices(Server::Internals& self);

}  // namespace lunar::app
