// The disks that a Server makes itself, of the kinds that there are.
#include <fmt/format.h>

#include <filesystem>

#include "app/device_kinds.h"
#include "app/server_internals.h"
#include "backends/file/file_kind.h"
#include "backends/ram/ram_kind.h"
#include "lunar/server.h"

namespace lunar {
namespace {

using control::DeviceConfig;
using Internals = Server::Internals;

// The file's lock would take it for another process'.
Result<void> check_not_ours(const Internals& self, const kinds::Medium& medium) {
  for (const block::Disk* disk : self.registry->disks()) {
    std::error_code failed;
    const std::string location = disk->device().location();
    if (location.empty() || !std::filesystem::equivalent(location, medium.path, failed)) continue;
    return fail(ErrorCode::busy, fmt::format("{}: it is the disk of device {} already",
                                             medium.called, disk->name()));
  }
  return {};
}

Result<void> look_and_add(Internals& self, const DeviceConfig& device) {
  if (const auto medium = device.kind->medium(device.configured))
    LUNAR_TRY(check_not_ours(self, *medium));
  LUNAR_TRY(device.kind->look(device.configured, app::what_kinds_may_ask()));
  return app::make_and_add(self, device);
}

template <class Parameters>
DeviceConfig configured(const std::string& name, const kinds::DeviceKind& kind,
                        Parameters parameters) {
  return {.origin = {},
          .name = name,
          .name_is_made_up = false,
          .kind = &kind,
          .configured = {.base = {}, .parameters = std::move(parameters)}};
}

}  // namespace

namespace app {

Result<void> make_and_add(Internals& self, const DeviceConfig& device) {
  kinds::Making making{.name = device.name,
                       .name_is_made_up = device.name_is_made_up,
                       .base = {},
                       .files = self.files,
                       .prng = self.prng,
                       .identities = &*self.identities};
  if (device.is_layer()) {
    LUNAR_TRY_ASSIGN(making.base,
                     self.registry->claim(device.base(), block::Access::exclusive,
                                          std::string(device.kind->name()), device.name));
  }
  LUNAR_TRY_ASSIGN(auto made, device.kind->make(device.configured, making));
  LUNAR_TRY(self.registry->add(std::move(made)));
  return {};
}

}  // namespace app

Result<void> Server::add_ram(const std::string& name, ByteCount size, const DiskOptions& options) {
  const Internals::Call call(*internals_);
  LUNAR_TRY(internals_->check_not_ended("add_ram()"));
  backends::RamParameters parameters;
  parameters.size = size;
  parameters.uuid = options.uuid;
  parameters.protection = options.protection;
  return look_and_add(*internals_, configured(name, backends::ram_kind(), parameters));
}

Result<void> Server::add_file(const std::string& name, const std::string& path,
                              std::optional<ByteCount> size, const DiskOptions& options) {
  const Internals::Call call(*internals_);
  LUNAR_TRY(internals_->check_not_ended("add_file()"));
  backends::FileBackendOptions parameters;
  parameters.path = path;
  parameters.size = size;
  parameters.uuid = options.uuid;
  parameters.protection = options.protection;
  return look_and_add(*internals_, configured(name, backends::file_kind(), parameters));
}

Result<void> Server::add_disk(const std::string& name, std::string_view spec) {
  const Internals::Call call(*internals_);
  LUNAR_TRY(internals_->check_not_ended("add_disk()"));
  auto device = control::parse_device(spec, app::device_kinds());
  if (!device) return wrap(device.error(), spec);
  device->name = name;
  return look_and_add(*internals_, *device);
}

}  // namespace lunar
