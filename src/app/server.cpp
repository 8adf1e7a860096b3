#include "lunar/server.h"

#include <fmt/format.h>

#include <algorithm>
#include <mutex>
#include <set>
#include <utility>

#include "app/close_devices.h"
#include "app/logical_units.h"
#include "base/fatal.h"
#include "base/log.h"

namespace lunar {
namespace {

Result<std::vector<int>> cores_of(const std::string& shards) {
  if (!shards.empty()) return engine::parse_cores(shards);
  std::vector<int> cores = engine::allowed_cores();
  if (cores.size() > kDefaultMaxShards) cores.resize(kDefaultMaxShards);
  return cores;
}

// On the control shard.
engine::Task<void> begin(Server::Internals& self, Result<void>& outcome) {
  const std::vector<scsi::LogicalUnit*> units = app::all_units(self);
  co_await app::open_units(self, units, outcome);
  if (!outcome) co_return;
  outcome = co_await self.service->start();
  if (!outcome) co_return;
  std::vector<iscsi::Portal> portals = std::exchange(self.pending_portals, {});
  outcome = co_await self.service->open_portals(std::move(portals));
}

engine::Task<void> end(Server::Internals& self, std::uint64_t drain_ns) {
  co_await self.service->stop(drain_ns);
  const std::vector<scsi::LogicalUnit*> units = app::all_units(self);
  co_await app::close_units(self, units);
}

void stop_now(Server::Internals& self, std::chrono::milliseconds drain,
              Server::Internals::State then) {
  if (self.state != Server::Internals::State::started) return;
  self.state = then;
  const auto drain_ns =
      static_cast<std::uint64_t>(std::max<std::int64_t>(drain.count(), 0)) * engine::kMillisecond;
  self.shards->run_on(0, [&] { return end(self, drain_ns); });
}

// Devices that may still answer, and the shards that they would answer to. For good.
void leave_behind(std::unique_ptr<Server::Internals> internals) {
  static std::mutex mutex;
  static auto* const left = new std::vector<std::unique_ptr<Server::Internals>>;
  const std::scoped_lock lock(mutex);
  left->push_back(std::move(internals));
}

// Nobody could reach a server without portals, nor use a group without one.
Result<void> check_portals(const Server::Internals& self) {
  if (self.pending_portals.empty()) {
    return fail(ErrorCode::invalid_argument,
                "start(): there is no portal: add_portal() comes first");
  }
  std::set<std::uint16_t> tags;
  for (const auto& portal : self.pending_portals) tags.insert(portal.portal_group_tag);
  for (const auto& target : self.service->targets()) {
    for (const auto& [tag, options] : target->port_groups) {
      if (tags.contains(tag)) continue;
      return fail(ErrorCode::invalid_argument,
                  fmt::format("start(): target {}: no portal has the portal group tag {}",
                              target->device.name(), tag));
    }
  }
  return {};
}

}  // namespace

Server::Internals::Call::Call(const Internals& self) {
  if (engine::Shard::current() != nullptr) {
    fatal(
        "a device or channel has called a method of lunar::Server on a shard's thread, which "
        "would wait for itself");
  }
  lock_ = std::unique_lock(self.mutex);
}

Result<void> Server::Internals::check_not_ended(const char* method) const {
  if (!has_ended()) return {};
  return fail(ErrorCode::busy,
              fmt::format("{}: the server {}: make another", method,
                          state == State::failed ? "has ended, as start() failed" : "has ended"));
}

Result<void> set_log_level(std::string_view level) {
  LUNAR_TRY_ASSIGN(const log::Level parsed, log::parse_level(level));
  log::set_level(parsed);
  return {};
}

Server::Server(std::unique_ptr<Internals> internals) : internals_(std::move(internals)) {}

Server::~Server() {
  stop();
  internals_->shards->run_on(0, [this] { return app::close_devices(*internals_); });
  const std::vector<block::Disk*> unanswered = internals_->registry->unanswered();
  for (const block::Disk* disk : unanswered)
    log::warning("device {}: gives no answer, and is left as it is", disk->name());
  if (!unanswered.empty()) leave_behind(std::move(internals_));
}

Result<std::unique_ptr<Server>> Server::create(const ServerOptions& options) {
  if (options.max_spin.count() < 0)
    return fail(ErrorCode::invalid_argument, "max_spin is less than 0");
  if (options.device_patience.count() < 0 || options.device_patience > kMaxDevicePatience)
    return fail(ErrorCode::invalid_argument, "device_patience is not 0 to 600000 ms");
  auto internals = std::make_unique<Internals>();
  LUNAR_TRY_ASSIGN(internals->state_store, app::open_state(options.state));
  internals->identities.emplace(*internals->state_store);
  engine::ShardGroupOptions group;
  LUNAR_TRY_ASSIGN(group.cores, cores_of(options.shards));
  group.blocking_worker = &internals->blocking_worker;
  group.max_spin_ns = static_cast<std::uint64_t>(options.max_spin.count()) * engine::kMicrosecond;
  LUNAR_TRY_ASSIGN(internals->shards, engine::ShardGroup::start(group));
  LUNAR_TRY(internals->blocking_worker.start());
  internals->registry.emplace(
      internals->shards->shards(),
      static_cast<std::uint64_t>(options.device_patience.count()) * engine::kMillisecond);
  internals->service.emplace(internals->shards->shards());
  return std::unique_ptr<Server>(new Server(std::move(internals)));
}

Result<void> Server::add_device(std::unique_ptr<block::Device> device) {
  const Internals::Call call(*internals_);
  LUNAR_TRY(internals_->check_not_ended("add_device()"));
  LUNAR_TRY(internals_->registry->add(std::move(device)));
  return {};
}

Result<void> Server::start() {
  const Internals::Call call(*internals_);
  LUNAR_TRY(internals_->check_not_ended("start()"));
  if (internals_->state == Internals::State::started)
    return fail(ErrorCode::busy, "start(): the server runs already");
  LUNAR_TRY(check_portals(*internals_));
  Result<void> outcome;
  internals_->state = Internals::State::started;
  internals_->shards->run_on(0, [&] { return begin(*internals_, outcome); });
  if (!outcome) stop_now(*internals_, std::chrono::milliseconds(0), Internals::State::failed);
  return outcome;
}

std::size_t Server::shard_count() const { return internals_->shards->size(); }

void Server::stop(std::chrono::milliseconds drain) {
  const Internals::Call call(*internals_);
  stop_now(*internals_, drain, Internals::State::stopped);
}

}  // namespace lunar
