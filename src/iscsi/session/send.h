// Session's templates for sending. Private to this folder.
#pragma once

#include <new>

#include "iscsi/session/session.h"

namespace lunar::iscsi {

template <class Work>
void Session::guarded(const Work& work) noexcept {
  try {
    work();
  } catch (const std::bad_alloc&) {
    host_.close_now("no memory");
  }
}

template <class Pdu>
void Session::send_begun(OutboundPdu& out, Pdu& pdu) {
  pdu.stat_sn = stat_sn_++;
  pdu.exp_cmd_sn = exp_cmd_sn_;
  pdu.max_cmd_sn = max_cmd_sn();
  queue_.push(out);
  host_.output_ready();
}

template <class Pdu>
void Session::send(OutboundPdu& out, const Pdu& pdu) {
  send_begun(out, out.begin(pdu));
}

template <class Pdu>
void Session::send_without_status(OutboundPdu& out, const Pdu& bhs) {
  Pdu& pdu = out.begin(bhs);
  pdu.stat_sn = stat_sn_;
  pdu.exp_cmd_sn = exp_cmd_sn_;
  pdu.max_cmd_sn = max_cmd_sn();
  queue_.push(out);
  host_.output_ready();
}

}  // namespace lunar::iscsi
