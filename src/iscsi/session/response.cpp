// A command has its outcome: data-in, status, residuals (RFC 7143 §11.4, §11.7).
#include <algorithm>

#include "iscsi/session/send.h"
#include "iscsi/session/session_connection.h"

namespace lunar::iscsi {

// Called by the device server, which must not see an exception.
void SessionConnection::on_finished(Task& task) noexcept {
  guarded([&] { settle(task); });
}

void SessionConnection::settle(Task& task) {
  task.executing = false;
  task.outcome_known = true;
  if (task.transfer_failed) {
    task.status_code = scsi::spec::Status::check_condition;
    task.sense = task.transfer_sense;
  } else if (task.aborted && !task.tell_aborted) {
    task.dropped = true;
  }
  if (task.dropped || !task.expects_data()) {
    conclude(task);
  } else if (receiving_ == &task) {
    // Ended while its data came, as its logical unit went: perhaps into memory of the medium.
    receiver_.discard_segment();
  }
}

// Ends a task whose outcome is known: with a response, or without when it was dropped.
void SessionConnection::conclude(Task& task) {
  if (receiving_ == &task) {
    // Its PDU is arriving, into its memory or into the medium's (DeviceServer::data_out_window).
    task.end_deferred = true;
    receiver_.discard_segment();
    return;
  }
  if (task.held && !task.dropped) return;
  if (!task.dropped && !stopping_) {
    respond(task);
    return;
  }
  if (task.held) session_->order().forget(task);  // its CmdSN keeps its place
  if (static_cast<DataInHook&>(task).is_linked()) {
    stop_data_in(task);
    return;
  }
  forget(task);
  release(task);
}

void SessionConnection::respond(Task& task) {
  const bool good = task.status_code == scsi::spec::Status::good;
  // What the CDB moves, against what the initiator expected (RFC 7143 §11.4.5). Data that goes the
  // other way than the CDB's has no place: nothing of it is expected.
  std::uint64_t moved = good ? task.data_in.size() : 0;
  std::uint64_t expected = task.expected_data_transfer_length;
  if (task.direction == scsi::DataDirection::in) {
    expected = task.expected_in_bytes;
  } else if (task.direction == scsi::DataDirection::out) {
    moved = task.data_out_bytes;
    expected = task.expected_out_bytes;
  }
  std::uint8_t residual_flags = 0;
  std::uint32_t residual = 0;
  if (moved != expected) [[unlikely]] {
    residual_flags = moved > expected ? spec::kResidualOverflow : spec::kResidualUnderflow;
    residual = static_cast<std::uint32_t>(moved > expected ? moved - expected : expected - moved);
  }
  const auto data_bytes = good ? static_cast<std::uint32_t>(std::min<std::uint64_t>(
                                     task.data_in.size(), task.expected_in_bytes))
                               : 0;

  if (data_bytes != 0) {
    begin_data_in(task, data_bytes, residual_flags, residual);
  } else {
    send_scsi_response(task, residual_flags, residual);
  }
}

void SessionConnection::send_scsi_response(Task& task, std::uint8_t residual_flags,
                                           std::uint32_t residual) {
  OutboundPdu& out = queue_.make();
  forget(task);
  ++unsent_tasks_;
  out.last_of = &task;
  if (task.status_code == scsi::spec::Status::check_condition) {
    // RFC 7143 §11.4.7: SenseLength, then the sense data.
    const auto sense = scsi::spec::encode(task.sense, task.sense_format);
    ByteWriter writer(out.inline_data);
    writer.write(be16(static_cast<std::uint16_t>(sense.bytes().size())));
    writer.write_bytes(sense.bytes());
    out.data = writer.bytes();
  }
  spec::ScsiResponse& pdu = out.begin(spec::ScsiResponse());
  pdu.flags |= residual_flags;
  pdu.status = static_cast<std::uint8_t>(task.status_code);
  pdu.initiator_task_tag = task.initiator_task_tag;
  pdu.exp_data_sn = task.data_in_pdus != 0 ? task.data_in_pdus : task.r2t_sn;
  pdu.residual_count = residual;
  send_begun(out, pdu);
}

// The initiator may use the task tag again, and send another command.
void SessionConnection::forget(Task& task) {
  session_->forget(task);
  --active_tasks_;
  stop_waiting_for_place(task);
}

void SessionConnection::on_task_sent(Task& task) {
  --unsent_tasks_;
  release(task);
}

void SessionConnection::release(Task& task) {
  engine::Event* gone = std::exchange(task.gone, nullptr);
  if (task.kept) [[unlikely]]
    kept_bytes_ -= task.kept->bytes();
  pools_.tasks.give_back(task);
  const bool last = active_tasks_ == 0 && !tasks_gone_.is_set();
  if (gone != nullptr || draining_ || last) [[unlikely]]
    tell_gone(gone);
}

void SessionConnection::drop(Task& task) {
  task.dropped = true;
  if (task.prepared && !task.outcome_known) {
    session_->device_server()->abort(task);
  } else {
    conclude(task);
  }
}

// A task has left the task set.
void SessionConnection::tell_gone(engine::Event* gone) {
  if (active_tasks_ == 0 && !tasks_gone_.is_set()) tasks_gone_.set();
  if (draining_) host_.output_ready();  // it may have been the last
  if (gone != nullptr) gone->set();
}

}  // namespace lunar::iscsi
