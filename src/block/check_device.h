// What the waist asks of a device, checked when the device is registered and again when it is
// opened: a device that breaks it is refused, in release builds too.
#pragma once

#include <exception>
#include <new>

#include "lunar/block/device.h"
#include "lunar/result.h"

namespace lunar::block {

// invalid_argument, naming the device: its limits contradict each other or lie outside of what
// lunar/block/limits.h tells, or it stands on too many layers (kMaxDeviceLayers).
Result<void> check_device(const Device& device);

// What `call` gives. What it throws is an error, too: no_resource, io.
template <class T, class Call>
Result<T> without_exceptions(Call call) {
  try {
    return call();
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::no_resource, "out of memory");
  } catch (const std::exception& error) {
    return fail(ErrorCode::io, error.what());
  }
}

}  // namespace lunar::block
