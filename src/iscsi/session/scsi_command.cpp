// A SCSI command arrives, perhaps with data of its own (RFC 7143 §4.2.5, §11.3).
#include <algorithm>
#include <array>
#include <cstring>
#include <optional>

#include "iscsi/session/send.h"
#include "iscsi/session/session_connection.h"
#include "iscsi/session/transfer_errors.h"
#include "iscsi/spec/ahs.h"

namespace lunar::iscsi {
namespace {

constexpr std::optional<scsi::TaskAttribute> attribute_of(spec::TaskAttribute attribute) {
  switch (attribute) {
    case spec::TaskAttribute::untagged:
    case spec::TaskAttribute::simple: return scsi::TaskAttribute::simple;
    case spec::TaskAttribute::ordered: return scsi::TaskAttribute::ordered;
    case spec::TaskAttribute::head_of_queue: return scsi::TaskAttribute::head_of_queue;
    case spec::TaskAttribute::aca: return scsi::TaskAttribute::aca;
  }
  return std::nullopt;
}

// By the Attr field of the flags. The switch at each command costs eleven instructions.
constexpr auto kAttributes = [] {
  std::array<std::optional<scsi::TaskAttribute>, spec::kTaskAttributeMask + 1> all;
  for (std::size_t i = 0; i < all.size(); ++i)
    all[i] = attribute_of(static_cast<spec::TaskAttribute>(i));
  return all;
}();

}  // namespace

// Makes the task of a command; null when the PDU was rejected instead.
Task* SessionConnection::begin_task(const InboundPdu& pdu) {
  Session& session = *session_;
  const auto header = spec::pdu_cast<spec::ScsiCommand>(pdu.bhs);
  const bool immediate = pdu.bhs.immediate();
  const auto attribute = kAttributes[header.flags & spec::kTaskAttributeMask];
  const auto refuse = [&](spec::RejectReason reason, std::string_view why) {
    reject(pdu.bhs, reason, why);
    return nullptr;
  };
  if (session.device_server() == nullptr)
    return refuse(spec::RejectReason::protocol_error, "SCSI command in a discovery session");
  if (!attribute) return refuse(spec::RejectReason::invalid_pdu_field, "reserved task attribute");
  if (header.initiator_task_tag == spec::kReservedTag ||
      session.tasks().find(header.initiator_task_tag) != nullptr) {
    return refuse(spec::RejectReason::task_in_progress, "initiator task tag in use");
  }
  if (immediate && !session.takes_immediate()) {
    return refuse(spec::RejectReason::immediate_command_reject, "too many immediate commands");
  }
  std::size_t extended_cdb_bytes = 0;
  spec::AhsContents ahs;
  if (!pdu.ahs.empty()) {
    auto parsed = spec::parse_ahs(pdu.ahs);
    if (!parsed) return refuse(spec::RejectReason::invalid_pdu_field, parsed.error().message);
    ahs = *parsed;
    extended_cdb_bytes = ahs.extended_cdb.size();
    if (extended_cdb_bytes > scsi::kMaxCdbBytes - header.cdb.size()) {
      return refuse(spec::RejectReason::invalid_pdu_field, "CDB too long");
    }
  }

  Task& task = pools_.tasks.take();
  task.reset_all();
  task.connection = this;
  task.initiator_task_tag = header.initiator_task_tag;
  task.expected_data_transfer_length = header.expected_data_transfer_length;
  task.flags = header.flags;
  task.immediate = immediate;
  task.attribute = *attribute;
  task.nexus = session.nexus();
  task.lun_field = header.lun.raw;
  std::memcpy(task.cdb.data(), header.cdb.data(), header.cdb.size());
  if (extended_cdb_bytes != 0) {
    std::memcpy(task.cdb.data() + header.cdb.size(), ahs.extended_cdb.data(), extended_cdb_bytes);
  }
  task.cdb_length = static_cast<std::uint8_t>(header.cdb.size() + extended_cdb_bytes);
  task.expected_out_bytes = task.has_write() ? task.expected_data_transfer_length : 0;
  task.expected_in_bytes = task.has_read() ? task.expected_data_transfer_length : 0;
  if (ahs.bidirectional_read_expected_data_transfer_length) {
    task.expected_in_bytes = *ahs.bidirectional_read_expected_data_transfer_length;
  }
  task.stable_data_in = parameters_.data_digest == Digest::crc32c;
  task.finished = [](scsi::Command& command) noexcept {
    auto& self = static_cast<Task&>(command);
    self.connection->on_finished(self);
  };
  task.wanted_out_bytes =
      std::min<std::uint32_t>(task.expected_out_bytes, block::kMaxTransferBytes);

  session.begin(task);
  ++active_tasks_;
  if (task.has_write()) {
    // Its data-in, if it has some, may have to wait for data-out: keep_lent_data() looks only at
    // what is queued.
    task.stable_data_in = true;
    const std::uint32_t first_burst =
        std::min(session.parameters().first_burst_length, task.expected_out_bytes);
    task.expects_unsolicited = !pdu.bhs.final();
    task.asked_alarms = alarms_;
    task.asked_at_bytes = 0;
    task.unsolicited = {.offset = 0, .end = first_burst};
  }
  return &task;
}

// Lets the device server look at the command. False: it has an outcome already, `finished` will
// come.
bool SessionConnection::prepare(Task& task) {
  task.prepared = true;
  const bool runs = session_->device_server()->prepare(task);
  task.wanted_out_bytes = runs ? std::min(task.data_out_bytes, task.expected_out_bytes) : 0;
  return runs;
}

Placement SessionConnection::place_command_data(const InboundPdu& pdu, bool whole) {
  Task* task = receiving_;  // after a stall
  if (task == nullptr) {
    const Delivery delivery = session_->order().delivery_of(pdu.bhs);
    if (delivery == Delivery::ignore || draining_) return Placement::discard();
    task = begin_task(pdu);
    if (task == nullptr) {
      // Its CmdSN counts as received, now or when its turn comes.
      if (!pdu.bhs.immediate())
        session_->order().hold_place(*this, spec::pdu_cast<spec::ScsiCommand>(pdu.bhs).cmd_sn);
      return Placement::discard();
    }
    task->held = delivery == Delivery::hold;
    receiving_ = task;
    // Its immediate data may yet turn out to be damaged: then the command has never come.
    const bool certain = pdu.data_length == 0 || parameters_.data_digest == Digest::none;
    if (delivery == Delivery::now && certain) {
      session_->order().admit(*task);
      prepare(*task);
    }
  }
  const std::uint32_t length = pdu.data_length;
  // All of the data is here, and the medium will have taken it before the receive buffer is used
  // again: no place is needed. Saves a copy of a small write and a buffer of the pool.
  if (whole && length != 0 && length == task->wanted_out_bytes && !task->expects_unsolicited &&
      session_->device_server()->takes_data_out_at_once(*task)) {
    task->data_out = pdu.data;
    return {};
  }
  if (!place_unasked_data(*task, pdu)) return Placement::stall();
  if (whole || length == 0) return {};
  if (length <= task->data_out.size()) {
    return Placement::at(task->data_out.data());
  }
  return {};
}

void SessionConnection::on_scsi_command(const InboundPdu& pdu) {
  Task* task = std::exchange(receiving_, nullptr);
  if (task == nullptr) return;  // ignored or rejected
  const auto length = pdu.data_length;
  if (!pdu.digest_ok) {
    reject(pdu.bhs, spec::RejectReason::data_digest_error, "wrong data digest");
    forget(*task);
    release(*task);
    return;
  }
  if (length != 0) {
    const bool allowed = session_->parameters().immediate_data && task->has_write();
    if (!allowed) {
      fail_transfer(*task, unexpected_unsolicited_data());
    } else if (length > task->unsolicited.end) {
      fail_transfer(*task, incorrect_amount_of_data());
    } else {
      place_bytes(*task, 0, pdu.data);
      task->unsolicited.offset = length;
    }
  }
  if (task->expects_unsolicited && (session_->parameters().initial_r2t || !task->has_write())) {
    fail_transfer(*task, unexpected_unsolicited_data());
  }
  if (task->held) {
    hold(pdu, task);
    return;
  }
  if (!task->prepared) session_->order().admit(*task);
  deliver(*task);
  session_->order().deliver_held();
}

// The command's turn has come.
void SessionConnection::deliver(Task& task) {
  if (task.end_deferred) {
    task.end_deferred = false;
    conclude(task);
    return;
  }
  if (!task.prepared && !task.outcome_known) prepare(task);
  continue_transfer(task);
}

}  // namespace lunar::iscsi
