// The iSCSI service of a process: its targets, its portals, and which shard serves whom.
//
// Threads: a Service is set up before the shards serve it (add_target), and its target list is
// immutable then, so every shard reads it. Listeners, the session registry and the count of
// connections live on shard 0, the control shard; each shard has a ServiceShard with its
// connections, pools and device servers.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/cache_line.h"
#include "engine/gate.h"
#include "engine/network.h"
#include "engine/shard.h"
#include "iscsi/connection.h"
#include "iscsi/login_negotiation.h"
#include "iscsi/session.h"
#include "scsi/device_server.h"
#include "scsi/target.h"

namespace lunar::iscsi {

constexpr std::uint16_t kDefaultPortalGroupTag = 1;
constexpr std::size_t kMaxSessions = 65535;  // a TSIH has 16 bits and is not 0

// A target as this node offers it.
struct TargetNode {
  explicit TargetNode(std::string name) : device(std::move(name)) {}
  scsi::Target device;  // name and LUN map
  std::string alias;
};

// What makes a session unique: SCSI initiator port and target portal group (RFC 7143 §4.4.3.2).
struct SessionKey {
  std::string initiator_name;
  spec::Isid isid;
  std::string target_name;
  std::uint16_t portal_group_tag = 0;
  friend auto operator<=>(const SessionKey&, const SessionKey&) = default;
};

class Service;

// A shard's part of the service.
class alignas(kCacheLine) ServiceShard {
 public:
  ServiceShard(Service& service, engine::Shard& shard);
  ~ServiceShard();

  [[nodiscard]] Service& service() { return service_; }
  [[nodiscard]] engine::Shard& shard() { return shard_; }
  [[nodiscard]] SessionPools& pools() { return pools_; }
  [[nodiscard]] scsi::DeviceServer& device_server(std::size_t target_index) {
    return *device_servers_[target_index];
  }

  // A connection for this shard. False: there is no memory for it.
  bool accept(std::unique_ptr<engine::Socket> socket, std::uint16_t portal_group_tag);
  // The connection is closed and deletes itself.
  void closed(Connection& connection);
  [[nodiscard]] engine::Gate& gate() { return gate_; }
  [[nodiscard]] std::size_t connection_count() { return connections_.size(); }

  // Lets commands in flight finish until `deadline_ns`, then closes every connection; completes
  // when all are gone.
  engine::Task<void> stop(std::uint64_t deadline_ns);

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
  // Opens a portal, a target port of every target with the others of its group; gives where it
  // listens.
  Result<engine::Endpoint> listen(const engine::Endpoint& at,
                                  std::uint16_t portal_group_tag = kDefaultPortalGroupTag);
  // Puts a target's LUN maps into force on every shard; see DeviceServer::adopt. One call at a
  // time, none during stop().
  engine::Task<void> publish(std::size_t target_index, std::shared_ptr<const scsi::LunMaps> maps);
  // Commands whose answers have not left, of all targets. Not during start() and stop().
  [[nodiscard]] std::size_t commands_in_flight() const;
  // No new connections; drains for at most `drain_ns`, then closes. Completes when nothing is left.
  engine::Task<void> stop(std::uint64_t drain_ns);

  // Gives a session its TSIH. A session of the same key is closed first (RFC 7143 §6.3.5:
  // reinstatement).
  engine::Task<Result<std::uint16_t>> open_session(SessionKey key, Connection* connection,
                                                   unsigned shard_index);
  // The connection is about to go; it had session `tsih`, or 0.
  void connection_gone(std::uint16_t tsih, unsigned shard_index);
  // Closes every session of a target but one (TARGET COLD RESET).
  engine::Task<void> close_sessions_of(std::string target_name, std::uint16_t except_tsih);

  // The same, from `shard`.
  engine::Task<void> reset_target_from(engine::Shard& shard, std::string target_name,
                                       std::uint16_t except_tsih);

  // ---- From any shard.
  [[nodiscard]] const std::vector<std::unique_ptr<TargetNode>>& targets() const { return targets_; }
  [[nodiscard]] std::size_t find_target(std::string_view name) const;  // targets().size(): none
  [[nodiscard]] const NegotiationPolicy& policy() const { return policy_; }
  [[nodiscard]] engine::Shard& control_shard() { return *shards_.front(); }
  [[nodiscard]] ServiceShard& on(unsigned shard_index) { return *parts_[shard_index]; }
  // Where portals listen; immutable while connections exist: portals open before the first and
  // close together.
  struct Portal {
    engine::Endpoint endpoint;
    std::uint16_t portal_group_tag;
  };
  // A copy, from any shard.
  [[nodiscard]] std::shared_ptr<const std::vector<Portal>> portals() const {
    return portals_.load();
  }

 private:
  struct SessionEntry {
    SessionKey key;
    Connection* connection = nullptr;
    unsigned shard_index = 0;
    std::vector<engine::Event*> waiting_for_end;
  };

  Result<void> add_target_ports(std::uint16_t portal_group_tag);
  [[nodiscard]] std::uint16_t free_port_number(std::size_t target, std::uint16_t portal_group_tag);
  struct Delivery;
  void accepted(std::unique_ptr<engine::Socket> socket, std::uint16_t portal_group_tag);
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
  std::atomic<std::shared_ptr<const std::vector<Portal>>> portals_;
  std::map<std::uint16_t, SessionEntry> sessions_;  // by TSIH
  std::map<SessionKey, std::uint16_t> tsih_of_;
  std::vector<std::size_t> connections_;  // by shard
  std::size_t next_shard_ = 0;            // where to start looking for the least loaded
  std::uint16_t last_tsih_ = 0;
  bool stopping_ = false;
};

}  // namespace lunar::iscsi
