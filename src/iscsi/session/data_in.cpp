// Data-In (RFC 7143 §11.7): PDUs are made from a cursor as the socket takes them.
//
// A command's data may be worth thousands of PDUs, and a peer may have asked for 128 commands and
// read nothing. So the queue holds what the next sends need; behind it stand the tasks, in order,
// each with the offset that its Data-In has come to. Until its last PDU is made, which carries the
// status, a task is in the task set of its session: it has its place in the command window, and it
// can be aborted. Everything else that the session sends goes ahead of the data that has no PDU
// yet.
#include <algorithm>
#include <cstdint>
#include <utility>

#include "iscsi/session/send.h"
#include "iscsi/session/session_connection.h"

namespace lunar::iscsi {
namespace {

// Where `memory` lies in `data`: [first, second).
std::pair<std::uint32_t, std::uint32_t> overlap_of(Bytes data, Bytes memory) {
  const auto address = [](const std::byte* at) { return reinterpret_cast<std::uintptr_t>(at); };
  const std::uintptr_t start = address(data.data());
  const std::uintptr_t from = std::max(start, address(memory.data()));
  const std::uintptr_t to = std::min(start + data.size(), address(memory.data()) + memory.size());
  if (from >= to) return {0, 0};
  return {static_cast<std::uint32_t>(from - start), static_cast<std::uint32_t>(to - start)};
}

}  // namespace

void SessionConnection::begin_data_in(Task& task, std::uint32_t bytes, std::uint8_t residual_flags,
                                      std::uint32_t residual) {
  const std::uint32_t burst_end = std::min(bytes, session_->parameters().max_burst_length);
  const bool one_pdu =
      bytes <= burst_end && bytes <= parameters_.initiator_max_recv_data_segment_length;
  if (one_pdu && has_room_for_data_in()) [[likely]] {
    // No cursor: the usual READ pays for none.
    OutboundPdu& out = queue_.make();
    out.data = task.data_in.first(bytes);
    spec::DataIn& pdu = out.begin(spec::DataIn());
    pdu.initiator_task_tag = task.initiator_task_tag;
    pdu.flags = spec::kFinal;
    send_last_data_in(task, out, pdu, residual_flags, residual);
  } else {
    task.data_in_cursor = {.offset = 0,
                           .end = bytes,
                           .burst_end = burst_end,
                           .residual = residual,
                           .residual_flags = residual_flags};
    making_data_in_.push_back(task);
  }
  host_.output_ready();
}

// The last Data-In PDU of a task has the status (RFC 7143 §11.7.3).
void SessionConnection::send_last_data_in(Task& task, OutboundPdu& out, spec::DataIn& pdu,
                                          std::uint8_t residual_flags, std::uint32_t residual) {
  forget(task);
  ++unsent_tasks_;
  out.last_of = &task;
  pdu.flags |= static_cast<std::uint8_t>(spec::kStatus | residual_flags);
  pdu.status = static_cast<std::uint8_t>(task.status_code);
  pdu.residual_count = residual;
  pdu.stat_sn = stat_sn_++;  // told with the status only
  pdu.exp_cmd_sn = session_->order().exp_cmd_sn();
  pdu.max_cmd_sn = session_->order().max_cmd_sn();
  queue_.push(out);
}

void SessionConnection::make_more_data_in() {
  while (!making_data_in_.empty() && has_room_for_data_in()) {
    Task& task = making_data_in_.front();
    if (make_data_in(task)) static_cast<DataInHook&>(task).unlink();
  }
}

// One PDU within the initiator's limits. True: it was the last one.
bool SessionConnection::make_data_in(Task& task) {
  DataInCursor& cursor = task.data_in_cursor;
  const std::uint32_t offset = cursor.offset;
  const std::uint32_t length =
      std::min(parameters_.initiator_max_recv_data_segment_length, cursor.burst_end - offset);
  OutboundPdu& out = queue_.make();
  out.data = task.data_in.subspan(offset, length);
  if (task.kept) [[unlikely]] {
    if (const Bytes kept = task.kept->find(offset, length); !kept.empty()) out.data = kept;
  }
  spec::DataIn& pdu = out.begin(spec::DataIn());
  pdu.initiator_task_tag = task.initiator_task_tag;
  pdu.data_sn = task.data_in_pdus++;
  pdu.buffer_offset = offset;
  cursor.offset += length;
  if (cursor.offset == cursor.burst_end) {
    pdu.flags = spec::kFinal;
    cursor.burst_end +=
        std::min(cursor.end - cursor.offset, session_->parameters().max_burst_length);
  }
  if (cursor.offset == cursor.end) {
    send_last_data_in(task, out, pdu, cursor.residual_flags, cursor.residual);
    return true;
  }
  pdu.exp_cmd_sn = session_->order().exp_cmd_sn();
  pdu.max_cmd_sn = session_->order().max_cmd_sn();
  queue_.push(out);
  return false;
}

// Ends a task whose Data-In has been made in part. What has a PDU goes out, for the first of them
// may have gone in part; nothing of the task follows.
void SessionConnection::stop_data_in(Task& task) {
  static_cast<DataInHook&>(task).unlink();
  forget(task);
  OutboundPdu* const last = queue_.find_data_in(task.initiator_task_tag);
  // One with a `last_of` is of an earlier command that had the same tag.
  if (last == nullptr || last->last_of != nullptr) {
    release(task);
    return;
  }
  last->last_of = &task;
  ++unsent_tasks_;
  tell_gone(std::exchange(task.gone, nullptr));
}

// Data-In of a task is begun in the loop in which the medium lends it: see respond().
void SessionConnection::keep_lent_data(Bytes memory) noexcept {
  guarded([&] {
    bool kept = queue_.keep(memory, kMaxKeptBytes - kept_bytes_);
    for (Task& task : making_data_in_) kept = kept && keep_unmade_data(task, memory);
    if (!kept) host_.close_now("it does not take its data");
  });
}

void SessionConnection::drop_managed_data_in(const std::array<std::uint8_t, 8>* lun) {
  for (Task& task : making_data_in_) {
    if (task.managed && (lun == nullptr || task.lun_field == *lun)) drop(task);
  }
}

// keep_lent_data() for what has no PDU yet.
bool SessionConnection::keep_unmade_data(Task& task, Bytes memory) {
  const DataInCursor& cursor = task.data_in_cursor;
  const auto [from, to] = overlap_of(task.data_in.first(cursor.end), memory);
  if (from == to || to <= cursor.offset) return true;
  // To the bounds of the PDUs that are to come.
  const std::uint32_t segment = parameters_.initiator_max_recv_data_segment_length;
  const std::uint32_t burst = session_->parameters().max_burst_length;
  const auto start_of_pdu = [=](std::uint32_t at) {
    const std::uint32_t in_burst = at % burst;
    return at - in_burst % segment;
  };
  const std::uint32_t begin = start_of_pdu(std::max(from, cursor.offset));
  const std::uint32_t last = start_of_pdu(to - 1);
  const std::uint32_t end = std::min({last + segment, last - last % burst + burst, cursor.end});
  if (!task.kept) task.kept = std::make_unique<KeptData>();
  const std::size_t before = task.kept->bytes();
  if (!task.kept->keep(task.data_in, begin, end, kMaxKeptBytes - kept_bytes_ - queue_.kept_bytes()))
    return false;
  kept_bytes_ += task.kept->bytes() - before;
  return true;
}

}  // namespace lunar::iscsi
