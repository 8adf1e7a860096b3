#include "iscsi/session/session.h"

#include <cassert>

#include "iscsi/login/port_names.h"
#include "iscsi/session/session_connection.h"

namespace lunar::iscsi {

Session::Session(const Environment& environment, const LoginIdentity& identity,
                 const SessionParameters& parameters)
    : order_(identity.cmd_sn, environment.command_window),
      device_server_(environment.device_server),
      parameters_(parameters),
      identity_(identity) {
  if (device_server_ == nullptr) return;
  nexus_ = std::make_unique<scsi::Nexus>(
      initiator_port_name(identity_),
      target_port_name(identity_.target_name, identity_.portal_group_tag),
      environment.relative_target_port_id, environment.initiator_address);
  nexus_->set_borrower(*this);
  device_server_->attach(*nexus_);
}

Session::~Session() { assert(connections_.empty() && "a session ends with its last connection"); }

// ---- Its connections.

void Session::join(SessionConnection& connection) { connections_.push_back(connection); }

engine::Task<void> Session::leave(SessionConnection& connection) {
  static_cast<SessionHook&>(connection).unlink();
  if (!connections_.empty()) {
    // What came by others may have waited for what came by this one.
    connections_.front().deliver_held();
    for (SessionConnection& other : connections_) other.on_other_left();
    co_return;
  }
  if (!nexus_) co_return;
  co_await device_server_->lose(*nexus_);
  device_server_->detach(*nexus_);
}

SessionConnection* Session::find_connection(std::uint16_t cid) {
  for (SessionConnection& connection : connections_) {
    if (connection.cid() == cid) return &connection;
  }
  return nullptr;
}

bool Session::has_other(const SessionConnection& connection, const SessionConnection* other) {
  for (const SessionConnection& each : connections_) {
    if (&each != &connection && (other == nullptr || &each == other)) return true;
  }
  return false;
}

void Session::close_others(const SessionConnection& connection, const SessionConnection* other) {
  for (SessionConnection& each : connections_) {
    if (&each != &connection && (other == nullptr || &each == other))
      each.close("logged out by another connection of its session");
  }
}

engine::Task<void> Session::lose_nexus() {
  if (nexus_) co_await device_server_->lose(*nexus_);
}

// No list of loans is kept: each connection looks into its queue.
void Session::keep_lent_data(Bytes memory) {
  for (SessionConnection& connection : connections_) connection.keep_lent_data(memory);
}

}  // namespace lunar::iscsi
