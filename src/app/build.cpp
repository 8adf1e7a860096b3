#include "app/build.h"

#include <fmt/format.h>

#include <filesystem>

#include "app/server_internals.h"
#include "backends/file/file.h"
#include "backends/null/null.h"
#include "backends/ram/ram.h"
#include "layers/delay/delay.h"
#include "layers/error/error.h"
#include "layers/passthru/passthru.h"

namespace lunar::app {
namespace {

using control::DeviceConfig;
using control::DeviceType;

Result<block::Claim> claim_base(Server& server, const DeviceConfig& device) {
  return server.internals().registry->claim(device.base, block::Access::write,
                                            std::string(to_string(device.type)), device.name);
}

// The given one, or a new one: what holds no data over a restart keeps no identity over it either.
Uuid uuid_of(Server& server, const DeviceConfig& device) {
  return device.uuid ? *device.uuid : Uuid::from_random(server.internals().prng.bytes16());
}

backends::RamPages pages_of(const DeviceConfig& device) {
  if (!device.huge_pages) return backends::RamPages::automatic;
  return *device.huge_pages ? backends::RamPages::huge : backends::RamPages::small;
}

// What stays with the configuration when the medium cannot keep its identity.
std::string identity_key(const DeviceConfig& device) {
  if (!device.name_is_made_up) return device.name;
  return std::filesystem::absolute(device.path).lexically_normal().string();
}

Result<std::unique_ptr<block::Device>> make_file(Server& server, const DeviceConfig& device) {
  backends::FileBackendOptions options{
      .name = device.name,
      .path = device.path,
      .size = {},
      .block_size = device.block_size,
      .cache = device.buffered ? backends::FileCache::buffered : backends::FileCache::direct,
      .read_only = device.read_only,
      .uuid = device.uuid,
      .protection = device.protection,
      .identities = &*server.internals().state_folder,
      .identity_key = identity_key(device)};
  if (device.size) options.size = ByteCount(*device.size);
  return backends::open_file(server.internals().files, server.internals().prng, options);
}

Result<std::unique_ptr<block::Device>> make_delay(Server& server, const DeviceConfig& device) {
  LUNAR_TRY_ASSIGN(block::Claim base, claim_base(server, device));
  layers::DelayOptions options;
  for (std::size_t i = 0; i < block::kOpCount; ++i) {
    const auto op = static_cast<block::Op>(i);
    const bool reads = op == block::Op::read || op == block::Op::compare;
    options.average_ns[i] =
        (reads ? device.read_delay_us : device.write_delay_us) * engine::kMicrosecond;
  }
  return layers::create_delay(device.name, std::move(base), options);
}

layers::ErrorAction action_of(control::InjectAction action) {
  switch (action) {
    case control::InjectAction::fail: return layers::ErrorAction::fail;
    case control::InjectAction::corrupt: return layers::ErrorAction::corrupt;
    case control::InjectAction::hang: return layers::ErrorAction::hang;
  }
  return layers::ErrorAction::fail;
}

layers::ErrorRule rule_of(const control::ErrorInjection& inject) {
  constexpr std::uint8_t kEveryOp = (1U << block::kOpCount) - 1;
  return {.ops = inject.op ? layers::op_bit(*inject.op) : kEveryOp,
          .first = Lba(inject.lba),
          .count = BlockCount(inject.count),
          .action = action_of(inject.action),
          .status = inject.status.value_or(block::Status::hardware_error),
          .offset_bytes = inject.offset,
          .times = inject.times};
}

Result<std::unique_ptr<block::Device>> make_error(Server& server, const DeviceConfig& device) {
  LUNAR_TRY_ASSIGN(block::Claim base, claim_base(server, device));
  layers::ErrorLayer layer = layers::create_error(device.name, std::move(base));
  for (const control::ErrorInjection& inject : device.inject) {
    LUNAR_TRY(layer.control->add(rule_of(inject)));
  }
  return std::move(layer.device);
}

AluaState alua_state_of(control::PortGroupState state) {
  switch (state) {
    case control::PortGroupState::active_optimized: return AluaState::active_optimized;
    case control::PortGroupState::active_non_optimized: return AluaState::active_non_optimized;
    case control::PortGroupState::standby: return AluaState::standby;
    case control::PortGroupState::unavailable: return AluaState::unavailable;
    case control::PortGroupState::transitioning: return AluaState::transitioning;
  }
  return AluaState::active_optimized;
}

Result<void> set_port_group(Server& server, const control::TargetConfig& target,
                            const control::PortGroupConfig& group) {
  return server.set_port_group(target.name, group.tag,
                               {.state = alua_state_of(group.state),
                                .preferred = group.preferred,
                                .implicit_changes = group.implicit_changes,
                                .explicit_changes = group.explicit_changes});
}

Result<std::unique_ptr<block::Device>> make_device(Server& server, const DeviceConfig& device) {
  const ByteCount size(device.size.value_or(0));
  const std::uint32_t block_size = device.block_size.value_or(512);
  switch (device.type) {
    case DeviceType::ram:
      return backends::create_ram({.name = device.name,
                                   .size = size,
                                   .block_size = block_size,
                                   .uuid = uuid_of(server, device),
                                   .keeps_uuid = device.uuid.has_value(),
                                   .protection = device.protection,
                                   .pages = pages_of(device)});
    case DeviceType::null:
      return backends::create_null({.name = device.name,
                                    .size = size,
                                    .block_size = block_size,
                                    .uuid = uuid_of(server, device),
                                    .keeps_uuid = device.uuid.has_value()});
    case DeviceType::file: return make_file(server, device);
    case DeviceType::passthru: {
      LUNAR_TRY_ASSIGN(block::Claim base, claim_base(server, device));
      return layers::create_passthru(device.name, std::move(base));
    }
    case DeviceType::delay: return make_delay(server, device);
    case DeviceType::error: return make_error(server, device);
  }
  return fail(ErrorCode::invalid_argument, "unknown device type");
}

Result<void> map_all(Server& server, const control::TargetConfig& target,
                     const std::vector<control::LunConfig>& luns, const std::string& host) {
  for (const control::LunConfig& lun : luns) {
    auto mapped =
        server.map(target.name, Lun(lun.lun), lun.device,
                   {.read_only = lun.read_only, .removable = lun.removable, .host = host});
    if (!mapped) return wrap(mapped.error(), lun.origin);
  }
  return {};
}

}  // namespace

Result<void> build(Server& server, const control::Config& config) {
  for (const DeviceConfig& device : config.devices) {
    auto made = make_device(server, device);
    if (!made) return wrap(made.error(), device.origin);
    if (auto added = server.add_device(std::move(*made)); !added)
      return wrap(added.error(), device.origin);
  }
  for (const control::TargetConfig& target : config.targets) {
    if (auto added = server.add_target(target.name, target.alias); !added)
      return wrap(added.error(), target.origin);
    LUNAR_TRY(map_all(server, target, target.luns, ""));
    for (const control::HostConfig& host : target.hosts) {
      auto host_added = server.add_host(
          target.name, host.name, {.initiators = host.initiators, .addresses = host.addresses});
      if (!host_added) return wrap(host_added.error(), host.origin);
      LUNAR_TRY(map_all(server, target, host.luns, host.name));
    }
  }
  for (const control::TargetConfig& target : config.targets) {
    for (const control::PortGroupConfig& group : target.port_groups) {
      if (auto set = set_port_group(server, target, group); !set)
        return wrap(set.error(), group.origin);
    }
  }
  for (const control::PortalConfig& portal : config.portals) {
    if (auto added = server.add_portal(portal.listen, {.portal_group_tag = portal.tag,
                                                       .ipv4_too = portal.ipv4_too,
                                                       .advertise = portal.advertise});
        !added)
      return wrap(added.error(), portal.origin);
  }
  return {};
}

}  // namespace lunar::app
