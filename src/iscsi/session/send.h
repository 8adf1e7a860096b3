// SessionConnection's templates. Private to this folder.
#pragma once

#include <new>

#include "iscsi/session/session_connection.h"

namespace lunar::iscsi {

template <class Work>
void SessionConnection::guarded(const Work& work) noexcept {
  try {
    work();
  } catch (const std::bad_alloc&) {
    host_.close_now("no memory");
  }
}

template <class Pdu>
void SessionConnection::send_begun(OutboundPdu& out, Pdu& pdu) {
  const CommandOrder& order = session_->order();
  pdu.stat_sn = stat_sn_++;
  pdu.exp_cmd_sn = order.exp_cmd_sn();
  pdu.max_cmd_sn = order.max_cmd_sn();
  queue_.push(out);
  host_.output_ready();
}

template <class Pdu>
void SessionConnection::send(OutboundPdu& out, const Pdu& pdu) {
  send_begun(out, out.begin(pdu));
}

template <class Pdu>
void SessionConnection::send_without_status(OutboundPdu& out, const Pdu& bhs) {
  const CommandOrder& order = session_->order();
  Pdu& pdu = out.begin(bhs);
  pdu.stat_sn = stat_sn_;
  pdu.exp_cmd_sn = order.exp_cmd_sn();
  pdu.max_cmd_sn = order.max_cmd_sn();
  queue_.push(out);
  host_.output_ready();
}

template <class Visit>
void SessionConnection::for_each_task(const Visit& visit) {
  session_->tasks().for_each([&](Task& task) {
    if (task.connection == this) visit(task);
  });
}

}  // namespace lunar::iscsi
