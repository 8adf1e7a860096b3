// A shard's part of the iSCSI service: its connections, pools and device servers.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/cache_line.h"
#include "engine/gate.h"
#include "engine/network.h"
#include "engine/shard.h"
#include "iscsi/connection/connection.h"
#include "iscsi/connection/connection_owner.h"
#include "iscsi/service/directory.h"
#include "iscsi/session/session_connection.h"
#include "scsi/target/device_server.h"

namespace lunar::iscsi {

class Service;
struct TargetNode;

// Which connections end, by when, and why.
struct ConnectionEnd {
  std::function<bool(const Connection&)> which;
  std::uint64_t drain_until_ns = 0;  // commands in flight may finish until then
  std::uint64_t give_up_ns = 0;      // for how long closed connections are waited for
  std::string_view why;              // as Connection::close() has it
};

// Threading: its shard, but for the service's use of its address.
class alignas(kCacheLine) ServiceShard final : public ConnectionOwner {
 public:
  ServiceShard(Service& service, engine::Shard& shard);
  ~ServiceShard();

  [[nodiscard]] Service& service() { return service_; }

  // ---- What the control shard has decided.
  void adopt(std::shared_ptr<const Directory> directory) { directory_ = std::move(directory); }
  void add_target(TargetNode& target);
  // No connection of it is left.
  void remove_target(TargetId target) { device_servers_.erase(target); }

  // A connection for this shard. False: there is no memory for it.
  bool accept(std::unique_ptr<engine::Socket> socket, const Arrival& arrival);
  [[nodiscard]] std::size_t connection_count() { return connections_.size(); }

  // Lets their commands in flight finish, then closes them; completes when they are gone, or have
  // been waited for long enough. How many are left. `end` stays until then.
  engine::Task<std::size_t> end_connections(const ConnectionEnd& end);
  // All of them, and completes when all are gone.
  engine::Task<void> stop(std::uint64_t drain_until_ns);

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
  [[nodiscard]] scsi::DeviceServer& device_server(TargetId target) override;
  engine::Task<std::expected<OpenSession, LoginRefusal>> open_session(SessionLogin login) override;
  void end_other_sessions(std::string target_name, std::uint16_t except_tsih) override;
  void spawn(engine::Task<void> work) override { gate_.spawn(std::move(work)); }
  engine::Task<void> leave(std::uint16_t tsih) override;
  void closed(Connection& connection) override;

 private:
  Service& service_;
  engine::Shard& shard_;
  std::shared_ptr<const Directory> directory_;
  SessionPools pools_;
  std::map<TargetId, std::unique_ptr<scsi::DeviceServer>> device_servers_;
  List<Connection, ConnectionHook> connections_;
  engine::Gate gate_;
  bool stopping_ = false;
};

}  // namespace lunar::iscsi
