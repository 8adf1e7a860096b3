// parse_disk on any text: a device of a kind that reads the same again, or an error that repeats
// the text.
#include <cstddef>
#include <cstdlib>

#include "app/device_kinds.h"
#include "backends/file/file.h"
#include "backends/ram/ram_kind.h"
#include "control/config.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace lunar;
  const std::string_view spec(reinterpret_cast<const char*>(data), size);
  const auto device = control::parse_disk(spec, app::device_kinds());
  if (!device) {
    if (!device.error().message.contains(spec)) std::abort();
    return 0;
  }
  if (device->kind == nullptr || device->is_layer() == device->base().empty()) std::abort();
  if (const auto* ram = device->configured.as<backends::RamParameters>()) {
    if (ram->size.value == 0 || ram->size.value % ram->block_size != 0) std::abort();
    if (ram->size.value > backends::kMaxRamBytes || ram->protection > 3) std::abort();
  }
  if (const auto* file = device->configured.as<backends::FileBackendOptions>()) {
    if (file->path.empty()) std::abort();
    if (file->size && file->size->value % file->block_size.value_or(512) != 0) std::abort();
  }
  return 0;
}
