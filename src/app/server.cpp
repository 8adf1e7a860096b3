#include "lunar/server.h"

#include <fmt/format.h>

#include <algorithm>

#include "app/server_internals.h"
#include "backends/file/file.h"
#include "backends/ram/ram.h"
#include "base/log.h"
#include "iscsi/spec/names.h"

namespace lunar {
namespace {

std::string to_text(const engine::Endpoint& endpoint) {
  const bool v6 = endpoint.address.find(':') != std::string::npos;
  return v6 ? fmt::format("[{}]:{}", endpoint.address, endpoint.port)
            : fmt::format("{}:{}", endpoint.address, endpoint.port);
}

// Which method it is, for the error of one that comes too late.
Result<void> still_set_up(const Server::Internals& self, const char* what) {
  if (self.state == Server::Internals::State::set_up) return {};
  return fail(ErrorCode::busy,
              fmt::format("{} comes before start(): the server {}", what,
                          self.state == Server::Internals::State::started ? "runs" : "has ended"));
}

Result<std::vector<int>> cores_of(const std::string& shards) {
  if (!shards.empty()) return engine::parse_cores(shards);
  std::vector<int> cores = engine::allowed_cores();
  if (cores.size() > kDefaultMaxShards) cores.resize(kDefaultMaxShards);
  return cores;
}

// What is kept under an identity must be found under it again.
scsi::DurableStore* store_for(Server::Internals& self, const block::Device& device) {
  return device.capabilities().keeps_uuid ? &*self.state_folder : nullptr;
}

engine::Task<void> open_units(Server::Internals& self, Result<void>& outcome) {
  for (auto& [device, mapped] : self.units) {
    for (engine::Shard* shard : self.shards->shards()) {
      auto open = [unit = mapped.unit.get(), shard] { return unit->open(*shard); };
      auto there = engine::await_on(*shard, open);
      outcome = co_await there;
      if (!outcome) co_return;
    }
  }
}

engine::Task<void> close_units(Server::Internals& self) {
  for (auto& [device, mapped] : self.units) {
    for (engine::Shard* shard : self.shards->shards()) {
      auto stop = [unit = mapped.unit.get(), shard] { return unit->stop(*shard); };
      auto there = engine::await_on(*shard, stop);
      co_await there;
    }
  }
}

// On the control shard.
engine::Task<void> begin(Server::Internals& self, Result<void>& outcome) {
  co_await open_units(self, outcome);
  if (!outcome) co_return;
  outcome = co_await self.service->start();
  for (const auto& portal : self.pending_portals) {
    if (!outcome) co_return;
    const auto where = self.service->listen(portal.at, portal.tag);
    if (!where) {
      outcome = std::unexpected(where.error());
    } else {
      self.listening.push_back(to_text(*where));
    }
  }
}

engine::Task<void> end(Server::Internals& self, std::uint64_t drain_ns) {
  co_await self.service->stop(drain_ns);
  co_await close_units(self);
}

}  // namespace

Result<void> set_log_level(std::string_view level) {
  LUNAR_TRY_ASSIGN(const log::Level parsed, log::parse_level(level));
  log::set_level(parsed);
  return {};
}

Server::Server(std::unique_ptr<Internals> internals) : internals_(std::move(internals)) {}

Server::~Server() { stop(); }

Result<std::unique_ptr<Server>> Server::create(const ServerOptions& options) {
  if (options.max_spin.count() < 0)
    return fail(ErrorCode::invalid_argument, "max_spin is less than 0");
  auto internals = std::make_unique<Internals>();
  internals->state_folder.emplace(options.state);
  engine::ShardGroupOptions group;
  LUNAR_TRY_ASSIGN(group.cores, cores_of(options.shards));
  group.max_spin_ns = static_cast<std::uint64_t>(options.max_spin.count()) * engine::kMicrosecond;
  LUNAR_TRY_ASSIGN(internals->shards, engine::ShardGroup::start(group));
  internals->registry.emplace(internals->shards->size());
  internals->service.emplace(internals->shards->shards());
  return std::unique_ptr<Server>(new Server(std::move(internals)));
}

Result<void> Server::add_device(std::unique_ptr<block::Device> device) {
  LUNAR_TRY(still_set_up(*internals_, "add_device()"));
  LUNAR_TRY(internals_->registry->add(std::move(device)));
  return {};
}

Result<void> Server::add_ram(const std::string& name, ByteCount size) {
  LUNAR_TRY(still_set_up(*internals_, "add_ram()"));
  // Its contents die with this process, and so does its identity.
  LUNAR_TRY_ASSIGN(auto device,
                   backends::create_ram({.name = name,
                                         .size = size,
                                         .block_size = 512,
                                         .uuid = Uuid::from_random(internals_->prng.bytes16()),
                                         .keeps_uuid = false}));
  return add_device(std::move(device));
}

Result<void> Server::add_file(const std::string& name, const std::string& path,
                              std::optional<ByteCount> size) {
  LUNAR_TRY(still_set_up(*internals_, "add_file()"));
  LUNAR_TRY_ASSIGN(auto device, backends::open_file(internals_->files, internals_->prng,
                                                    {.name = name,
                                                     .path = path,
                                                     .size = size,
                                                     .block_size = {},
                                                     .cache = backends::FileCache::direct,
                                                     .read_only = false,
                                                     .uuid = {}}));
  return add_device(std::move(device));
}

Result<void> Server::add_target(const std::string& iqn, const std::string& alias) {
  LUNAR_TRY(still_set_up(*internals_, "add_target()"));
  LUNAR_TRY_ASSIGN(const std::string name, iscsi::spec::parse_name(iqn));
  iscsi::Service& service = *internals_->service;
  if (service.find_target(name) != service.targets().size()) {
    return fail(ErrorCode::already_exists, fmt::format("target {} is there already", name));
  }
  service.add_target(name).alias = alias;
  return {};
}

Result<void> Server::map(std::string_view iqn, Lun lun, std::string_view device_name,
                         const LunOptions& options) {
  LUNAR_TRY(still_set_up(*internals_, "map()"));
  LUNAR_TRY_ASSIGN(const std::string name, iscsi::spec::parse_name(iqn));
  iscsi::Service& service = *internals_->service;
  const std::size_t index = service.find_target(name);
  if (index == service.targets().size())
    return fail(ErrorCode::not_found, fmt::format("there is no target {}", name));
  block::Device* device = internals_->registry->find(device_name);
  if (device == nullptr)
    return fail(ErrorCode::not_found, fmt::format("there is no device {}", device_name));

  auto& mapped = internals_->units[device];
  if (!mapped.unit) {
    const bool read_only = options.read_only || !device->capabilities().writable;
    auto claim = internals_->registry->claim(device_name,
                                             read_only ? block::Access::read : block::Access::write,
                                             fmt::format("target {}", name));
    if (!claim) {
      internals_->units.erase(device);
      return std::unexpected(claim.error());
    }
    mapped.claim = std::move(*claim);
    mapped.options = options;
    mapped.unit = std::make_unique<scsi::LogicalUnit>(
        *device, internals_->shards->shards(),
        scsi::LogicalUnitOptions{.removable = options.removable,
                                 .read_only = read_only,
                                 .blocking_worker = &internals_->blocking_worker,
                                 .store = store_for(*internals_, *device)});
    if (auto restored = mapped.unit->restore(); !restored) {
      internals_->units.erase(device);
      return wrap(restored.error(), fmt::format("device {}", device_name));
    }
  } else if (mapped.options.read_only != options.read_only ||
             mapped.options.removable != options.removable) {
    return fail(
        ErrorCode::invalid_argument,
        fmt::format("device {} is one logical unit: it is mapped already, with other options",
                    device_name));
  }
  auto added = service.targets()[index]->device.add(lun, *mapped.unit);
  if (!added) return wrap(added.error(), fmt::format("target {}", name));
  return {};
}

Result<void> Server::add_portal(const std::string& address_and_port,
                                std::uint16_t portal_group_tag) {
  LUNAR_TRY(still_set_up(*internals_, "add_portal()"));
  if (portal_group_tag == 0)
    return fail(ErrorCode::invalid_argument, "a portal group tag is 1 to 65535");
  LUNAR_TRY_ASSIGN(const auto portal, iscsi::spec::parse_portal_address(address_and_port));
  std::string text = portal.to_string();
  text.resize(text.rfind(':'));
  if (text.starts_with('[')) text = text.substr(1, text.size() - 2);
  internals_->pending_portals.push_back({{text, portal.port}, portal_group_tag});
  return {};
}

Result<void> Server::start() {
  LUNAR_TRY(still_set_up(*internals_, "start()"));
  Result<void> outcome;
  internals_->state = Internals::State::started;
  internals_->shards->run_on(0, [&] { return begin(*internals_, outcome); });
  if (!outcome) stop();
  return outcome;
}

const std::vector<std::string>& Server::listening() const { return internals_->listening; }
std::size_t Server::shard_count() const { return internals_->shards->size(); }

void Server::stop(std::chrono::milliseconds drain) {
  if (internals_->state != Internals::State::started) return;
  internals_->state = Internals::State::stopped;
  const auto drain_ns =
      static_cast<std::uint64_t>(std::max<std::int64_t>(drain.count(), 0)) * engine::kMillisecond;
  internals_->shards->run_on(0, [&] { return end(*internals_, drain_ns); });
  internals_->listening.clear();
}

}  // namespace lunar
