// SCSI commands and their data (RFC 7143 §4.2.5, §11.3, §11.4, §11.7, §11.8).
#include <algorithm>
#include <cassert>
#include <cstring>

#include "base/medium_access.h"
#include "iscsi/session.h"
#include "iscsi/session_send.h"
#include "iscsi/spec/ahs.h"

namespace lunar::iscsi {
namespace {

using scsi::spec::AdditionalSense;
using scsi::spec::Sense;
using scsi::spec::SenseKey;

// RFC 7143 §11.4.7.2: the sense data of errors that iSCSI itself finds.
Sense unexpected_unsolicited_data() {
  return Sense::of(SenseKey::aborted_command,
                   AdditionalSense::write_error_unexpected_unsolicited_data);
}
Sense incorrect_amount_of_data() {
  return Sense::of(SenseKey::aborted_command,
                   AdditionalSense::write_error_not_enough_unsolicited_data);
}
Sense data_digest_error() {
  return Sense::of(SenseKey::aborted_command, AdditionalSense::protocol_service_crc_error);
}
Sense data_sequence_error() {
  return Sense::of(SenseKey::aborted_command, AdditionalSense::data_phase_error);
}

std::optional<scsi::TaskAttribute> attribute_of(std::uint8_t flags) {
  switch (static_cast<spec::TaskAttribute>(flags & spec::kTaskAttributeMask)) {
    case spec::TaskAttribute::untagged:
    case spec::TaskAttribute::simple: return scsi::TaskAttribute::simple;
    case spec::TaskAttribute::ordered: return scsi::TaskAttribute::ordered;
    case spec::TaskAttribute::head_of_queue: return scsi::TaskAttribute::head_of_queue;
    case spec::TaskAttribute::aca: return scsi::TaskAttribute::aca;
  }
  return std::nullopt;
}

}  // namespace

// ---- A command arrives.

// Makes the task of a command; null when the PDU was rejected instead.
Task* Session::begin_task(const InboundPdu& pdu) {
  const auto header = spec::pdu_cast<spec::ScsiCommand>(pdu.bhs);
  const bool immediate = pdu.bhs.immediate();
  const auto attribute = attribute_of(header.flags);
  const auto refuse = [&](spec::RejectReason reason, std::string_view why) {
    reject(pdu.bhs, reason, why);
    return nullptr;
  };
  if (device_server_ == nullptr)
    return refuse(spec::RejectReason::protocol_error, "SCSI command in a discovery session");
  if (!attribute) return refuse(spec::RejectReason::invalid_pdu_field, "reserved task attribute");
  if (header.initiator_task_tag == spec::kReservedTag ||
      tasks_.find(header.initiator_task_tag) != nullptr) {
    return refuse(spec::RejectReason::task_in_progress, "initiator task tag in use");
  }
  if (immediate && immediate_tasks_ >= kMaxImmediateTasks) {
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
  task.session = this;
  task.initiator_task_tag = header.initiator_task_tag;
  task.expected_data_transfer_length = header.expected_data_transfer_length;
  task.flags = header.flags;
  task.immediate = immediate;
  task.attribute = *attribute;
  task.nexus = nexus_.get();
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
    self.session->on_finished(self);
  };
  task.wanted_out_bytes =
      std::min<std::uint32_t>(task.expected_out_bytes, block::kMaxTransferBytes);

  tasks_.insert(task);
  if (immediate) ++immediate_tasks_;
  if (task.has_write()) {
    const std::uint32_t first_burst =
        std::min(parameters_.first_burst_length, task.expected_out_bytes);
    task.expects_unsolicited = !pdu.bhs.final();
    task.unsolicited = {.offset = 0, .end = first_burst};
  }
  return &task;
}

// Lets the device server look at the command. False: it has an outcome already, `finished` will
// come.
bool Session::prepare(Task& task) {
  task.prepared = true;
  const bool runs = device_server_->prepare(task);
  task.wanted_out_bytes = runs ? std::min(task.data_out_bytes, task.expected_out_bytes) : 0;
  return runs;
}

Placement Session::place_command_data(const InboundPdu& pdu, bool whole) {
  Task* task = receiving_;  // after a stall
  if (task == nullptr) {
    const Delivery delivery = delivery_of(pdu.bhs);
    if (delivery == Delivery::ignore || draining_) return Placement::discard();
    task = begin_task(pdu);
    if (task == nullptr) {
      // Its CmdSN counts as received, now or when its turn comes.
      if (!pdu.bhs.immediate()) hold_place(spec::pdu_cast<spec::ScsiCommand>(pdu.bhs).cmd_sn);
      return Placement::discard();
    }
    task->held = delivery == Delivery::hold;
    receiving_ = task;
    // Its immediate data may yet turn out to be damaged: then the command has never come.
    const bool certain = pdu.data_length() == 0 || parameters_.data_digest == Digest::none;
    if (delivery == Delivery::now && certain) {
      admit(*task);
      prepare(*task);
    }
  }
  const std::uint32_t length = pdu.data_length();
  // All of the data is here, and the medium will have taken it before the receive buffer is used
  // again: no place is needed. Saves a copy of a small write and a buffer of the pool.
  if (whole && length != 0 && length == task->wanted_out_bytes && !task->expects_unsolicited &&
      device_server_->takes_data_out_at_once(*task)) {
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

void Session::on_scsi_command(const InboundPdu& pdu) {
  Task* task = std::exchange(receiving_, nullptr);
  if (task == nullptr) return;  // ignored or rejected
  const auto length = pdu.data_length();
  if (!pdu.digest_ok) {
    reject(pdu.bhs, spec::RejectReason::data_digest_error, "wrong data digest");
    forget(*task);
    release(*task);
    return;
  }
  if (length != 0) {
    const bool allowed = parameters_.immediate_data && task->has_write();
    if (!allowed) {
      fail_transfer(*task, unexpected_unsolicited_data());
    } else if (length > task->unsolicited.end) {
      fail_transfer(*task, incorrect_amount_of_data());
    } else {
      place_bytes(*task, 0, pdu.data);
      task->unsolicited.offset = length;
    }
  }
  if (task->expects_unsolicited && (parameters_.initial_r2t || !task->has_write())) {
    fail_transfer(*task, unexpected_unsolicited_data());
  }
  if (task->held) {
    hold(pdu, task);
    return;
  }
  if (!task->prepared) admit(*task);
  deliver(*task);
  deliver_held();
}

// The command's turn has come.
void Session::deliver(Task& task) {
  if (task.end_deferred) {
    task.end_deferred = false;
    conclude(task);
    return;
  }
  if (!task.prepared && !task.outcome_known) prepare(task);
  continue_transfer(task);
}

// ---- Data-out.

// Copies data that did not arrive in its place; what lies beyond what the CDB needs is dropped.
void Session::place_bytes(Task& task, std::uint32_t offset, Bytes data) {
  if (offset >= task.data_out.size()) return;
  const std::size_t count = std::min(data.size(), task.data_out.size() - offset);
  std::byte* to = task.data_out.data() + offset;
  if (to != data.data() && count != 0) copy_medium(to, data.data(), count);
}

// What to do next for a task whose data may be complete: execute, ask for more, or answer.
void Session::continue_transfer(Task& task) {
  if (task.held || task.expects_data()) {
    if (!task.held && !task.expects_unsolicited && !task.outcome_known) request_data(task);
    return;
  }
  if (task.outcome_known) {
    conclude(task);
    return;
  }
  if (!task.prepared || task.executing || task.state != scsi::CommandState::prepared) return;
  const std::uint32_t received = std::max(task.unsolicited.offset, task.next_r2t_offset);
  if (received < task.wanted_out_bytes) {
    request_data(task);
    return;
  }
  task.executing = true;
  // A held command was given a place for all that the initiator has.
  task.data_out =
      task.data_out.first(std::min<std::size_t>(task.data_out.size(), task.wanted_out_bytes));
  device_server_->execute(task);
}

// Keeps as many R2Ts outstanding as were negotiated (RFC 7143 §11.8).
void Session::request_data(Task& task) {
  if (task.executing || !task.prepared || task.transfer_failed || task.dropped) return;
  if (!find_place(task)) {
    wait_for_place(task);
    return;
  }
  const std::uint32_t limit = std::min(parameters_.max_outstanding_r2t, kMaxOutstandingR2t);
  task.next_r2t_offset = std::max(task.next_r2t_offset, task.unsolicited.offset);
  while (task.sequence_count < limit && task.next_r2t_offset < task.wanted_out_bytes) {
    const std::uint32_t length =
        std::min(parameters_.max_burst_length, task.wanted_out_bytes - task.next_r2t_offset);
    const std::uint32_t tag = next_transfer_tag_++ & 0x7fffffffU;
    const std::size_t slot = (task.first_sequence + task.sequence_count) % kMaxOutstandingR2t;
    task.sequences[slot] = {.target_transfer_tag = tag,
                            .offset = task.next_r2t_offset,
                            .end = task.next_r2t_offset + length,
                            .next_data_sn = 0};
    ++task.sequence_count;
    spec::R2T r2t;
    r2t.lun.raw = task.lun_field;
    r2t.initiator_task_tag = task.initiator_task_tag;
    r2t.target_transfer_tag = tag;
    r2t.r2t_sn = task.r2t_sn++;
    r2t.buffer_offset = task.next_r2t_offset;
    r2t.desired_data_transfer_length = length;
    task.next_r2t_offset += length;
    send_without_status(queue_.make(), r2t);
  }
}

// The sequence that a Data-Out belongs to. Sequences come in the order of their R2Ts
// (DataSequenceInOrder=Yes), so only the oldest one is open.
DataOutSequence* Session::sequence_of(Task& task, const spec::DataOut& header) {
  if (header.target_transfer_tag == spec::kReservedTag)
    return task.expects_unsolicited ? &task.unsolicited : nullptr;
  if (task.sequence_count == 0) return nullptr;
  for (std::size_t i = 0; i < task.sequence_count; ++i) {
    DataOutSequence& sequence = task.sequences[(task.first_sequence + i) % kMaxOutstandingR2t];
    if (sequence.target_transfer_tag == header.target_transfer_tag) return &sequence;
  }
  return nullptr;
}

Placement Session::place_data_out(const InboundPdu& pdu, bool whole) {
  const auto header = spec::pdu_cast<spec::DataOut>(pdu.bhs);
  Task* task = tasks_.find(header.initiator_task_tag);
  // Of a task that has ended, or was never there: its data has no place any more.
  if (task == nullptr || task->end_deferred) return Placement::discard();
  DataOutSequence* sequence = sequence_of(*task, header);
  if (sequence == nullptr) {
    if (header.target_transfer_tag == spec::kReservedTag) {
      fail_transfer(*task, unexpected_unsolicited_data());
    } else {
      reject(pdu.bhs, spec::RejectReason::invalid_pdu_field, "no R2T has this target transfer tag");
    }
    return Placement::discard();
  }
  receiving_ = task;
  const std::uint32_t length = pdu.data_length();
  const std::uint32_t offset = header.buffer_offset;
  const bool oldest = header.target_transfer_tag == spec::kReservedTag ||
                      sequence == &task->sequences[task->first_sequence];
  if (!oldest || header.data_sn != sequence->next_data_sn || offset != sequence->offset) {
    fail_transfer(*task, data_sequence_error());
  } else if (length > sequence->end - sequence->offset) {
    fail_transfer(*task, incorrect_amount_of_data());
  }
  if (whole || length == 0) return {};
  if (task->outcome_known || task->transfer_failed || task->dropped) {
    return Placement::discard();
  }
  if (range_fits(offset, length, task->data_out.size())) {
    return Placement::at(task->data_out.data() + offset);
  }
  return {};
}

void Session::on_data_out(const InboundPdu& pdu) {
  Task* task = std::exchange(receiving_, nullptr);
  if (task == nullptr) return;
  if (task->end_deferred) {
    task->end_deferred = false;
    conclude(*task);
    return;
  }
  const auto header = spec::pdu_cast<spec::DataOut>(pdu.bhs);
  DataOutSequence* sequence = sequence_of(*task, header);
  assert(sequence != nullptr);
  if (!pdu.digest_ok) {
    // RFC 7143 §7.8: a Reject, and as there is no recovery R2T at level 0, the task fails.
    reject(pdu.bhs, spec::RejectReason::data_digest_error, "wrong data digest");
    fail_transfer(*task, data_digest_error());
  }
  if (!task->outcome_known && !task->transfer_failed) {
    place_bytes(*task, sequence->offset, pdu.data);
    sequence->offset += pdu.data_length();
    ++sequence->next_data_sn;
  }
  if (pdu.bhs.final()) end_sequence(*task, *sequence);
  continue_transfer(*task);
}

// F bit: no more data of this sequence comes.
void Session::end_sequence(Task& task, const DataOutSequence& sequence) {
  if (sequence.target_transfer_tag == spec::kReservedTag) {
    task.expects_unsolicited = false;
    return;
  }
  if (sequence.offset != sequence.end) fail_transfer(task, incorrect_amount_of_data());
  // The oldest one; a later one out of order has failed the task, and with it all of them.
  task.first_sequence = static_cast<std::uint8_t>((task.first_sequence + 1) % kMaxOutstandingR2t);
  --task.sequence_count;
}

// The data went wrong: the command ends with this, once the data that is on its way has passed.
void Session::fail_transfer(Task& task, const Sense& sense) {
  if (task.transfer_failed || task.outcome_known) return;
  task.transfer_failed = true;
  task.transfer_sense = sense;
  if (task.prepared) {
    device_server_->abort(task);  // on_finished() goes on
  } else {
    task.outcome_known = true;
    task.status_code = scsi::spec::Status::check_condition;
    task.sense = sense;
  }
}

// ---- The outcome.

void Session::on_finished(Task& task) {
  task.executing = false;
  task.outcome_known = true;
  if (task.transfer_failed) {
    task.status_code = scsi::spec::Status::check_condition;
    task.sense = task.transfer_sense;
  } else if (task.aborted) {
    task.dropped = true;
  }
  if (task.dropped || !task.expects_data()) conclude(task);
}

// Ends a task whose outcome is known: with a response, or without when it was dropped.
void Session::conclude(Task& task) {
  if (receiving_ == &task) {
    // Its PDU is arriving, into its memory or into the medium's (DeviceServer::data_out_window).
    task.end_deferred = true;
    host_.discard_input();
    return;
  }
  if (task.held && !task.dropped) return;
  if (!task.dropped && !stopping_) {
    respond(task);
    return;
  }
  if (task.held) {
    for (HeldRequest& request : held_) {
      if (request.task != &task) continue;
      request.task = nullptr;  // its CmdSN keeps its place
      request.has_request = false;
    }
  }
  forget(task);
  release(task);
}

void Session::respond(Task& task) {
  const bool good = task.status_code == scsi::spec::Status::good;
  // What the CDB moves, against what the initiator expected (RFC 7143 §11.4.5).
  std::uint64_t moved = 0;
  if (task.direction == scsi::DataDirection::out) {
    moved = task.data_out_bytes;
  } else if (good) {
    moved = task.data_in.size();
  }
  // Data that goes the other way than the CDB's has no place: nothing of it is expected.
  std::uint64_t expected = task.expected_data_transfer_length;
  if (task.direction == scsi::DataDirection::out) expected = task.expected_out_bytes;
  if (task.direction == scsi::DataDirection::in) expected = task.expected_in_bytes;
  std::uint8_t residual_flags = 0;
  if (moved > expected) residual_flags = spec::kResidualOverflow;
  if (moved < expected) residual_flags = spec::kResidualUnderflow;
  const auto residual =
      static_cast<std::uint32_t>(moved > expected ? moved - expected : expected - moved);
  const auto data_bytes = good ? static_cast<std::uint32_t>(std::min<std::uint64_t>(
                                     task.data_in.size(), task.expected_in_bytes))
                               : 0;

  forget(task);
  ++unsent_tasks_;
  if (data_bytes != 0) {
    send_data_in(task, data_bytes, true, residual_flags, residual);
  } else {
    send_scsi_response(task, residual_flags, residual);
  }
}

// Data-In PDUs within the initiator's limits. The last one carries the status (RFC 7143 §11.7.3).
void Session::send_data_in(Task& task, std::uint32_t bytes, bool with_status,
                           std::uint8_t residual_flags, std::uint32_t residual) {
  std::uint32_t offset = 0;
  std::uint32_t burst_end = std::min(bytes, parameters_.max_burst_length);
  while (offset < bytes) {
    const std::uint32_t length =
        std::min(parameters_.initiator_max_recv_data_segment_length, burst_end - offset);
    OutboundPdu& out = queue_.make();
    out.data = task.data_in.subspan(offset, length);
    spec::DataIn pdu;
    pdu.initiator_task_tag = task.initiator_task_tag;
    pdu.data_sn = task.data_in_pdus++;
    pdu.buffer_offset = offset;
    offset += length;
    if (offset == burst_end) {
      pdu.flags = spec::kFinal;
      burst_end = std::min(bytes - offset, parameters_.max_burst_length) + offset;
    }
    if (offset == bytes && with_status) {
      pdu.flags |= static_cast<std::uint8_t>(spec::kStatus | residual_flags);
      pdu.status = static_cast<std::uint8_t>(task.status_code);
      pdu.residual_count = residual;
      out.last_of = &task;
      send(out, pdu);
    } else {
      // StatSN and the window are told with the status only.
      pdu.exp_cmd_sn = exp_cmd_sn_;
      pdu.max_cmd_sn = max_cmd_sn();
      queue_.push(out, pdu);
    }
  }
}

void Session::send_scsi_response(Task& task, std::uint8_t residual_flags, std::uint32_t residual) {
  OutboundPdu& out = queue_.make();
  out.last_of = &task;
  if (task.status_code == scsi::spec::Status::check_condition) {
    // RFC 7143 §11.4.7: SenseLength, then the sense data.
    const auto sense = scsi::spec::encode(task.sense, nexus_->sense_format(task));
    ByteWriter writer(out.inline_data);
    writer.write(be16(static_cast<std::uint16_t>(sense.bytes().size())));
    writer.write_bytes(sense.bytes());
    out.data = writer.bytes();
  }
  spec::ScsiResponse pdu;
  pdu.flags |= residual_flags;
  pdu.status = static_cast<std::uint8_t>(task.status_code);
  pdu.initiator_task_tag = task.initiator_task_tag;
  pdu.exp_data_sn = task.data_in_pdus != 0 ? task.data_in_pdus : task.r2t_sn;
  pdu.residual_count = residual;
  send(out, pdu);
}

// The initiator may use the task tag again, and send another command.
void Session::forget(Task& task) {
  tasks_.remove(task);
  stop_waiting_for_place(task);
  if (task.immediate) --immediate_tasks_;
  if (task.windowed) --windowed_tasks_;
}

void Session::on_task_sent(Task& task) {
  --unsent_tasks_;
  release(task);
}

void Session::release(Task& task) {
  engine::Event* gone = std::exchange(task.gone, nullptr);
  pools_.tasks.give_back(task);
  if (tasks_.size() == 0 && !tasks_gone_.is_set()) tasks_gone_.set();
  if (draining_) host_.output_ready();  // it may have been the last
  if (gone != nullptr) gone->set();
}

}  // namespace lunar::iscsi
