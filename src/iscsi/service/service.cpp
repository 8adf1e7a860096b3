#include "iscsi/service/service.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <new>
#include <utility>

#include "base/log.h"
#include "base/memory_reserve.h"

namespace lunar::iscsi {

Service::Service(std::span<engine::Shard* const> shards)
    : shards_(shards.begin(), shards.end()), connections_(shards.size()) {}

Service::~Service() { assert(sessions_.empty()); }

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

void Service::accepted(std::unique_ptr<engine::Socket> socket, PortalId portal,
                       std::uint16_t portal_group_tag) {
  if (stopping_) return;
  const unsigned index = least_loaded_shard();
  auto* delivery = new (std::nothrow) Delivery;
  if (delivery == nullptr) return;  // closes the socket
  ++connections_[index];
  delivery->to = parts_[index].get();
  delivery->socket = std::move(socket);
  delivery->arrival = {
      .number = ++arrivals_, .portal = portal, .portal_group_tag = portal_group_tag};
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
  const TargetNode* node = find_target(login.key.target_name);
  const scsi::TargetPort* port =
      node == nullptr || node->is_ending ? nullptr : node->find_port(login.key.portal_group_tag);
  if (port == nullptr) {
    LoginRefusal refusal{LoginStatus::not_found, "the target or its portal is removed"};
    co_return std::unexpected(std::move(refusal));
  }
  const std::uint16_t tsih = free_tsih();
  OpenSession session{.tsih = tsih,
                      .sight = describe_sight(login, *node),
                      .target = node->id,
                      .relative_target_port_id = port->number};
  tsih_of_[login.key] = tsih;
  sessions_[tsih] = {.login = std::move(login), .waiting_for_end = {}};
  co_return session;
}

std::string Service::describe_sight(const SessionLogin& login, const TargetNode& node) const {
  const scsi::LunMaps& maps = *node.device.maps();
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

engine::Task<void> Service::stop(std::uint64_t drain_ns) {
  stopping_ = true;
  for (OpenPortal& open : portals_) open.listener.reset();
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
