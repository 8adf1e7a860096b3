// A connection logs in, and its session begins (RFC 7143 §6.3).
#include <utility>

#include "base/log.h"
#include "iscsi/connection/connection.h"

namespace lunar::iscsi {

Placement Connection::on_header(InboundPdu&, bool) {
  return state_ == State::login ? Placement() : Placement::stall();
}

void Connection::on_pdu(InboundPdu& pdu) {
  if (state_ != State::login) return;
  if (pdu.bhs.opcode() != spec::Opcode::login_request) {
    send_login_reply(
        login_->refuse(spec::LoginStatus::invalid_during_login, "not a Login Request"));
    return;
  }
  LoginReply reply = login_->handle(spec::pdu_cast<spec::LoginRequest>(pdu.bhs), pdu.data);
  if (reply.outcome != LoginOutcome::full_feature) {
    send_login_reply(std::move(reply));
    return;
  }
  transition(State::establishing);
  gate_.spawn(establish(std::move(reply)));
}

void Connection::on_format_error(std::string_view what) { close(what); }

void Connection::send_login_reply(LoginReply reply) {
  OutboundPdu& out = protocol_.queue().make();
  copy_data(out, as_bytes(std::string_view(reply.text)));
  protocol_.queue().push(out, reply.bhs);
  output_ready();
  if (reply.outcome == LoginOutcome::refused) {
    log::limited(log::Level::info, peer_address(), "login refused", "{}: login refused: {}", peer_,
                 reply.reason);
    close_after_output();
  }
}

// Registers the session, which first ends one that it reinstates, then answers the last Login
// Request.
engine::Task<void> Connection::establish(LoginReply reply) {
  // Whoever has gone wants no session, and must not end one that it has by another connection: such
  // logins stand in the backlog of a daemon that was stopped for a while.
  if (stream_->is_over()) {
    end("the initiator has left before its login took effect");
    co_return;
  }
  auto session = co_await register_session();
  if (state_ != State::establishing) co_return;  // closed meanwhile
  if (!session) {
    LoginRefusal& refusal = session.error();
    send_login_reply(login_->refuse(refusal.status, std::move(refusal.reason)));
    co_return;
  }
  reply.bhs.tsih = session->tsih;
  guarded([&] {
    send_login_reply(std::move(reply));
    if (state_ == State::establishing) begin_full_feature(*session);
  });
}

engine::Task<std::expected<OpenSession, LoginRefusal>> Connection::register_session() {
  const LoginIdentity& identity = login_->identity();
  if (identity.session_type == SessionType::discovery && identity.tsih == 0) {
    OpenSession discovery{.tsih = 1, .sight = {}};  // there is nothing to register
    co_return discovery;
  }
  SessionLogin login{.key = {.initiator_name = identity.initiator_name,
                             .isid = identity.isid,
                             .target_name = identity.target_name,
                             .portal_group_tag = identity.portal_group_tag},
                     .tsih = identity.tsih,
                     .cid = identity.cid,
                     .arrival = arrival_.number,
                     .initiator_address = stream_->remote().address,
                     .connection = this,
                     .shard_index = shard_.index()};
  auto opening = owner_.open_session(std::move(login));
  auto session = co_await opening;
  if (session) tsih_ = session->tsih;
  co_return session;
}

void Connection::begin_full_feature(const OpenSession& session) {
  const LoginIdentity& identity = login_->identity();
  const Parameters& parameters = login_->parameters();
  scsi::DeviceServer* server = nullptr;
  if (identity.session_type == SessionType::normal) server = &owner_.device_server(session.target);
  const Session::Environment environment{.device_server = server,
                                         .relative_target_port_id = session.relative_target_port_id,
                                         .command_window = owner_.policy().command_window,
                                         .initiator_address = stream_->remote().address};
  protocol_.join(std::make_shared<Session>(environment, identity, parameters), identity.cid,
                 parameters, login_->next_stat_sn());
  transition(State::full_feature);
  shard_.arm(alarm_, shard_.now_ns() + kNopIntervalNs);
  log_login(identity, session);
  login_.reset();
  protocol_.receiver().resume();
  wake_reader();
}

void Connection::log_login(const LoginIdentity& identity, const OpenSession& session) const {
  const std::string portal = owner_.portal_name(arrival_);
  if (identity.session_type == SessionType::discovery) {
    log::limited(log::Level::info, peer_address(), "login",
                 "{}: {} logged in to discovery by portal {} on shard {}", peer_,
                 identity.initiator_name, portal, shard_.index());
    return;
  }
  log::limited(log::Level::info, peer_address(), "login",
               "{}: {} logged in to {} by portal {} on shard {} (TSIH {}): {}", peer_,
               identity.initiator_name, identity.target_name, portal, shard_.index(), session.tsih,
               session.sight);
}

// ---- The targets as this connection's portal shows them.

std::expected<TargetLogin, spec::LoginStatus> Connection::find_target(std::string_view target_name,
                                                                      std::string_view) const {
  std::optional<TargetLogin> target = owner_.find_target(target_name, arrival_.portal_group_tag);
  if (!target) return std::unexpected(spec::LoginStatus::not_found);
  return std::move(*target);
}

AuthPolicy Connection::discovery_auth(std::string_view) const { return {}; }

std::vector<TargetRecord::Portal> Connection::portal_records() const {
  return owner_.portals_told_at(stream_->local());
}

std::vector<TargetRecord> Connection::list_targets(std::string_view) const {
  std::vector<TargetRecord> records;
  for (std::string& name : owner_.target_names())
    records.push_back({std::move(name), portal_records()});
  return records;
}

std::optional<TargetRecord> Connection::find_record(std::string_view target_name,
                                                    std::string_view) const {
  std::optional<TargetLogin> target = owner_.find_target(target_name, arrival_.portal_group_tag);
  if (!target) return std::nullopt;
  return TargetRecord{std::move(target->name), portal_records()};
}

}  // namespace lunar::iscsi
