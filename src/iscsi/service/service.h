// The iSCSI service of a process: its targets, its portals, and which shard serves whom.
//
// Threads: a Service is set up before the shards serve it (add_target), and its target list is
// immutable then, so every shard reads it. Listeners, the session registry and the count of
// connections live on shard 0, the control shard; each shard has a ServiceShard with its
// connections, pools and device servers.
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/cache_line.h"
#include "engine/gate.h"
#include "engine/network.h"
#include "engine/restart_patience.h"
#include "engine/shard.h"
#include "iscsi/connection/connection.h"
#include "iscsi/connection/connection_owner.h"
#include "iscsi/login/login_negotiation.h"
#include "iscsi/service/portals.h"
#include "iscsi/session/session_connection.h"
#include "scsi/core/target.h"
#include "scsi/target/device_server.h"

namespace lunar::iscsi {

constexpr std::size_t kMaxSessions = 65535;  // a TSIH has 16 bits and is not 0
// For how long a portal waits for its address, and how often it looks: engine/restart_patience.h.
constexpr std::uint64_t kPortalPatienceNs = engine::kRestartPatience / std::chrono::nanoseconds(1);
constexpr std::uint64_t kPortalRetryNs = engine::kRestartRetry / std::chrono::nanoseconds(1);

// A target as this node offers it.
struct TargetNode {
  explicit TargetNode(std::string name) : device(std::move(name)) {}
  scsi::Target device;  // name and LUN map
  std::string alias;
};

class Service;

// A shard's part of the service.
class alignas(kCacheLine) ServiceShard final : public ConnectionOwner {
 public:
  ServiceShard(Service& service, engine::Shard& shard);
  ~ServiceShard();

  [[nodiscard]] Service& service() { return service_; }
  [[nodiscard]] scsi::DeviceServer& device_server(std::size_t target_index) {
    return *device_servers_[target_index];
  }

  // A connection for this shard. False: there is no memory for it.
  bool accept(std::unique_ptr<engine::Socket> socket, const Arrival& arrival);
  [[nodiscard]] std::size_t connection_count() { return connections_.size(); }

  // Lets commands in flight finish until `deadline_ns`, then closes every connection; completes
  // when all are gone.
  engine::Task<void> stop(std::uint64_t deadline_ns);

  // ---- ConnectionOwner
  [[nodiscard]] engine::Shard& shard() override { return shard_; }
  [[nodiscard]] SessionPools& pools() override { return pools_; }
  [[nodiscard]] const NegotiationPolicy& policy() const override;
  [[nodiscard]] std::optional<TargetLogin> find_target(
      std::string_view name, std::uint16_t portal_group_tag) const override;
  [[nodiscard]] std::vector<std::string> target_names() const override;
  [[nodiscard]] std::vector<TargetRecord::Portal> portals_told_at(
      const engine::Endpoint& reached) const override;
  [[nodiscard]] std::string portal_name(const Arrival& arrival) const override;
  [[nodiscard]] scsi::DeviceServer& device_server(std::string_view target_name) override;
  engine::Task<std::expected<OpenSession, LoginRefusal>> open_session(SessionLogin login) override;
  void end_other_sessions(std::string target_name, std::uint16_t except_tsih) override;
  void spawn(engine::Task<void> work) override { gate_.spawn(std::move(work)); }
  engine::Task<void> leave(std::uint16_t tsih) override;
  void closed(Connection& connection) override;

 private:
  Service& service_;
  engine::Shard& shard_;
  SessionPools pools_;
  std::vector<std::unique_ptr<scsi::DeviceServer>> device_servers_;
  List<Connection, ConnectionHook> connections_;
  engine::Gate gate_;
  bool stopping_ = false;
};

class Service {
 public:
  // `shards` outlive it; the first is the control shard.
  explicit Service(std::span<engine::Shard* const> shards);
  ~Service();

  // ---- Before start().
  TargetNode& add_target(std::string name);
  [[nodiscard]] NegotiationPolicy& policy() { return policy_; }

  // ---- On the control shard.
  // Makes each shard's part.
  engine::Task<Result<void>> start();
  // Opens all portals, of which check_beside() had nothing to say; each is a target port of every
  // target, with the others of its group. Once. A killed lunar's addresses are waited for, for
  // kPortalPatienceNs at most; no connection is accepted before all portals are open. Errors of
  // Network::open_listener; out_of_range: too many portal groups.
  engine::Task<Result<void>> open_portals(std::vector<Portal> portals);
  // Puts a target's LUN maps into force on every shard; see DeviceServer::adopt. One call at a
  // time, none during stop().
  engine::Task<void> publish(std::size_t target_index, std::shared_ptr<const scsi::LunMaps> maps);
  // Commands whose answers have not left, of all targets. Not during start() and stop().
  [[nodiscard]] std::size_t commands_in_flight() const;
  // No new connections; drains for at most `drain_ns`, then closes. Completes when nothing is left.
  engine::Task<void> stop(std::uint64_t drain_ns);

  // Gives a session its TSIH. A session of the same key is closed first (RFC 7143 §6.3.5:
  // reinstatement), unless its connection came later: logins take effect in the order in which
  // their connections were accepted, whatever shards they are on.
  engine::Task<std::expected<OpenSession, LoginRefusal>> open_session(SessionLogin login);
  // The connection is about to go; it had session `tsih`, or 0.
  void connection_gone(std::uint16_t tsih, unsigned shard_index);
  // Closes every session of a target but one (TARGET COLD RESET).
  engine::Task<void> close_sessions_of(std::string target_name, std::uint16_t except_tsih);

  // ---- From any shard.
  [[nodiscard]] const std::vector<std::unique_ptr<TargetNode>>& targets() const { return targets_; }
  [[nodiscard]] std::size_t find_target(std::string_view name) const;  // targets().size(): none
  [[nodiscard]] const NegotiationPolicy& policy() const { return policy_; }
  [[nodiscard]] engine::Shard& control_shard() { return *shards_.front(); }
  [[nodiscard]] ServiceShard& on(unsigned shard_index) { return *parts_[shard_index]; }
  // With the ports that were free for port 0. Immutable while connections exist: portals open
  // before the first.
  [[nodiscard]] std::span<const Portal> portals() const { return portals_; }

 private:
  struct SessionEntry {
    SessionLogin login;
    std::vector<engine::Event*> waiting_for_end;
  };

  engine::Task<Result<void>> open_portal(Portal& portal, std::uint64_t deadline_ns);
  [[nodiscard]] std::string describe_sight(const SessionLogin& login) const;
  [[nodiscard]] LoginRefusal refuse_to_join(const SessionLogin& login) const;
  Result<void> add_target_ports(std::uint16_t portal_group_tag);
  [[nodiscard]] std::uint16_t free_port_number(std::size_t target, std::uint16_t portal_group_tag);
  struct Delivery;
  void accepted(std::unique_ptr<engine::Socket> socket, std::size_t portal);
  static void deliver(Delivery& delivery) noexcept;
  [[nodiscard]] unsigned least_loaded_shard();
  engine::Task<void> end_session(std::uint16_t tsih);
  engine::Task<void> adopt_on(engine::Shard& shard, std::size_t target_index);
  engine::Task<void> stop_part(engine::Shard& shard, std::uint64_t deadline_ns);
  [[nodiscard]] std::uint16_t free_tsih();

  std::vector<engine::Shard*> shards_;
  NegotiationPolicy policy_;
  std::vector<std::unique_ptr<TargetNode>> targets_;
  std::vector<std::unique_ptr<ServiceShard>> parts_;
  std::vector<std::unique_ptr<engine::Listener>> listeners_;
  std::vector<Portal> portals_;  // as listeners_
  std::uint64_t arrivals_ = 0;
  std::map<std::uint16_t, SessionEntry> sessions_;  // by TSIH
  std::map<SessionKey, std::uint16_t> tsih_of_;
  std::vector<std::size_t> connections_;  // by shard
  std::size_t next_shard_ = 0;            // where to start looking for the least loaded
  std::uint16_t last_tsih_ = 0;
  bool stopping_ = false;
};

}  // namespace lunar::iscsi
