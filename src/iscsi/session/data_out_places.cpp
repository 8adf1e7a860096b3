// Memory for data-out: the medium's own, or a buffer of the pool that is as long as the transfer.
//
// While the pool is empty nothing fails and nothing blocks for ever. What must hold for that:
// whoever waits for a buffer while holding one does not need the input behind it. So
//   - a write whose data has to be asked for waits without a place, before its R2T;
//   - data that comes unasked (immediate, unsolicited) stalls the input until there is a place for
//     it, but only in a session that holds no buffer for data behind it in the stream;
//   - else it is taken into memory outside the pool, at most FirstBurstLength a command, so bounded
//     by the command window; from there it is executed, or moved when there is a place for the
//     rest.
#include <algorithm>
#include <cstring>

#include "iscsi/session/send.h"

namespace lunar::iscsi {
namespace {

// Below this a write is copied out of the receive buffer; from it on it is received where the
// medium wants it, if the medium has such a place.
constexpr std::uint32_t kWriteWindowBytes = 16 * 1024;

}  // namespace

// Gives the task a place for all of its data-out. False: there is none now.
bool SessionConnection::find_place(Task& task) {
  if (task.data_out.size() >= task.wanted_out_bytes) return true;
  if (task.data_out.empty() && task.prepared && task.wanted_out_bytes >= kWriteWindowBytes &&
      task.wanted_out_bytes == task.data_out_bytes && parameters_.data_digest == Digest::none) {
    task.data_out = session_->device_server()->data_out_window(task);
    if (!task.data_out.empty()) return true;
  }
  engine::Buffer buffer = served_.size() >= task.wanted_out_bytes
                              ? std::move(served_)
                              : shard_.buffers().try_allocate(task.wanted_out_bytes);
  if (!buffer) return false;
  if (task.spill) {
    std::memcpy(buffer.data(), task.data_out.data(),
                std::min<std::size_t>(task.unsolicited.offset, task.data_out.size()));
    task.spill.reset();
  }
  task.buffer = std::move(buffer);
  task.data_out = task.buffer.bytes().first(task.wanted_out_bytes);
  return true;
}

// As find_place() for a command that is arriving, and whose data comes unasked perhaps. False: the
// receiver must stall.
bool SessionConnection::place_unasked_data(Task& task, const InboundPdu& pdu) {
  if (find_place(task)) return true;
  if (pdu.data_length == 0 && !task.expects_unsolicited) return true;  // asked for later
  if (may_stall()) {
    stalled_ = true;
    wait_for_buffer(task.wanted_out_bytes);
    return false;
  }
  const std::size_t bytes = std::min(task.unsolicited.end, task.wanted_out_bytes);
  task.spill.reset(new (std::align_val_t(engine::kMinBufferBytes)) std::byte[bytes]);
  task.data_out = {task.spill.get(), bytes};
  return true;
}

bool SessionConnection::may_stall() {
  if (!waiting_for_place_.empty()) return false;
  bool holds_buffers = false;
  for_each_task([&](const Task& task) {
    // A write window is awaited by who wants the range for himself, as a buffer is.
    const bool holds = task.buffer || task.in_medium;
    holds_buffers = holds_buffers || (holds && (task.held || task.expects_data()));
  });
  return !holds_buffers;
}

bool SessionConnection::awaits_data() {
  bool awaits = !waiting_for_place_.empty();
  if (active_tasks_ == 0) return awaits;
  for_each_task([&](const Task& task) { awaits = awaits || task.held || task.expects_data(); });
  return awaits;
}

// request_data() comes again when there is a place.
void SessionConnection::wait_for_place(Task& task) {
  if (static_cast<PlaceHook&>(task).is_linked()) return;
  waiting_for_place_.push_back(task);
  wait_for_buffer(waiting_for_place_.front().wanted_out_bytes);
}

void SessionConnection::stop_waiting_for_place(Task& task) {
  if (!static_cast<PlaceHook&>(task).is_linked()) [[likely]]
    return;
  static_cast<PlaceHook&>(task).unlink();
  if (stalled_) return;
  // What is waited for may be more than the next one needs.
  buffer_waiter_.cancel();
  if (!stopping_ && !logged_out_) serve_waiting();
}

void SessionConnection::wait_for_buffer(std::size_t bytes) {
  if (buffer_waiter_.is_linked()) return;
  buffer_waiter_.bytes = bytes;
  shard_.buffers().wait(buffer_waiter_);
}

// What was waited for has come.
void SessionConnection::on_buffer() {
  served_ = std::move(buffer_waiter_.buffer);
  if (std::exchange(stalled_, false)) {
    if (receiving_ != nullptr) receiving_->asked_alarms = alarms_;  // it could not send until now
    receiver_.resume();
    host_.input_unblocked();
  }
  serve_waiting();
  served_.reset();
}

void SessionConnection::serve_waiting() {
  while (!waiting_for_place_.empty() && !stalled_) {
    Task& task = waiting_for_place_.front();
    if (!find_place(task)) {
      wait_for_buffer(task.wanted_out_bytes);
      return;
    }
    static_cast<PlaceHook&>(task).unlink();
    request_data(task);
  }
}

}  // namespace lunar::iscsi
