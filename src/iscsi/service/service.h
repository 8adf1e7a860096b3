// The iSCSI service of a process: its targets, its portals, and which shard serves whom.
//
// Threads: targets, portals, the session registry and the count of connections live on shard 0, the
// control shard. Each shard has a ServiceShard with its connections, pools and device servers, and
// a snapshot of what initiators are shown (Directory).
//
// Targets and portals come and go while the service runs. One that goes is hidden first, so that no
// session begins; then its connections end; then it is no more. Where a device does not answer, its
// connections stay: so does what they belong to, hidden, until it is removed again.
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/gate.h"
#include "engine/network.h"
#include "engine/restart_patience.h"
#include "engine/shard.h"
#include "iscsi/connection/connection_owner.h"
#include "iscsi/login/login_negotiation.h"
#include "iscsi/service/directory.h"
#include "iscsi/service/portals.h"
#include "iscsi/service/service_shard.h"
#include "scsi/core/target.h"

namespace lunar::iscsi {

constexpr std::size_t kMaxSessions = 65535;  // a TSIH has 16 bits and is not 0
// For how long a portal waits for its address, and how often it looks: engine/restart_patience.h.
constexpr std::uint64_t kPortalPatienceNs = engine::kRestartPatience / std::chrono::nanoseconds(1);
constexpr std::uint64_t kPortalRetryNs = engine::kRestartRetry / std::chrono::nanoseconds(1);
// For how long a target or portal that is removed waits for connections that were closed: for
// devices to give up their commands.
constexpr std::uint64_t kRemovalPatienceNs = 2 * engine::kSecond;

// A target as this node offers it. A portal group is a target port of every target (RFC 7143
// §4.4.2).
struct TargetNode {
  TargetNode(TargetId which, std::size_t place, std::string name, std::string said)
      : id(which), ordinal(place), device(std::move(name)), alias(std::move(said)) {}

  const TargetId id;
  // Its place among the targets, the lowest that was free: the numbers of its ports come from it.
  const std::size_t ordinal;
  scsi::Target device;  // name, LUN maps, ports
  std::string alias;
  // By portal group tag.
  std::map<std::uint16_t, scsi::PortGroupOptions> port_groups;  // of which something is said
  std::map<std::uint16_t, std::uint16_t> port_numbers;          // scsi::TargetPort::number
  bool is_ending = false;

  // Null: no portal has the tag.
  [[nodiscard]] const scsi::TargetPort* find_port(std::uint16_t portal_group_tag) const {
    const auto found = port_numbers.find(portal_group_tag);
    return found == port_numbers.end() ? nullptr : device.ports()->find(found->second);
  }
};

class Service {
 public:
  // `shards` outlive it; the first is the control shard.
  explicit Service(std::span<engine::Shard* const> shards);
  ~Service();

  // ---- Before start().
  [[nodiscard]] NegotiationPolicy& policy() { return policy_; }

  // ---- On the control shard. One call at a time of those that change targets and portals, and
  // none during start() and stop().
  // Makes each shard's part.
  engine::Task<Result<void>> start();

  // Without LUNs, reached by all portals. Before start(), too. already_exists; out_of_range: there
  // is no number for one of its ports.
  engine::Task<Result<TargetNode*>> add_target(std::string name, std::string alias = {});
  // Its sessions end: commands in flight may finish for `drain_ns`. What its LUN maps lead to is
  // used no more when it completes. busy: connections are left after kRemovalPatienceNs.
  engine::Task<Result<void>> remove_target(TargetId target, std::uint64_t drain_ns);
  // Puts a target's LUN maps into force on every shard; see DeviceServer::adopt.
  engine::Task<void> publish(TargetId target, std::shared_ptr<const scsi::LunMaps> maps);
  // How the target is reached by the portals of a group, also of one that comes later. In force on
  // every shard, but that logical units may have another state: scsi::PortGroupsReset.
  engine::Task<void> set_port_group(TargetId target, std::uint16_t portal_group_tag,
                                    scsi::PortGroupOptions options);
  [[nodiscard]] const std::vector<std::unique_ptr<TargetNode>>& targets() const { return targets_; }
  [[nodiscard]] TargetNode* find_target(std::string_view name) const;  // null: none

  // Opens all of them or none; check_beside() had nothing to say of them. After start(). Each is a
  // target port of every target, with the others of its group. A killed lunar's addresses are
  // waited for, for `patience_ns` at most; no connection is accepted before all portals are open.
  // Errors of Network::open_listener; out_of_range: more than kMaxPortals, or too many portal
  // groups.
  engine::Task<Result<void>> open_portals(std::vector<Portal> portals,
                                          std::uint64_t patience_ns = kPortalPatienceNs);
  // Connections by it end, as those of remove_target(); with the last portal of a group its target
  // ports go. busy: as there.
  engine::Task<Result<void>> remove_portal(PortalId portal, std::uint64_t drain_ns);
  // Where it listens, "127.0.0.1:3260"; one whose removal has failed comes first.
  // Null: there is none.
  [[nodiscard]] const Portal* find_portal(std::string_view address) const;
  [[nodiscard]] bool has_portal_group(std::uint16_t portal_group_tag) const;
  // Those that are open, with the ports that were free for port 0.
  [[nodiscard]] std::span<const Portal> portals() const { return directory_->portals; }

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
  [[nodiscard]] const NegotiationPolicy& policy() const { return policy_; }
  [[nodiscard]] engine::Shard& control_shard() { return *shards_.front(); }
  [[nodiscard]] ServiceShard& on(unsigned shard_index) { return *parts_[shard_index]; }
  // For a ServiceShard that is made.
  [[nodiscard]] const std::shared_ptr<const Directory>& directory() const { return directory_; }

 private:
  struct SessionEntry {
    SessionLogin login;
    std::vector<engine::Event*> waiting_for_end;
  };
  struct OpenPortal {
    Portal portal;
    std::unique_ptr<engine::Listener> listener;  // null: it is ending
  };
  using PartCall = std::function<void(ServiceShard&)>;

  engine::Task<Result<OpenPortal>> open_portal(Portal portal, std::uint64_t deadline_ns);
  void listen(OpenPortal& open);
  [[nodiscard]] TargetNode& target_of(TargetId target) const;
  // `call` stays until it completes.
  engine::Task<void> call_on_parts(const PartCall& call);
  engine::Task<void> publish_directory();
  engine::Task<void> publish_ports();
  Result<void> add_target_port(TargetNode& target, std::uint16_t portal_group_tag);
  Result<void> add_target_ports(std::uint16_t portal_group_tag);
  void remove_target_ports(std::uint16_t portal_group_tag);
  [[nodiscard]] std::uint16_t free_port_number(std::size_t ordinal,
                                               std::uint16_t portal_group_tag) const;
  [[nodiscard]] std::size_t free_ordinal() const;
  engine::Task<std::size_t> end_connections(ConnectionEnd end, std::uint64_t drain_ns);
  engine::Task<void> end_connections_on(ServiceShard& part, const ConnectionEnd& end,
                                        std::size_t& left);

  [[nodiscard]] std::string describe_sight(const SessionLogin& login, const TargetNode& node) const;
  [[nodiscard]] LoginRefusal refuse_to_join(const SessionLogin& login) const;
  struct Delivery;
  void accepted(std::unique_ptr<engine::Socket> socket, PortalId portal,
                std::uint16_t portal_group_tag);
  static void deliver(Delivery& delivery) noexcept;
  [[nodiscard]] unsigned least_loaded_shard();
  engine::Task<void> end_session(std::uint16_t tsih);
  engine::Task<void> adopt_on(ServiceShard& part, const TargetNode& target);
  engine::Task<void> stop_part(engine::Shard& shard, std::uint64_t deadline_ns);
  [[nodiscard]] std::uint16_t free_tsih();

  std::vector<engine::Shard*> shards_;
  NegotiationPolicy policy_;
  std::vector<std::unique_ptr<TargetNode>> targets_;
  std::vector<OpenPortal> portals_;
  std::shared_ptr<const Directory> directory_ = std::make_shared<const Directory>();
  std::vector<std::unique_ptr<ServiceShard>> parts_;
  std::uint32_t last_target_id_ = 0;
  std::uint32_t last_portal_id_ = 0;
  std::uint64_t arrivals_ = 0;
  std::map<std::uint16_t, SessionEntry> sessions_;  // by TSIH
  std::map<SessionKey, std::uint16_t> tsih_of_;
  std::vector<std::size_t> connections_;  // by shard
  std::size_t next_shard_ = 0;            // where to start looking for the least loaded
  std::uint16_t last_tsih_ = 0;
  bool stopping_ = false;
};

}  // namespace lunar::iscsi
