// parse_disk on any text: a device whose size is whole blocks, or an error that repeats the text.
#include <cstddef>
#include <cstdlib>

#include "control/config.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view spec(reinterpret_cast<const char*>(data), size);
  const auto device = lunar::control::parse_disk(spec);
  if (!device) {
    if (!device.error().message.contains(spec)) std::abort();
    return 0;
  }
  if (device->size && *device->size % device->block_size.value_or(512) != 0) std::abort();
  if (device->type == lunar::control::DeviceType::file && device->path.empty()) std::abort();
  return 0;
}
