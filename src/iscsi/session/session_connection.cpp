#include "iscsi/session/session_connection.h"

#include <cassert>
#include <utility>

#include "base/log.h"
#include "iscsi/session/send.h"

namespace lunar::iscsi {

SessionConnection::SessionConnection(const Environment& environment, PduReceiver::Handler& login)
    : shard_(environment.shard),
      pools_(environment.pools),
      host_(environment.host),
      policy_(environment.policy),
      lister_(environment.lister),
      queue_(environment.pools.pdus),
      initiator_address_(environment.initiator_address),
      receiver_(login, environment.shard.buffers()) {
  buffer_waiter_.connection = this;
  buffer_waiter_.run = [](engine::Runnable& self) noexcept {
    SessionConnection& connection = *static_cast<Waiter&>(self).connection;
    connection.guarded([&] { connection.on_buffer(); });
  };
}

SessionConnection::~SessionConnection() {
  assert(active_tasks_ == 0 && unsent_tasks_ == 0 && "a connection must be stopped before it goes");
}

void SessionConnection::join(std::shared_ptr<Session> session, std::uint16_t cid,
                             const ConnectionParameters& parameters, std::uint32_t next_stat_sn) {
  session_ = std::move(session);
  cid_ = cid;
  parameters_ = parameters;
  stat_sn_ = next_stat_sn;
  text_.emplace(policy_, lister_, session_->identity(), parameters_);
  session_->join(*this);
  const bool header_digest = parameters.header_digest == Digest::crc32c;
  const bool data_digest = parameters.data_digest == Digest::crc32c;
  queue_.set_digests(header_digest, data_digest);
  receiver_.set_digests(header_digest, data_digest);
  receiver_.set_max_data_segment_length(parameters.target_max_recv_data_segment_length);
  receiver_.set_handler(*this);
}

// ---- Receiving.

Placement SessionConnection::on_header(InboundPdu& pdu, bool whole) {
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

void SessionConnection::on_pdu(InboundPdu& pdu) {
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
  switch (session_->order().delivery_of(pdu.bhs)) {
    case Delivery::ignore: return;
    case Delivery::hold: hold(pdu, nullptr); return;
    case Delivery::now:
      session_->order().consume(pdu.bhs);
      dispatch(pdu);
      session_->order().deliver_held();
      return;
  }
}

void SessionConnection::on_format_error(std::string_view what) { host_.close_now(what); }

void SessionConnection::hold(const InboundPdu& pdu, Task* task) {
  if (!session_->order().hold(*this, pdu, task))
    host_.close_now("too much waits for a CmdSN that does not come");
}

void SessionConnection::deliver_held() noexcept {
  guarded([&] { session_->order().deliver_held(); });
}

void SessionConnection::dispatch(const InboundPdu& pdu) {
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

void SessionConnection::on_nop_out(const InboundPdu& pdu) {
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

void SessionConnection::send_nop_in() {
  spec::NopIn ping;
  ping.target_transfer_tag = next_transfer_tag_++ & 0x7fffffffU;  // never the reserved one
  send_without_status(queue_.make(), ping);
}

void SessionConnection::on_text_request(const InboundPdu& pdu) {
  const auto request = spec::pdu_cast<spec::TextRequest>(pdu.bhs);
  TextReply reply = text_->handle(request, pdu.data);
  if (reply.reject) {
    reject(pdu.bhs, *reply.reject, reply.reason);
    return;
  }
  OutboundPdu& out = queue_.make();
  copy_data(out, as_bytes(std::string_view(reply.text)));
  send(out, reply.bhs);
}

void SessionConnection::reject(const spec::Bhs& bhs, spec::RejectReason reason,
                               std::string_view why) {
  log::limited(log::Level::info, initiator_address_, why,
               "{} ({}): rejecting PDU with opcode {:#04x}: {}", initiator_address_,
               session_->identity().initiator_name, bhs.opcode_byte, why);
  OutboundPdu& out = queue_.make();
  copy_data(out, as_bytes(bhs));
  spec::Reject response;
  response.reason = static_cast<std::uint8_t>(reason);
  send(out, response);
}

}  // namespace lunar::iscsi
