#include "app/build.h"

#include <fmt/format.h>

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
  return server.internals().registry->claim(
      device.base, block::Access::write, fmt::format("{} {}", to_string(device.type), device.name));
}

// The given one, or a new one: what holds no data over a restart keeps no identity over it either.
Uuid uuid_of(Server& server, const DeviceConfig& device) {
  return device.uuid ? *device.uuid : Uuid::from_random(server.internals().prng.bytes16());
}

Result<std::unique_ptr<block::Device>> make_file(Server& server, const DeviceConfig& device) {
  backends::FileBackendOptions options{
      .name = device.name,
      .path = device.path,
      .size = {},
      .block_size = device.block_size,
      .cache = device.buffered ? backends::FileCache::buffered : backends::FileCache::direct,
      .read_only = device.read_only,
      .uuid = device.uuid};
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

struct OpName {
  std::string_view name;
  std::uint8_t bits;
};
constexpr OpName kOpNames[] = {{"any", 0xff},
                               {"read", layers::op_bit(block::Op::read)},
                               {"write", layers::op_bit(block::Op::write)},
                               {"flush", layers::op_bit(block::Op::flush)},
                               {"unmap", layers::op_bit(block::Op::unmap)},
                               {"write_zeroes", layers::op_bit(block::Op::write_zeroes)}};
struct ActionName {
  std::string_view name;
  layers::ErrorAction action;
};
constexpr ActionName kActionNames[] = {{"fail", layers::ErrorAction::fail},
                                       {"corrupt", layers::ErrorAction::corrupt},
                                       {"hang", layers::ErrorAction::hang}};

Result<layers::ErrorRule> rule_of(const control::ErrorInjection& inject) {
  layers::ErrorRule rule;
  for (const OpName& op : kOpNames) {
    if (op.name == inject.op) rule.ops = op.bits;
  }
  const ActionName* action = nullptr;
  for (const ActionName& each : kActionNames) {
    if (each.name == inject.action) action = &each;
  }
  if (rule.ops == 0)
    return fail(ErrorCode::invalid_argument, fmt::format("inject: unknown op '{}'", inject.op));
  if (action == nullptr) {
    return fail(ErrorCode::invalid_argument,
                fmt::format("inject: unknown action '{}' (fail, corrupt, hang)", inject.action));
  }
  rule.action = action->action;
  rule.first = Lba(inject.lba);
  rule.count = BlockCount(inject.count);
  rule.offset_bytes = inject.offset;
  rule.times = inject.times;
  return rule;
}

Result<std::unique_ptr<block::Device>> make_error(Server& server, const DeviceConfig& device) {
  LUNAR_TRY_ASSIGN(block::Claim base, claim_base(server, device));
  layers::ErrorLayer layer = layers::create_error(device.name, std::move(base));
  for (const control::ErrorInjection& inject : device.inject) {
    LUNAR_TRY_ASSIGN(const layers::ErrorRule rule, rule_of(inject));
    LUNAR_TRY(layer.control->add(rule));
  }
  return std::move(layer.device);
}

Result<std::unique_ptr<block::Device>> make_device(Server& server, const DeviceConfig& device) {
  const ByteCount size(device.size.value_or(0));
  const std::uint32_t block_size = device.block_size.value_or(512);
  switch (device.type) {
    case DeviceType::ram:
      return backends::create_ram({.name = device.name,
                                   .size = size,
                                   .block_size = block_size,
                                   .uuid = uuid_of(server, device)});
    case DeviceType::null:
      return backends::create_null({.name = device.name,
                                    .size = size,
                                    .block_size = block_size,
                                    .uuid = uuid_of(server, device)});
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

}  // namespace

Result<void> build(Server& server, const control::Config& config) {
  for (const DeviceConfig& device : config.devices) {
    auto made = make_device(server, device);
    if (!made) return wrap(made.error(), fmt::format("device {}", device.name));
    LUNAR_TRY(server.add_device(std::move(*made)));
  }
  for (const control::TargetConfig& target : config.targets) {
    LUNAR_TRY(server.add_target(target.name, target.alias));
    for (const control::LunConfig& lun : target.luns) {
      LUNAR_TRY(server.map(target.name, Lun(lun.lun), lun.device,
                           {.read_only = lun.read_only, .removable = lun.removable}));
    }
  }
  for (const control::PortalConfig& portal : config.portals)
    LUNAR_TRY(server.add_portal(portal.listen, portal.tag));
  return {};
}

}  // namespace lunar::app
