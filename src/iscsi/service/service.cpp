#include "iscsi/service/service.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <new>
#include <utility>

#include "base/log.h"
#include "base/memory_reserve.h"
#include "iscsi/login/port_names.h"

namespace lunar::iscsi {

// ---- ServiceShard

ServiceShard::ServiceShard(Service& service, engine::Shard& shard)
    : service_(service), shard_(shard) {
  for (const auto& target : service.targets()) {
    device_servers_.push_back(std::make_unique<scsi::DeviceServer>(target->device, shard));
  }
}

ServiceShard::~ServiceShard() { assert(connections_.empty()); }

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
  const std::size_t index = service_.find_target(name);
  if (index == service_.targets().size()) return std::nullopt;
  const TargetNode& target = *service_.targets()[index];
  return TargetLogin{.name = target.device.name(),
                     .portal_group_tag = portal_group_tag,
                     .alias = target.alias,
                     .auth = {}};
}

std::vector<std::string> ServiceShard::target_names() const {
  std::vector<std::string> names;
  for (const auto& target : service_.targets()) names.push_back(target->device.name());
  return names;
}

std::vector<TargetRecord::Portal> ServiceShard::portals_told_at(
    const engine::Endpoint& reached) const {
  return told_portals(service_.portals(), reached);
}

std::string ServiceShard::portal_name(const Arrival& arrival) const {
  return to_string(service_.portals()[arrival.portal]);
}

scsi::DeviceServer& ServiceShard::device_server(std::string_view target_name) {
  return device_server(service_.find_target(target_name));
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

engine::Task<void> ServiceShard::stop(std::uint64_t deadline_ns) {
  constexpr std::uint64_t kLookNs = 10 * engine::kMillisecond;
  stopping_ = true;
  for (Connection& connection : connections_) connection.drain();
  while (!connections_.empty() && shard_.now_ns() < deadline_ns)
    co_await engine::sleep_for(shard_, kLookNs);
  for (Connection& connection : connections_) connection.close("the target is stopping");
  while (!connections_.empty()) co_await engine::sleep_for(shard_, kLookNs);
  co_await gate_.close();
}

// ---- Service

Service::Service(std::span<engine::Shard* const> shards)
    : shards_(shards.begin(), shards.end()), connections_(shards.size()) {}

Service::~Service() { assert(sessions_.empty()); }

TargetNode& Service::add_target(std::string name) {
  targets_.push_back(std::make_unique<TargetNode>(std::move(name)));
  return *targets_.back();
}

std::size_t Service::find_target(std::string_view name) const {
  const auto found = std::ranges::find_if(
      targets_, [&](const auto& target) { return target->device.name() == name; });
  return static_cast<std::size_t>(found - targets_.begin());
}

engine::Task<Result<void>> Service::start() {
  parts_.resize(shards_.size());
  for (engine::Shard* shard : shards_) {
    auto make = [this, shard] {
      parts_[shard->index()] = std::make_unique<ServiceShard>(*this, *shard);
    };
    auto there = engine::call_on(*shard, make);
    co_await there;
  }
  co_return Result<void>();
}

// The portal group's tag, and for the target after the first so many beyond, where that is free: a
// number that stays the same when a portal group or a target is added behind the others.
std::uint16_t Service::free_port_number(std::size_t target, std::uint16_t portal_group_tag) {
  constexpr std::size_t kTagsPerTarget = 256;
  const auto is_taken = [this](std::size_t number) {
    return std::ranges::any_of(targets_, [number](const auto& node) {
      return node->device.ports().find(static_cast<std::uint16_t>(number)) != nullptr;
    });
  };
  std::size_t number = portal_group_tag + target * kTagsPerTarget;
  if (number <= UINT16_MAX && !is_taken(number)) return static_cast<std::uint16_t>(number);
  for (number = 1; number <= UINT16_MAX; ++number) {
    if (!is_taken(number)) return static_cast<std::uint16_t>(number);
  }
  return 0;
}

// A portal group is a target port of every target (RFC 7143 §4.4.2).
Result<void> Service::add_target_ports(std::uint16_t portal_group_tag) {
  for (std::size_t i = 0; i < targets_.size(); ++i) {
    scsi::TargetPorts& ports = targets_[i]->device.ports();
    if (ports.find_tag(portal_group_tag) != nullptr) continue;
    const std::uint16_t number = free_port_number(i, portal_group_tag);
    if (number == 0 || ports.all().size() == scsi::kMaxTargetPorts)
      return fail(ErrorCode::out_of_range, "too many portal groups");
    ports.add(portal_group_tag, number,
              target_port_name(targets_[i]->device.name(), portal_group_tag));
  }
  return {};
}

engine::Task<Result<void>> Service::open_portals(std::vector<Portal> portals) {
  const std::uint64_t deadline_ns = control_shard().now_ns() + kPortalPatienceNs;
  for (Portal& portal : portals) {
    Result<void> opened = add_target_ports(portal.portal_group_tag);
    if (opened) opened = co_await open_portal(portal, deadline_ns);
    if (!opened) {
      listeners_.clear();
      co_return opened;
    }
  }
  portals_ = std::move(portals);
  // From here on there are connections, which read all of this.
  for (std::size_t i = 0; i < listeners_.size(); ++i) {
    listeners_[i]->start(
        [this, i](std::unique_ptr<engine::Socket> socket) { accepted(std::move(socket), i); });
  }
  co_return Result<void>();
}

engine::Task<Result<void>> Service::open_portal(Portal& portal, std::uint64_t deadline_ns) {
  engine::Shard& shard = control_shard();
  for (;;) {
    auto listener =
        shard.network().open_listener(endpoint_of(portal.address), {.ipv4_too = portal.ipv4_too});
    if (listener) {
      portal.address.port = (*listener)->local().port;
      listeners_.push_back(std::move(*listener));
      co_return Result<void>();
    }
    if (listener.error().code != ErrorCode::busy || shard.now_ns() >= deadline_ns)
      co_return std::unexpected(std::move(listener).error());
    co_await engine::sleep_for(shard, kPortalRetryNs);
  }
}

// The shard with the fewest connections; of equals the next in turn.
unsigned Service::least_loaded_shard() {
  std::size_t best = next_shard_ % connections_.size();
  for (std::size_t i = 1; i < connections_.size(); ++i) {
    const std::size_t candidate = (next_shard_ + i) % connections_.size();
    if (connections_[candidate] < connections_[best]) best = candidate;
  }
  next_shard_ = best + 1;
  return static_cast<unsigned>(best);
}

// Carries an accepted socket to its shard; comes back when there is no memory for it.
struct Service::Delivery : engine::Runnable {
  ServiceShard* to = nullptr;
  std::unique_ptr<engine::Socket> socket;
  Arrival arrival;
};

void Service::accepted(std::unique_ptr<engine::Socket> socket, std::size_t portal) {
  if (stopping_) return;
  const unsigned index = least_loaded_shard();
  auto* delivery = new (std::nothrow) Delivery;
  if (delivery == nullptr) return;  // closes the socket
  ++connections_[index];
  delivery->to = parts_[index].get();
  delivery->socket = std::move(socket);
  delivery->arrival = {.number = ++arrivals_,
                       .portal = portal,
                       .portal_group_tag = portals_[portal].portal_group_tag};
  delivery->run = [](engine::Runnable& self) noexcept { deliver(static_cast<Delivery&>(self)); };
  control_shard().post(*shards_[index], *delivery);
}

void Service::deliver(Delivery& delivery) noexcept {
  ServiceShard& to = *delivery.to;
  if (to.accept(std::move(delivery.socket), delivery.arrival)) {
    delete &delivery;
    return;
  }
  delivery.run = [](engine::Runnable& self) noexcept {
    const std::unique_ptr<Delivery> back(&static_cast<Delivery&>(self));
    log::limited(log::Level::warning, "listener", "no memory", "no memory for another connection");
    back->to->service().connection_gone(0, back->to->shard().index());
  };
  to.shard().post(to.service().control_shard(), delivery);
}

std::uint16_t Service::free_tsih() {
  do {
    ++last_tsih_;
  } while (last_tsih_ == 0 || sessions_.contains(last_tsih_));
  return last_tsih_;
}

engine::Task<std::expected<OpenSession, LoginRefusal>> Service::open_session(SessionLogin login) {
  using spec::LoginStatus;
  if (login.tsih != 0) {
    LoginRefusal refusal = refuse_to_join(login);
    co_return std::unexpected(std::move(refusal));
  }
  for (;;) {
    const auto old = tsih_of_.find(login.key);
    if (old == tsih_of_.end()) break;
    if (sessions_.at(old->second).login.arrival > login.arrival) {
      LoginRefusal refusal{LoginStatus::service_unavailable,
                           "the initiator has logged in by a later connection already"};
      co_return std::unexpected(std::move(refusal));
    }
    log::limited(log::Level::info, login.key.initiator_name, "reinstatement",
                 "{} reinstates its session with {} (TSIH {})", login.key.initiator_name,
                 login.key.target_name, old->second);
    co_await end_session(old->second);
  }
  if (stopping_ || sessions_.size() >= kMaxSessions) {
    LoginRefusal refusal{LoginStatus::out_of_resources,
                         stopping_ ? "the target is stopping" : "too many sessions"};
    co_return std::unexpected(std::move(refusal));
  }
  const std::uint16_t tsih = free_tsih();
  OpenSession session{.tsih = tsih, .sight = describe_sight(login)};
  tsih_of_[login.key] = tsih;
  sessions_[tsih] = {.login = std::move(login), .waiting_for_end = {}};
  co_return session;
}

std::string Service::describe_sight(const SessionLogin& login) const {
  const std::size_t target = find_target(login.key.target_name);
  const scsi::LunMaps& maps = *targets_[target]->device.maps();
  const auto address = parse_ip_address(login.initiator_address);
  const auto host = std::ranges::find_if(maps.hosts, [&](const auto& each) {
    return each->initiators.matches(login.key.initiator_name, address);
  });
  const bool is_host = host != maps.hosts.end();
  const std::size_t luns = is_host ? (*host)->luns.size() : maps.others.size();
  std::string count = fmt::format("{} LUNs", luns);
  if (luns == 0) count = "no LUNs";
  if (luns == 1) count = "1 LUN";
  if (is_host) return fmt::format("host '{}', {}", (*host)->name, count);
  return maps.hosts.empty() ? count : fmt::format("no host fits it, {}", count);
}

// The session that a TSIH names takes no further connection: MaxConnections is 1. A connection of
// the CID that it has would be a reinstatement of that one (RFC 7143 §6.3.4), which goes by the
// session's reinstatement here.
LoginRefusal Service::refuse_to_join(const SessionLogin& login) const {
  using spec::LoginStatus;
  const auto found = sessions_.find(login.tsih);
  if (found == sessions_.end())
    return {LoginStatus::session_does_not_exist, "no session has this TSIH"};
  const SessionLogin& session = found->second.login;
  const bool is_theirs = session.key.initiator_name == login.key.initiator_name &&
                         session.key.isid == login.key.isid &&
                         session.key.target_name == login.key.target_name;
  if (!is_theirs) return {LoginStatus::session_does_not_exist, "its session has another TSIH"};
  if (session.key.portal_group_tag != login.key.portal_group_tag)
    return {LoginStatus::cannot_include_in_session, "its session is of another portal group"};
  if (session.cid == login.cid)
    return {LoginStatus::cannot_include_in_session, "its session has a connection of this CID"};
  return {LoginStatus::too_many_connections, "its session has a connection, which is the limit"};
}

// Completes when the session's connection has gone.
engine::Task<void> Service::end_session(std::uint16_t tsih) {
  SessionEntry& entry = sessions_.at(tsih);
  engine::Event ended;
  entry.waiting_for_end.push_back(&ended);
  // The connection lives until connection_gone() has run here, and messages keep their order.
  Connection* connection = entry.login.connection;
  auto end = [connection] {
    connection->close("the initiator reinstates the session, or the target was reset");
  };
  auto there = engine::call_on(*shards_[entry.login.shard_index], end);
  co_await there;
  co_await ended;
}

void Service::connection_gone(std::uint16_t tsih, unsigned shard_index) {
  --connections_[shard_index];
  const auto found = sessions_.find(tsih);
  if (tsih == 0 || found == sessions_.end()) return;
  const std::vector<engine::Event*> waiting = std::move(found->second.waiting_for_end);
  tsih_of_.erase(found->second.login.key);
  sessions_.erase(found);
  for (engine::Event* event : waiting) event->set();
}

engine::Task<void> Service::close_sessions_of(std::string target_name, std::uint16_t except_tsih) {
  std::vector<std::uint16_t> theirs;
  for (const auto& [tsih, entry] : sessions_) {
    if (entry.login.key.target_name == target_name && tsih != except_tsih) theirs.push_back(tsih);
  }
  for (const std::uint16_t tsih : theirs) {
    if (sessions_.contains(tsih)) co_await end_session(tsih);
  }
}

std::size_t Service::commands_in_flight() const {
  std::size_t sum = 0;
  for (const auto& part : parts_) sum += part ? part->pools().tasks.in_use() : 0;
  return sum;
}

engine::Task<void> Service::publish(std::size_t target_index,
                                    std::shared_ptr<const scsi::LunMaps> maps) {
  targets_[target_index]->device.set_maps(std::move(maps));
  engine::Gate adopting;
  for (engine::Shard* shard : shards_) adopting.spawn(adopt_on(*shard, target_index));
  co_await adopting.close();
}

engine::Task<void> Service::adopt_on(engine::Shard& shard, std::size_t target_index) {
  auto adopt = [&server = parts_[shard.index()]->device_server(target_index),
                maps = targets_[target_index]->device.maps()] { return server.adopt(maps); };
  auto there = engine::await_on(shard, std::move(adopt));
  co_await there;
}

engine::Task<void> Service::stop(std::uint64_t drain_ns) {
  stopping_ = true;
  listeners_.clear();
  const std::uint64_t deadline_ns = control_shard().now_ns() + drain_ns;
  // Every shard drains at once.
  engine::Gate draining;
  for (engine::Shard* shard : shards_) {
    if (parts_.size() <= shard->index() || !parts_[shard->index()]) continue;
    draining.spawn(stop_part(*shard, deadline_ns));
  }
  co_await draining.close();
}

engine::Task<void> Service::stop_part(engine::Shard& shard, std::uint64_t deadline_ns) {
  auto stop = [this, &shard, deadline_ns] { return parts_[shard.index()]->stop(deadline_ns); };
  auto there = engine::await_on(shard, stop);
  co_await there;
  auto destroy = [this, &shard] { parts_[shard.index()].reset(); };
  auto again = engine::call_on(shard, destroy);
  co_await again;
}

}  // namespace lunar::iscsi
