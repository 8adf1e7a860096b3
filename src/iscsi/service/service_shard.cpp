#include "iscsi/service/service_shard.h"

#include <cassert>
#include <limits>
#include <new>
#include <utility>

#include "base/memory_reserve.h"
#include "iscsi/service/service.h"

namespace lunar::iscsi {

ServiceShard::ServiceShard(Service& service, engine::Shard& shard)
    : service_(service), shard_(shard), directory_(service.directory()) {
  for (const auto& target : service.targets()) add_target(*target);
}

ServiceShard::~ServiceShard() { assert(connections_.empty()); }

void ServiceShard::add_target(TargetNode& target) {
  device_servers_[target.id] = std::make_unique<scsi::DeviceServer>(target.device, shard_);
}

bool ServiceShard::accept(std::unique_ptr<engine::Socket> socket, const Arrival& arrival) {
  if (memory_reserve::is_in_use()) return false;
  Connection* connection = nullptr;
  try {
    connection = new Connection(*this, shard_.network().adopt(std::move(socket)), arrival);
  } catch (const std::bad_alloc&) {
    return false;
  }
  connections_.push_back(*connection);
  connection->start();
  if (stopping_) connection->close("the target is stopping");
  // It was on its way here when the portal went.
  if (directory_->find_portal(arrival.portal) == nullptr)
    connection->close("its portal is removed");
  return true;
}

void ServiceShard::closed(Connection& connection) {
  static_cast<ConnectionHook&>(connection).unlink();
  delete &connection;
  pools_.trim();
  memory_reserve::refill();
}

// ---- The service as connections see it

const NegotiationPolicy& ServiceShard::policy() const { return std::as_const(service_).policy(); }

std::optional<TargetLogin> ServiceShard::find_target(std::string_view name,
                                                     std::uint16_t portal_group_tag) const {
  const Directory::Target* target = directory_->find_target(name);
  if (target == nullptr) return std::nullopt;
  return TargetLogin{.name = target->name,
                     .portal_group_tag = portal_group_tag,
                     .alias = target->alias,
                     .auth = {}};
}

std::vector<std::string> ServiceShard::target_names() const {
  std::vector<std::string> names;
  for (const Directory::Target& target : directory_->targets) names.push_back(target.name);
  return names;
}

std::vector<TargetRecord::Portal> ServiceShard::portals_told_at(
    const engine::Endpoint& reached) const {
  return told_portals(directory_->portals, reached);
}

std::string ServiceShard::portal_name(const Arrival& arrival) const {
  const Portal* portal = directory_->find_portal(arrival.portal);
  return portal == nullptr ? "one that is removed" : to_string(*portal);
}

scsi::DeviceServer& ServiceShard::device_server(TargetId target) {
  const auto found = device_servers_.find(target);
  assert(found != device_servers_.end() && "removed with a session");
  return *found->second;
}

engine::Task<std::expected<OpenSession, LoginRefusal>> ServiceShard::open_session(
    SessionLogin login) {
  auto open = [this, &login] { return service_.open_session(std::move(login)); };
  auto there = engine::await_on(service_.control_shard(), std::move(open));
  co_return co_await there;
}

namespace {

engine::Task<void> close_sessions(Service& service, std::string target_name,
                                  std::uint16_t except_tsih) {
  auto close = [&service, &target_name, except_tsih] {
    return service.close_sessions_of(target_name, except_tsih);
  };
  auto there = engine::await_on(service.control_shard(), close);
  co_await there;
}

}  // namespace

void ServiceShard::end_other_sessions(std::string target_name, std::uint16_t except_tsih) {
  gate_.spawn(close_sessions(service_, std::move(target_name), except_tsih));
}

engine::Task<void> ServiceShard::leave(std::uint16_t tsih) {
  auto gone = [this, tsih] { service_.connection_gone(tsih, shard_.index()); };
  auto there = engine::call_on(service_.control_shard(), gone);
  co_await there;
}

engine::Task<std::size_t> ServiceShard::end_connections(const ConnectionEnd& end) {
  constexpr std::uint64_t kLookNs = 10 * engine::kMillisecond;
  const auto left = [this, &end] {
    std::size_t count = 0;
    for (const Connection& connection : connections_) count += end.which(connection) ? 1 : 0;
    return count;
  };
  for (Connection& connection : connections_) {
    if (end.which(connection)) connection.drain(end.why);
  }
  while (left() != 0 && shard_.now_ns() < end.drain_until_ns)
    co_await engine::sleep_for(shard_, kLookNs);
  for (Connection& connection : connections_) {
    if (end.which(connection)) connection.close(end.why);
  }
  while (left() != 0 && shard_.now_ns() < end.give_up_ns)
    co_await engine::sleep_for(shard_, kLookNs);
  co_return left();
}

engine::Task<void> ServiceShard::stop(std::uint64_t drain_until_ns) {
  stopping_ = true;
  const ConnectionEnd end{.which = [](const Connection&) { return true; },
                          .drain_until_ns = drain_until_ns,
                          .give_up_ns = std::numeric_limits<std::uint64_t>::max(),
                          .why = "the target is stopping"};
  (void)co_await end_connections(end);
  co_await gate_.close();
}

}  // namespace lunar::iscsi
