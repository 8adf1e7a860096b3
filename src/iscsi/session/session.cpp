#include "iscsi/session/session.h"

#include <cassert>
#include <cstring>

#include "base/log.h"
#include "iscsi/login/port_names.h"
#include "iscsi/session/send.h"
#include "iscsi/spec/serial.h"

namespace lunar::iscsi {

Session::Session(const Environment& environment, const LoginIdentity& identity,
                 const Parameters& parameters, std::uint32_t next_stat_sn)
    : shard_(environment.shard),
      pools_(environment.pools),
      queue_(environment.queue),
      host_(environment.host),
      device_server_(environment.device_server),
      identity_(identity),
      parameters_(parameters),
      text_(environment.policy, environment.lister, identity_, parameters_),
      exp_cmd_sn_(identity.cmd_sn),
      stat_sn_(next_stat_sn),
      command_window_(environment.policy.command_window),
      initiator_address_(environment.initiator_address) {
  buffer_waiter_.session = this;
  buffer_waiter_.run = [](engine::Runnable& self) noexcept {
    Session& session = *static_cast<Waiter&>(self).session;
    session.guarded([&] { session.on_buffer(); });
  };
  if (device_server_ != nullptr) {
    nexus_ = std::make_unique<scsi::Nexus>(
        initiator_port_name(identity_),
        target_port_name(identity_.target_name, identity_.portal_group_tag),
        environment.relative_target_port_id, environment.initiator_address);
    nexus_->set_borrower(*this);
    device_server_->attach(*nexus_);
  }
}

Session::~Session() {
  assert(tasks_.size() == 0 && unsent_tasks_ == 0 && "a session must be stopped before it goes");
  while (!held_.empty()) delete &held_.pop_front();
}

// ---- The command window (RFC 7143 §4.2.2.1).

// Every response opens a place: commands that are still being worked on count against the window.
std::uint32_t Session::max_cmd_sn() const {
  return exp_cmd_sn_ + (command_window_ - windowed_tasks_) - 1;
}

Session::Delivery Session::delivery_of(const spec::Bhs& bhs) {
  if (bhs.immediate()) return Delivery::now;
  const std::uint32_t cmd_sn = spec::pdu_cast<spec::ScsiCommand>(bhs).cmd_sn;
  if (cmd_sn == exp_cmd_sn_ && windowed_tasks_ < command_window_) return Delivery::now;
  if (!spec::sn_in_window(cmd_sn, exp_cmd_sn_, max_cmd_sn())) return Delivery::ignore;
  return find_held(cmd_sn) != nullptr ? Delivery::ignore : Delivery::hold;
}

Session::HeldRequest* Session::find_held(std::uint32_t cmd_sn) {
  for (HeldRequest& held : held_) {
    if (held.cmd_sn == cmd_sn) return &held;
  }
  return nullptr;
}

void Session::consume_cmd_sn(const spec::Bhs& bhs) {
  if (!bhs.immediate()) ++exp_cmd_sn_;
}

// A command's turn in the order has come: from here on it takes a place in the window. Not before,
// or commands that are held would close the window that was advertised to them.
void Session::admit(Task& task) {
  if (task.immediate) return;
  ++exp_cmd_sn_;
  ++windowed_tasks_;
  task.windowed = true;
}

Session::HeldRequest& Session::insert_held(std::uint32_t cmd_sn) {
  auto* request = new HeldRequest;  // not the ordinary path: one connection delivers in order
  request->cmd_sn = cmd_sn;
  for (HeldRequest& other : held_) {
    if (spec::sn_less(cmd_sn, other.cmd_sn)) {
      held_.insert_before(other, *request);
      return *request;
    }
  }
  held_.push_back(*request);
  return *request;
}

void Session::hold(const InboundPdu& pdu, Task* task) {
  std::size_t bytes = task == nullptr ? pdu.data.size() : 0;
  for (const HeldRequest& held : held_) bytes += held.data.size();
  if (bytes > kMaxHeldBytes) {
    host_.close_now("too much waits for a CmdSN that does not come");
    return;
  }
  HeldRequest& request = insert_held(spec::pdu_cast<spec::ScsiCommand>(pdu.bhs).cmd_sn);
  request.bhs = pdu.bhs;
  request.has_request = true;
  request.task = task;
  if (task != nullptr) return;
  request.data.assign(pdu.data.begin(), pdu.data.end());
}

void Session::hold_place(std::uint32_t cmd_sn) {
  insert_held(cmd_sn);
  deliver_held();
}

void Session::deliver_held_requests() {
  while (!held_.empty() && held_.front().cmd_sn == exp_cmd_sn_ && !logged_out_ && !stopping_) {
    const std::unique_ptr<HeldRequest> request(&held_.pop_front());
    if (request->task != nullptr) {
      admit(*request->task);
      request->task->held = false;
      deliver(*request->task);
      continue;
    }
    ++exp_cmd_sn_;
    if (request->has_request) {
      InboundPdu pdu;
      pdu.bhs = request->bhs;
      pdu.data = request->data;
      pdu.data_length = static_cast<std::uint32_t>(request->data.size());
      dispatch(pdu);
    }
  }
}

// ---- Receiving.

Placement Session::on_header(InboundPdu& pdu, bool whole) {
  if (queue_.count() >= kMaxQueuedPdus) [[unlikely]]
    return Placement::stall();
  if (logged_out_) return Placement::discard();
  switch (pdu.bhs.opcode()) {
    case spec::Opcode::scsi_command: return place_command_data(pdu, whole);
    case spec::Opcode::data_out: return place_data_out(pdu, whole);
    case spec::Opcode::nop_out:
    case spec::Opcode::task_management_request:
    case spec::Opcode::login_request:
    case spec::Opcode::text_request:
    case spec::Opcode::logout_request:
    case spec::Opcode::snack_request:
    case spec::Opcode::nop_in:
    case spec::Opcode::scsi_response:
    case spec::Opcode::task_management_response:
    case spec::Opcode::login_response:
    case spec::Opcode::text_response:
    case spec::Opcode::data_in:
    case spec::Opcode::logout_response:
    case spec::Opcode::r2t:
    case spec::Opcode::async_message:
    case spec::Opcode::reject: break;
  }
  return {};
}

void Session::on_pdu(InboundPdu& pdu) {
  ++received_pdus_;
  if (logged_out_) return;
  const spec::Opcode opcode = pdu.bhs.opcode();
  if (opcode == spec::Opcode::scsi_command) {
    on_scsi_command(pdu);
    return;
  }
  if (opcode == spec::Opcode::data_out) {
    on_data_out(pdu);
    return;
  }
  if (!pdu.digest_ok) {
    // RFC 7143 §7.8: the PDU is discarded, so its CmdSN is not consumed.
    reject(pdu.bhs, spec::RejectReason::data_digest_error, "wrong data digest");
    return;
  }
  const bool numbered =
      opcode == spec::Opcode::nop_out || opcode == spec::Opcode::task_management_request ||
      opcode == spec::Opcode::text_request || opcode == spec::Opcode::logout_request;
  if (!numbered) {
    dispatch(pdu);
    return;
  }
  switch (delivery_of(pdu.bhs)) {
    case Delivery::ignore: return;
    case Delivery::hold: hold(pdu, nullptr); return;
    case Delivery::now:
      consume_cmd_sn(pdu.bhs);
      dispatch(pdu);
      deliver_held();
      return;
  }
}

void Session::on_format_error(std::string_view what) { host_.close_now(what); }

void Session::dispatch(const InboundPdu& pdu) {
  switch (pdu.bhs.opcode()) {
    case spec::Opcode::nop_out: on_nop_out(pdu); return;
    case spec::Opcode::task_management_request: on_task_management(pdu); return;
    case spec::Opcode::text_request: on_text_request(pdu); return;
    case spec::Opcode::logout_request: on_logout_request(pdu); return;
    case spec::Opcode::snack_request:
      // RFC 7143 §11.16: only with ErrorRecoveryLevel 1 or 2.
      reject(pdu.bhs, spec::RejectReason::snack_reject, "SNACK at ErrorRecoveryLevel 0");
      return;
    case spec::Opcode::login_request:
      reject(pdu.bhs, spec::RejectReason::protocol_error,
             "Login Request in the full feature phase");
      return;
    case spec::Opcode::scsi_command:
    case spec::Opcode::data_out:
    case spec::Opcode::nop_in:
    case spec::Opcode::scsi_response:
    case spec::Opcode::task_management_response:
    case spec::Opcode::login_response:
    case spec::Opcode::text_response:
    case spec::Opcode::data_in:
    case spec::Opcode::logout_response:
    case spec::Opcode::r2t:
    case spec::Opcode::async_message:
    case spec::Opcode::reject: break;
  }
  reject(pdu.bhs, spec::RejectReason::command_not_supported, "not an initiator's opcode");
}

// ---- Requests other than SCSI commands.

void Session::on_nop_out(const InboundPdu& pdu) {
  const auto request = spec::pdu_cast<spec::NopOut>(pdu.bhs);
  if (request.initiator_task_tag == spec::kReservedTag)
    return;  // an answer to our ping, or none wanted
  OutboundPdu& out = queue_.make();
  copy_data(out, pdu.data.first(std::min<std::size_t>(
                     pdu.data.size(), parameters_.initiator_max_recv_data_segment_length)));
  spec::NopIn response;
  response.lun = request.lun;
  response.initiator_task_tag = request.initiator_task_tag;
  send(out, response);
}

void Session::send_nop_in() {
  spec::NopIn ping;
  ping.target_transfer_tag = next_transfer_tag_++ & 0x7fffffffU;  // never the reserved one
  send_without_status(queue_.make(), ping);
}

void Session::on_text_request(const InboundPdu& pdu) {
  const auto request = spec::pdu_cast<spec::TextRequest>(pdu.bhs);
  TextReply reply = text_.handle(request, pdu.data);
  if (reply.reject) {
    reject(pdu.bhs, *reply.reject, reply.reason);
    return;
  }
  OutboundPdu& out = queue_.make();
  copy_data(out, as_bytes(std::string_view(reply.text)));
  send(out, reply.bhs);
}

void Session::on_logout_request(const InboundPdu& pdu) {
  logged_out_ = true;
  gate_.spawn(log_out(spec::pdu_cast<spec::LogoutRequest>(pdu.bhs)));
}

engine::Task<void> Session::log_out(spec::LogoutRequest request) {
  const auto reason = static_cast<spec::LogoutReason>(request.flags & spec::kLogoutReasonMask);
  spec::LogoutResponse response;
  response.initiator_task_tag = request.initiator_task_tag;
  response.time2wait = static_cast<std::uint16_t>(parameters_.default_time2wait);
  const bool other_connection =
      reason != spec::LogoutReason::close_session && request.cid != identity_.cid;
  if (reason == spec::LogoutReason::remove_connection_for_recovery) {
    response.response = static_cast<std::uint8_t>(spec::LogoutResponseCode::recovery_not_supported);
  } else if (other_connection || reason > spec::LogoutReason::remove_connection_for_recovery) {
    response.response = static_cast<std::uint8_t>(spec::LogoutResponseCode::cid_not_found);
  }
  if (response.response != 0) {
    logged_out_ = false;
    guarded([&] { send(queue_.make(), response); });
    co_return;
  }
  co_await drop_all_tasks();
  if (nexus_) co_await device_server_->lose(*nexus_);
  if (stopping_) co_return;
  guarded([&] { send(queue_.make(), response); });
  host_.close_after_output();
}

void Session::reject(const spec::Bhs& bhs, spec::RejectReason reason, std::string_view why) {
  log::limited(log::Level::info, initiator_address_, why,
               "{} ({}): rejecting PDU with opcode {:#04x}: {}", initiator_address_,
               identity_.initiator_name, bhs.opcode_byte, why);
  OutboundPdu& out = queue_.make();
  copy_data(out, as_bytes(bhs));
  spec::Reject response;
  response.reason = static_cast<std::uint8_t>(reason);
  send(out, response);
}

}  // namespace lunar::iscsi
