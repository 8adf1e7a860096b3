// The data of written commands: unsolicited and asked for (RFC 7143 §4.2.5.2, §11.7, §11.8).
#include <algorithm>
#include <cassert>

#include "base/medium_access.h"
#include "iscsi/session/send.h"
#include "iscsi/session/session_connection.h"
#include "iscsi/session/transfer_errors.h"

namespace lunar::iscsi {

// Copies data that did not arrive in its place; what lies beyond what the CDB needs is dropped.
void SessionConnection::place_bytes(Task& task, std::uint32_t offset, Bytes data) {
  if (offset >= task.data_out.size()) return;
  const std::size_t count = std::min(data.size(), task.data_out.size() - offset);
  std::byte* to = task.data_out.data() + offset;
  if (to != data.data() && count != 0) copy_medium(to, data.data(), count);
}

// What to do next for a task whose data may be complete: execute, ask for more, or answer.
void SessionConnection::continue_transfer(Task& task) {
  if (task.held || task.expects_data()) {
    if (!task.held && !task.expects_unsolicited && !task.outcome_known) request_data(task);
    return;
  }
  if (task.outcome_known) {
    conclude(task);
    return;
  }
  if (!task.prepared || task.executing || task.state != scsi::CommandState::prepared) return;
  if (task.has_write()) {
    const std::uint32_t received = std::max(task.unsolicited.offset, task.next_r2t_offset);
    if (received < task.wanted_out_bytes) {
      request_data(task);
      return;
    }
    // A held command was given a place for all that the initiator has.
    task.data_out =
        task.data_out.first(std::min<std::size_t>(task.data_out.size(), task.wanted_out_bytes));
  }
  task.executing = true;
  session_->device_server()->execute(task);
}

// Keeps as many R2Ts outstanding as were negotiated (RFC 7143 §11.8).
void SessionConnection::request_data(Task& task) {
  if (task.executing || !task.prepared || task.transfer_failed || task.dropped) return;
  if (!find_place(task)) {
    wait_for_place(task);
    return;
  }
  const SessionParameters& parameters = session_->parameters();
  const std::uint32_t limit = std::min(parameters.max_outstanding_r2t, kMaxOutstandingR2t);
  task.next_r2t_offset = std::max(task.next_r2t_offset, task.unsolicited.offset);
  while (task.sequence_count < limit && task.next_r2t_offset < task.wanted_out_bytes) {
    const std::uint32_t length =
        std::min(parameters.max_burst_length, task.wanted_out_bytes - task.next_r2t_offset);
    const std::uint32_t tag = next_transfer_tag_++ & 0x7fffffffU;
    const std::size_t slot = (task.first_sequence + task.sequence_count) % kMaxOutstandingR2t;
    task.sequences[slot] = {.target_transfer_tag = tag,
                            .offset = task.next_r2t_offset,
                            .end = task.next_r2t_offset + length,
                            .next_data_sn = 0};
    ++task.sequence_count;
    task.asked_alarms = alarms_;
    spec::R2T r2t;
    r2t.lun.raw = task.lun_field;
    r2t.initiator_task_tag = task.initiator_task_tag;
    r2t.target_transfer_tag = tag;
    r2t.r2t_sn = task.r2t_sn++;
    r2t.buffer_offset = task.next_r2t_offset;
    r2t.desired_data_transfer_length = length;
    task.next_r2t_offset += length;
    send_without_status(queue_.make(), r2t);
    task.asked_at_bytes = queue_.pushed_bytes();
  }
}

// The sequence that a Data-Out belongs to. Sequences come in the order of their R2Ts
// (DataSequenceInOrder=Yes), so only the oldest one is open.
DataOutSequence* SessionConnection::sequence_of(Task& task, const spec::DataOut& header) {
  if (header.target_transfer_tag == spec::kReservedTag)
    return task.expects_unsolicited ? &task.unsolicited : nullptr;
  if (task.sequence_count == 0) return nullptr;
  for (std::size_t i = 0; i < task.sequence_count; ++i) {
    DataOutSequence& sequence = task.sequences[(task.first_sequence + i) % kMaxOutstandingR2t];
    if (sequence.target_transfer_tag == header.target_transfer_tag) return &sequence;
  }
  return nullptr;
}

Placement SessionConnection::place_data_out(const InboundPdu& pdu, bool whole) {
  const auto header = spec::pdu_cast<spec::DataOut>(pdu.bhs);
  Task* task = session_->tasks().find(header.initiator_task_tag);
  // Of a task that has ended, or was never there, or whose command came by another connection (RFC
  // 7143 §4.2.2.1): its data has no place.
  if (task == nullptr || task->connection != this || task->end_deferred)
    return Placement::discard();
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
  data_out_alarms_ = alarms_;
  const std::uint32_t length = pdu.data_length;
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

void SessionConnection::on_data_out(const InboundPdu& pdu) {
  data_out_alarms_ = alarms_;
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
    sequence->offset += pdu.data_length;
    ++sequence->next_data_sn;
  }
  if (pdu.bhs.final()) end_sequence(*task, *sequence);
  continue_transfer(*task);
}

bool SessionConnection::misses_data_out(std::uint64_t taken_bytes) {
  ++alarms_;
  const auto long_ago = [this](std::uint32_t alarms) { return alarms_ - alarms >= kPatientAlarms; };
  bool misses = false;
  for_each_task([&](Task& task) {
    if (!task.expects_data() && receiving_ != &task) return;
    // What asks for the data has not reached the initiator yet: its time begins then.
    if (task.asked_at_bytes > taken_bytes) task.asked_alarms = alarms_;
    misses = misses || long_ago(task.asked_alarms);
  });
  // Not while it is we who do not read.
  return misses && !stalled_ && long_ago(data_out_alarms_);
}

// F bit: no more data of this sequence comes.
void SessionConnection::end_sequence(Task& task, const DataOutSequence& sequence) {
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
void SessionConnection::fail_transfer(Task& task, const scsi::spec::Sense& sense) {
  if (task.transfer_failed || task.outcome_known) return;
  task.transfer_failed = true;
  task.transfer_sense = sense;
  if (task.prepared) {
    session_->device_server()->abort(task);  // on_finished() goes on
  } else {
    task.outcome_known = true;
    task.status_code = scsi::spec::Status::check_condition;
    task.sense = sense;
  }
}

}  // namespace lunar::iscsi
