// Who owns the connections of a shard: what they need of the service, and what they tell it.
#pragma once

#include <compare>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/network.h"
#include "engine/shard.h"
#include "engine/task.h"
#include "iscsi/login/login_negotiation.h"
#include "iscsi/login/text_request.h"
#include "iscsi/session/session_connection.h"
#include "lunar/types.h"
#include "scsi/target/device_server.h"

namespace lunar::iscsi {

class Connection;

// Which target or portal it is, for as long as the process runs: none has the id of one that is
// gone. Never 0.
using TargetId = Strong<struct TargetIdTag, std::uint32_t>;
using PortalId = Strong<struct PortalIdTag, std::uint32_t>;

// How a connection came to us.
struct Arrival {
  std::uint64_t number = 0;  // in the order of accept, over all portals
  PortalId portal;
  std::uint16_t portal_group_tag = 0;
};

// What makes a session unique: SCSI initiator port and target portal group (RFC 7143 §4.4.3.2).
struct SessionKey {
  std::string initiator_name;
  spec::Isid isid;
  std::string target_name;
  std::uint16_t portal_group_tag = 0;
  friend auto operator<=>(const SessionKey&, const SessionKey&) = default;
};

// One connection's login to a session that it is to make.
struct SessionLogin {
  SessionKey key;
  std::uint16_t tsih = 0;  // as the initiator says: 0 for a new session
  std::uint16_t cid = 0;
  std::uint64_t arrival = 0;  // of the connection, see Arrival
  std::string initiator_address{};
  Connection* connection = nullptr;
  unsigned shard_index = 0;
};

struct OpenSession {
  std::uint16_t tsih = 0;
  std::string sight;  // which host the initiator is and how many LUNs it sees, for the log
  // Of a normal session.
  TargetId target{};
  std::uint16_t relative_target_port_id = 0;
};

// Why it makes none.
struct LoginRefusal {
  spec::LoginStatus status = spec::LoginStatus::target_error;
  std::string reason;
};

// One a shard, called on it. Outlives its connections.
class ConnectionOwner {
 public:
  [[nodiscard]] virtual engine::Shard& shard() = 0;
  [[nodiscard]] virtual SessionPools& pools() = 0;
  [[nodiscard]] virtual const NegotiationPolicy& policy() const = 0;

  // ---- What the portal of a connection shows.
  // As a portal of that group offers the target. Nothing: there is none of the name.
  [[nodiscard]] virtual std::optional<TargetLogin> find_target(
      std::string_view name, std::uint16_t portal_group_tag) const = 0;
  [[nodiscard]] virtual std::vector<std::string> target_names() const = 0;
  // What discovery tells an initiator that has reached us at `reached`.
  [[nodiscard]] virtual std::vector<TargetRecord::Portal> portals_told_at(
      const engine::Endpoint& reached) const = 0;
  // For the log.
  [[nodiscard]] virtual std::string portal_name(const Arrival& arrival) const = 0;
  // Of the target of a session that open_session() has given, until leave().
  [[nodiscard]] virtual scsi::DeviceServer& device_server(TargetId target) = 0;

  // ---- Sessions.
  // Gives a session its TSIH; see Service::open_session().
  virtual engine::Task<std::expected<OpenSession, LoginRefusal>> open_session(
      SessionLogin login) = 0;
  // Ends every session of the target but one (TARGET COLD RESET). Does not wait for their ends.
  virtual void end_other_sessions(std::string target_name, std::uint16_t except_tsih) = 0;

  // ---- The end of a connection.
  // Runs what outlives the connection's own work.
  virtual void spawn(engine::Task<void> work) = 0;
  // The connection is about to go; it had session `tsih`, or 0.
  virtual engine::Task<void> leave(std::uint16_t tsih) = 0;
  // The last that a connection does: its owner destroys it.
  virtual void closed(Connection& connection) = 0;

 protected:
  ~ConnectionOwner() = default;
};

}  // namespace lunar::iscsi
