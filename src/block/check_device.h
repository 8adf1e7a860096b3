// What the waist asks of a device, checked when the device is registered and again when it is
// opened: a device that breaks it is refused, in release builds too.
#pragma once

#include <memory>
#include <optional>

#include "lunar/block/device.h"
#include "lunar/result.h"

namespace lunar::block {

// invalid_argument, naming the device: its limits contradict each other or lie outside of what
// lunar/block/limits.h tells, or it stands on too many layers (kMaxDeviceLayers).
Result<void> check_device(const Device& device);

// device.open_channel(), with errors that name the device. What a device does wrong there is an
// error, too: invalid_argument for a null channel, no_resource and io for an exception.
Result<std::unique_ptr<Channel>> open_channel(Device& device, engine::Shard& shard);

// device.resize(). no_resource and io for an exception.
Result<BlockCount> resize(Device& device, std::optional<ByteCount> size);

}  // namespace lunar::block
